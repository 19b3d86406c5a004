/** Files of PyTorch's made opcode by opcode. */
import { assertEquals } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import { decodeTorch } from "../../core/formats/torch.ts";
import { writeZip } from "../../core/formats/zip_write.ts";
import { assertFailsLater } from "./errors.ts";

/** A pickle from its opcodes as text, each character a byte. */
export function pickle(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(`\x80\x02${text}.`, (char) => char.charCodeAt(0));
}

/** An archive as PyTorch's, with a pickle and one storage of bytes. */
export async function archive(
  opcodes: string,
  storage: readonly number[] = [],
): Promise<Uint8Array> {
  return await writeZip(
    new Map([
      ["x/data.pkl", pickle(opcodes)],
      ["x/data/0", Uint8Array.from(storage)],
    ]),
  );
}

/** Where the pickle of {@linkcode archive} starts: after a header, its name and the 64-bit sizes. */
export const START = 30 + 10 + 20;

/** Asserts the refusal of a pickle at a byte of it. */
export async function refusesPickle(
  opcodes: string,
  at: number,
  rule: string,
  storage: readonly number[] = [],
): Promise<void> {
  const bytes = await archive(opcodes, storage);
  const reading = decodeTorch(bytes, "x.pth");
  const whole = `Cannot read x.pth: ${rule} (byte ${START + at})`;
  const error = await assertFailsLater(reading, FileFormatError, whole);
  const facts = [error.file, error.offset, error.rule];
  assertEquals(facts, ["x.pth", START + at, rule]);
}

/** Opcodes for a text of fewer than 128 bytes. */
export function text(value: string): string {
  return `X${String.fromCharCode(value.length)}\0\0\0${value}`;
}

/** Opcodes for a tuple of what others give. */
export function tuple(...items: readonly string[]): string {
  return `(${items.join("")}t`;
}

/** Opcodes for an integer from 0 to 255. */
export function byte(n: number): string {
  return `K${String.fromCharCode(n)}`;
}

/** Opcodes for a storage of a type, such as "FloatStorage". */
export function storage(type: string, count: number, key = "0"): string {
  const kind = `ctorch\n${type}\n`;
  const id = [text("storage"), kind, text(key), text("cpu"), byte(count)];
  return `${tuple(...id)}Q`;
}

/** Opcodes for a tensor on the storage that others give. */
export function tensor(
  from: string,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): string {
  const sizes = [shape, strides].map((list) => tuple(...list.map(byte)));
  const hooks = "ccollections\nOrderedDict\n)R";
  const args = tuple(from, byte(offset), ...sizes, "\x89", hooks);
  return `ctorch._utils\n_rebuild_tensor_v2\n${args}R`;
}
