/**
 * The header of an npy file: the text of a Python dict, of which exactly the part that an array's description can hold is read. Nothing is
 * evaluated.
 *
 * Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays", and numpy.lib.format for versions 2.0 and 3.0.
 */
import { type Refuse, viewOf } from "./refuse.ts";

/** What a header says. */
export interface NpyHeader {
  /** numpy's name of the element type, such as `<f4`. */
  readonly descr: string;
  readonly descrAt: number;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  readonly shapeAt: number;
  /** The first byte of the elements. */
  readonly end: number;
}

/** Most axes that numpy has arrays of. */
const MAX_RANK = 64;

/** Longest header. numpy's longer ones describe records. */
const MAX_LENGTH = 2 ** 16;

/** Bytes at the start of a file that hold its header. */
export const NPY_HEADER_BYTES = 12 + MAX_LENGTH;

const MAGIC = [0x93, ...new TextEncoder().encode("NUMPY")];

/** Whether bytes start as an npy file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads the header of an npy file, of which `bytes` are the start: all of it, or {@linkcode NPY_HEADER_BYTES}. `total` is the file's length.
 */
export function readNpyHeader(
  bytes: Uint8Array,
  refuse: Refuse,
  total: number = bytes.length,
): NpyHeader {
  if (!isNpy(bytes)) {
    refuse(0, 'an npy file starts with the byte 0x93 and "NUMPY"');
  }
  const [major, minor] = bytes.subarray(6, 8);
  if (![1, 2, 3].includes(major) || minor !== 0) {
    refuse(
      6,
      `version ${major ?? "?"}.${
        minor ?? "?"
      } of the format, expected 1.0, 2.0 or 3.0`,
    );
  }
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) refuse(bytes.length, "the file ends in its header");
  const view = viewOf(bytes);
  const length = major === 1
    ? view.getUint16(8, true)
    : view.getUint32(8, true);
  if (length > total - start) {
    refuse(8, `a header of ${length} bytes doesn't fit a file of ${total}`);
  }
  if (length > MAX_LENGTH) {
    refuse(8, `a header of ${length} bytes, expected at most ${MAX_LENGTH}`);
  }
  const end = start + length;
  return new Scanner(bytes.subarray(0, end), start, refuse).header();
}

/** Walks over the dict. All that it can hold is ASCII. */
class Scanner {
  readonly #bytes: Uint8Array;
  readonly #refuse: Refuse;
  #at: number;

  constructor(bytes: Uint8Array, at: number, refuse: Refuse) {
    this.#bytes = bytes;
    this.#at = at;
    this.#refuse = refuse;
  }

  /** `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` and white space, the fields in any order. */
  header(): NpyHeader {
    const start = this.#at;
    let descr: string | undefined;
    let [descrAt, shapeAt] = [start, start];
    let fortranOrder: boolean | undefined;
    let shape: number[] | undefined;
    const seen = new Set<string>();
    this.#expect("{");
    while (!this.#accept("}")) {
      const at = this.#at;
      const key = this.#string();
      if (seen.has(key)) this.#refuse(at, `"${key}" is there twice`);
      seen.add(key);
      this.#expect(":");
      this.#skip();
      if (key === "descr") [descrAt, descr] = [this.#at, this.#descr()];
      else if (key === "fortran_order") fortranOrder = this.#boolean();
      else if (key === "shape") [shapeAt, shape] = [this.#at, this.#tuple()];
      else {
        this.#refuse(
          at,
          `the header has a field ${
            JSON.stringify(key)
          }: expected descr, fortran_order and shape`,
        );
      }
      if (this.#accept(",")) continue;
      this.#expect("}");
      break;
    }
    this.#skip();
    const end = this.#bytes.length;
    if (this.#at < end) this.#fail("white space to its end");
    if (descr === undefined || fortranOrder === undefined || !shape) {
      return this.#refuse(
        start,
        "the header is incomplete: expected descr, fortran_order and shape",
      );
    }
    return { descr, descrAt, fortranOrder, shape, shapeAt, end };
  }

  /** The element type, which is a list for arrays of records. */
  #descr(): string {
    if (this.#bytes[this.#at] === 0x5b) {
      this.#refuse(this.#at, "the array holds records, which no tensor does");
    }
    return this.#string();
  }

  /** A string without escapes, in either kind of quotes. */
  #string(): string {
    this.#skip();
    const start = this.#at;
    const quote = this.#bytes[start];
    if (quote !== 0x27 && quote !== 0x22) this.#fail("a string");
    const end = this.#bytes.indexOf(quote, start + 1);
    const text = this.#bytes.subarray(start + 1, end);
    const plain = (byte: number) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    if (end < 0 || !text.every(plain)) this.#fail("a plain string");
    this.#at = end + 1;
    return String.fromCharCode(...text.subarray(0, 100));
  }

  #boolean(): boolean {
    for (const [word, value] of [["True", true], ["False", false]] as const) {
      if (this.#word(word)) return value;
    }
    return this.#fail("True or False");
  }

  /** `()`, `(2,)` or `(2, 3)`. */
  #tuple(): number[] {
    const values: number[] = [];
    this.#expect("(");
    while (!this.#accept(")")) {
      if (values.length === MAX_RANK) {
        this.#fail(`the end of a shape of ${MAX_RANK} axes, numpy's most,`);
      }
      values.push(this.#integer());
      if (this.#accept(",")) continue;
      if (values.length === 1) this.#fail("the comma of a tuple of one");
      this.#expect(")");
      break;
    }
    return values;
  }

  /** An integer, also with the `L` that Python 2 wrote. */
  #integer(): number {
    this.#skip();
    const start = this.#at;
    let value = 0;
    for (; this.#at < this.#bytes.length; this.#at++) {
      const digit = this.#bytes[this.#at] - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const digits = this.#at - start;
    const leadingZero = digits > 1 && this.#bytes[start] === 0x30;
    if (digits === 0 || leadingZero || !Number.isSafeInteger(value)) {
      this.#at = start;
      this.#fail("an integer from 0 to 2^53 - 1");
    }
    this.#word("L");
    return value;
  }

  #skip(): void {
    while ([0x20, 0x09, 0x0a, 0x0d].includes(this.#bytes[this.#at])) this.#at++;
  }

  /** Steps over a word if it comes next. */
  #word(word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#at + i] !== word.charCodeAt(i)) return false;
    }
    this.#at += word.length;
    return true;
  }

  #accept(char: string): boolean {
    this.#skip();
    return this.#word(char);
  }

  #expect(char: string): void {
    if (!this.#accept(char)) this.#fail(char);
  }

  #fail(expected: string): never {
    return this.#refuse(this.#at, `the header lacks ${expected} here`);
  }
}
