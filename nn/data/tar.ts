/**
 * Reads files out of tar archives, into memory. Nothing is ever written where an archive says, so its paths can't lead anywhere.
 *
 * An archive is a row of 512-byte blocks: a header, then the file's bytes, filled up with zeros; two blocks of zeros end it. Source: IEEE Std
 * 1003.1, pax, "ustar Interchange Format". Only what data sets are packed with is read: files and folders, with ustar's or GNU's headers; pax
 * headers, which give times and the like, are passed over. Anything else is refused.
 */
import { FileFormatError } from "../../core/errors.ts";

const BLOCK = 512;

/** Pax headers beyond this size are no harmless ones. */
const MAX_EXTENDED = 2 ** 20;

/** What to take out of an archive. */
export interface TarOptions {
  /** Names to take, without folders. All must be there, each once. */
  readonly names: readonly string[];
  /** Bytes that a file may have. */
  readonly maxBytes: number;
}

/** A header's fields that matter here. */
interface Header {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

/** Reads files out of an archive whose bytes come from a stream. `file` names it in errors, whose offsets count unpacked bytes. */
export async function readTar(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  file: string,
  { names, maxBytes }: TarOptions,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const input = new Input(stream, file);
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  try {
    // The archive's end is looked for even when all files are found: gzip's own sum stands behind it.
    for (;;) {
      const at = input.at;
      const header = parseHeader(await input.take(BLOCK), at, input);
      if (!header) break;
      const { name, type, size } = header;
      const short = name.slice(name.lastIndexOf("/") + 1);
      const wanted = type === "file" && names.includes(short);
      if (wanted && found.has(short)) {
        throw input.error(at, "duplicate", `a second ${short}`);
      }
      if (wanted && size > maxBytes) {
        const state = `${short} of ${size} bytes, where ${maxBytes} fit`;
        throw input.error(at + 124, "size", state);
      }
      if (type === "extended" && size > MAX_EXTENDED) {
        const state = `a pax header of ${size} bytes`;
        throw input.error(at + 124, "size", state);
      }
      if (wanted) found.set(short, await input.take(size));
      else await input.skip(size);
      await input.skip((BLOCK - size % BLOCK) % BLOCK);
    }
    await input.drain();
  } finally {
    await input.close();
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0) {
    const state = `the archive lacks ${missing.join(", ")}`;
    throw input.error(input.at, "files", state);
  }
  return found;
}

const TYPES: Readonly<Record<string, string>> = {
  "0": "file",
  "\0": "file",
  "5": "folder",
  "x": "extended",
  "g": "extended",
};

/** The fields of a header, or undefined for a block of zeros. */
function parseHeader(
  block: Uint8Array,
  at: number,
  input: Input,
): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = (start: number, length: number) => {
    const field = block.subarray(start, start + length);
    const end = field.indexOf(0);
    return String.fromCharCode(...field.subarray(0, end < 0 ? length : end));
  };
  const octal = (start: number, length: number, rule: string) => {
    const field = text(start, length).trim();
    if (/^[0-7]+$/.test(field)) return parseInt(field, 8);
    throw input.error(
      at + start,
      rule,
      `${JSON.stringify(field)}, where an octal number belongs`,
    );
  };
  // The sum counts its own eight bytes as spaces.
  const sum = block.reduce(
    (total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte),
    0,
  );
  if (octal(148, 8, "checksum") !== sum) {
    throw input.error(at + 148, "checksum", "the header's checksum is wrong");
  }
  if (text(257, 5) !== "ustar") {
    throw input.error(at + 257, "magic", 'a header of tar says "ustar" here');
  }
  const type = TYPES[String.fromCharCode(block[156])];
  if (!type) {
    const found = JSON.stringify(String.fromCharCode(block[156]));
    const state = `an entry of type ${found}, where files and folders are read`;
    throw input.error(at + 156, "type", state);
  }
  return { name: text(0, 100), type, size: octal(124, 12, "size") };
}

/** A stream's bytes in the portions that are asked for. */
class Input {
  /** Bytes taken so far. */
  at = 0;
  readonly #file: string;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>, file: string) {
    this.#reader = stream.getReader();
    this.#file = file;
  }

  /** The next bytes. Memory is taken as they arrive, never because a header asks for it. */
  async take(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    await this.#pass(count, (piece) => pieces.push(piece));
    const bytes = new Uint8Array(count);
    let to = 0;
    for (const piece of pieces) {
      bytes.set(piece, to);
      to += piece.length;
    }
    return bytes;
  }

  async skip(count: number): Promise<void> {
    await this.#pass(count, () => {});
  }

  /** Passes over what follows the end, which must be zeros: at least one more block. */
  async drain(): Promise<void> {
    let zeros = 0;
    do {
      const wrong = this.#rest.findIndex((byte) => byte !== 0);
      if (wrong >= 0) {
        const state = "bytes after the end of the archive";
        throw this.error(this.at + wrong, "end", state);
      }
      zeros += this.#rest.length;
      this.at += this.#rest.length;
    } while (await this.#more());
    if (zeros < BLOCK) {
      throw this.error(this.at, "end", "the archive ends in its last blocks");
    }
  }

  /** Lets go of the stream. */
  async close(): Promise<void> {
    // A stream that has failed has said so already.
    await this.#reader.cancel().catch(() => {});
  }

  error(offset: number, rule: string, state: string): FileFormatError {
    const message = `Cannot read ${this.#file} at byte ${offset}: ${state}`;
    return new FileFormatError(message, this.#file, offset, rule);
  }

  async #pass(
    count: number,
    visit: (piece: Uint8Array<ArrayBuffer>) => void,
  ): Promise<void> {
    while (count > 0) {
      if (this.#rest.length === 0 && !await this.#more()) {
        throw this.error(this.at, "length", "the archive ends too early");
      }
      const piece = this.#rest.subarray(0, count);
      visit(piece);
      this.#rest = this.#rest.subarray(piece.length);
      this.at += piece.length;
      count -= piece.length;
    }
  }

  /** Fetches the next piece of the stream. False at its end. */
  async #more(): Promise<boolean> {
    try {
      const { value } = await this.#reader.read();
      this.#rest = value ?? new Uint8Array();
      return value !== undefined;
    } catch {
      throw this.error(this.at, "gzip", "the gzip data is damaged");
    }
  }
}
