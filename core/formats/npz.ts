/** numpy's npz format: a zip archive of npy files, each named after its array. */
import type { HostArray } from "../../wgsl/op.ts";
import type { WrittenTypes } from "./elements_write.ts";
import { encodeNpy, readNpy, readNpyLayout } from "./npy.ts";
import { NPY_HEADER_BYTES } from "./npy_header.ts";
import { type Refuse, refuser } from "./refuse.ts";
import { readZip, unpack, type ZipEntry } from "./zip.ts";
import { writeZip } from "./zip_write.ts";

const SUFFIX = ".npy";

/**
 * Reads an npz file, compressed or not: its arrays by name, in the file's order. `file` names the bytes in errors, whose offsets are those of
 * the compressed entry where the fault is inside of one.
 *
 * @throws {FileFormatError} when the bytes break a rule of zip or npy, or hold an element type or a value that has no place here
 */
export async function decodeNpz(
  bytes: Uint8Array,
  file = "npz data",
): Promise<Map<string, HostArray>> {
  const refuse = refuser(file);
  const arrays = new Map<string, HostArray>();
  const entries = readZip(bytes, refuse);
  for (const [name, entry] of entries) {
    if (!name.endsWith(SUFFIX)) {
      const state = `${JSON.stringify(name)} is not an npy file by its name`;
      refuse(entry.at, state);
    }
  }
  for (const [name, entry] of entries) {
    const inside = refuseIn(entry, refuse);
    const content = await unpack(bytes, entry, refuse, {
      bytes: NPY_HEADER_BYTES,
      check: (start) => readNpyLayout(start, inside, entry.size),
    });
    const array = readNpy(content, inside);
    arrays.set(name.slice(0, -SUFFIX.length), array);
  }
  return arrays;
}

/** The refusals of a file inside of an archive. */
export function refuseIn(entry: ZipEntry, refuse: Refuse): Refuse {
  const { name, start, deflated } = entry;
  return (offset, rule) =>
    refuse(
      deflated ? start : start + offset,
      `in ${JSON.stringify(name)}, ${rule}`,
    );
}

/**
 * Writes an npz file: the same bytes as numpy's `savez`, or with `compress` one that is smaller.
 *
 * @throws {TypeError} when a type asked for doesn't exist in numpy (bfloat16) or isn't of an array's kind
 * @throws {RangeError} when an integer doesn't fit the type asked for, or the file would have more than 4 GiB
 */
export async function encodeNpz(
  arrays: ReadonlyMap<string, HostArray>,
  options: { readonly compress?: boolean; readonly types?: WrittenTypes } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const files = new Map(
    [...arrays].map(([name, array]) => [
      `${checkName(name)}${SUFFIX}`,
      encodeNpy(array, options.types),
    ]),
  );
  return await writeZip(files, options);
}

function checkName(name: string): string {
  const bytes = new TextEncoder().encode(name).length;
  if (name.isWellFormed() && !name.includes("\0") && bytes < 2 ** 16 - 4) {
    return name;
  }
  throw new TypeError(
    `Cannot write an array named ${
      JSON.stringify(name.slice(0, 100))
    }: names in a zip archive are UTF-8 without NUL, 65,531 bytes at most`,
  );
}
