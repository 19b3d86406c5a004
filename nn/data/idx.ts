/**
 * IDX, the file format of MNIST and its relatives: a four-byte magic number (0, 0, element type, rank), one big-endian 32-bit size an axis,
 * then the elements in row-major order. Files are read plain or gzipped, told apart by their first bytes.
 *
 * Only unsigned bytes are read, which is what these data sets hold. The reader trusts nothing: memory is taken as bytes arrive, never
 * because a header asks for it, and a file must end exactly where its header says.
 *
 * Source: Yann LeCun, Corinna Cortes and Christopher Burges, "The MNIST database of handwritten digits", section "File formats".
 */
import { FileFormatError } from "../../core/errors.ts";

/** An array of unsigned bytes, outermost axis first. */
export interface Idx {
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

const UNSIGNED_BYTE = 0x08;

/** Axes and bytes that no such data set needs: a header beyond them is broken or hostile. */
const MAX_RANK = 4;
const MAX_BYTES = 2 ** 30;

/** Reads an IDX file from a path, a `file:` URL or an http(s) URL. Throws a FileFormatError where it breaks the format. */
export async function readIdx(location: string | URL): Promise<Idx> {
  if (location instanceof URL && location.protocol !== "file:") {
    const response = await fetch(location);
    if (!response.ok) {
      await response.body?.cancel();
      throw new Deno.errors.NotFound(
        `Cannot read ${location}: the server answered ${response.status}`,
      );
    }
    return parseIdx(await response.bytes(), location.href);
  }
  return parseIdx(await Deno.readFile(location), String(location));
}

/** Reads an IDX file from its bytes, gzipped or not. `file` names it in errors, whose offsets count unpacked bytes. */
export async function parseIdx(
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
): Promise<Idx> {
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = new Blob([bytes]).stream();
  const parser = new Parser(file);
  try {
    const unpacked = gzipped
      ? plain.pipeThrough(new DecompressionStream("gzip"))
      : plain;
    for await (const chunk of unpacked) parser.take(chunk);
  } catch (error) {
    if (error instanceof FileFormatError) throw error;
    throw parser.error(parser.length, "gzip", "the gzip data is damaged");
  }
  return parser.finish();
}

/** Gathers chunks, checks the header as soon as it is there, and stops at the first byte too many. */
class Parser {
  length = 0;
  readonly #file: string;
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];
  #shape: number[] | undefined;
  #end = MAX_BYTES;

  constructor(file: string) {
    this.#file = file;
  }

  take(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
    this.#shape ??= this.#header();
    if (this.#shape && this.length > this.#end) {
      throw this.error(
        this.#end,
        "length",
        `more than the ${this.#end} bytes that sizes [${
          this.#shape.join(", ")
        }] ask for`,
      );
    }
  }

  finish(): Idx {
    if (!this.#shape) {
      throw this.error(this.length, "header", "the file ends in its header");
    }
    if (this.length < this.#end) {
      throw this.error(
        this.length,
        "length",
        `the file ends, but sizes [${
          this.#shape.join(", ")
        }] ask for ${this.#end} bytes`,
      );
    }
    const start = headerBytes(this.#shape.length);
    return { shape: this.#shape, data: this.#join().slice(start) };
  }

  error(offset: number, rule: string, state: string): FileFormatError {
    const message = `Cannot read ${this.#file} at byte ${offset}: ${state}`;
    return new FileFormatError(message, this.#file, offset, rule);
  }

  /** The sizes, or undefined while the header isn't complete. Sets where the file must end. */
  #header(): number[] | undefined {
    if (this.length < 4) return undefined;
    const bytes = this.#join();
    const view = new DataView(bytes.buffer);
    if (view.getUint16(0) !== 0) {
      throw this.error(0, "magic", "an IDX file starts with two zero bytes");
    }
    if (bytes[2] !== UNSIGNED_BYTE) {
      throw this.error(
        2,
        "type",
        `element type 0x${
          bytes[2].toString(16).padStart(2, "0")
        }, where only unsigned bytes (0x08) are read`,
      );
    }
    const rank = bytes[3];
    if (rank < 1 || rank > MAX_RANK) {
      throw this.error(3, "rank", `rank ${rank}, where 1 to ${MAX_RANK} fit`);
    }
    if (this.length < headerBytes(rank)) return undefined;
    const shape: number[] = [];
    let size = 1;
    for (let d = 0; d < rank; d++) {
      shape.push(view.getUint32(4 + 4 * d));
      size *= shape[d];
    }
    this.#end = headerBytes(rank) + size;
    if (this.#end > MAX_BYTES) {
      throw this.error(
        4,
        "size",
        `sizes [${
          shape.join(", ")
        }] ask for ${this.#end} bytes, more than the ${MAX_BYTES} that are read`,
      );
    }
    return shape;
  }

  #join(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

function headerBytes(rank: number): number {
  return 4 + 4 * rank;
}
