/**
 * The header of a safetensors file, read byte by byte.
 *
 * `JSON.parse` won't do: it keeps the last of two fields with the same name, takes numbers that are no offsets, and can't say where something
 * stands. What the format allows is a small part of JSON, so reading exactly that part is short.
 */

import type { Refuse } from "./refuse.ts";

/** An array as the header describes it. */
export interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header. */
  readonly begin: number;
  /** The byte after the last. */
  readonly end: number;
  /** Where in the file its description starts. */
  readonly at: number;
}

/** What a header says. */
export interface Header {
  readonly entries: Entry[];
  readonly metadata: Map<string, string>;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const WHITESPACE = [SPACE, 0x09, 0x0a, 0x0d];

/** Reads a header. `base` is where in the file its first byte stands. */
export function readHeader(
  bytes: Uint8Array,
  base: number,
  refuse: Refuse,
): Header {
  const scanner = new Scanner(bytes, base, refuse);
  const entries: Entry[] = [];
  const metadata = new Map<string, string>();
  scanner.object((name) => {
    if (name === "__metadata__") {
      scanner.object((key) => metadata.set(key, scanner.string()));
    } else {
      entries.push(readEntry(scanner, name, refuse));
    }
  });
  scanner.padding();
  return { entries, metadata };
}

function readEntry(scanner: Scanner, name: string, refuse: Refuse): Entry {
  const at = scanner.offset;
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  scanner.object((field, fieldAt) => {
    if (field === "dtype") dtype = scanner.string();
    else if (field === "shape") shape = scanner.integers();
    else if (field === "data_offsets") offsets = scanner.integers();
    else {
      refuse(
        fieldAt,
        `${JSON.stringify(name)} has a field ${
          JSON.stringify(field)
        }: expected dtype, shape and data_offsets`,
      );
    }
  });
  if (dtype === undefined || !shape || offsets?.length !== 2) {
    return refuse(
      at,
      `${
        JSON.stringify(name)
      } is described incompletely: expected dtype, shape and data_offsets of two numbers`,
    );
  }
  return { name, dtype, shape, begin: offsets[0], end: offsets[1], at };
}

/** Walks over the JSON that a header can hold. */
class Scanner {
  readonly #bytes: Uint8Array;
  readonly #base: number;
  readonly #refuse: Refuse;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array, base: number, refuse: Refuse) {
    this.#bytes = bytes;
    this.#base = base;
    this.#refuse = refuse;
  }

  /** Where in the file the next byte stands. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** `{ "name": …, … }`, calling `visit` at each value with its name and where this stands. */
  object(visit: (name: string, at: number) => void): void {
    this.#expect("{");
    const names = new Set<string>();
    if (this.#accept("}")) return;
    do {
      this.#skip();
      const at = this.offset;
      const name = this.string();
      if (names.has(name)) {
        this.#refuse(at, `${JSON.stringify(name)} is there twice`);
      }
      names.add(name);
      this.#skip();
      this.#expect(":");
      this.#skip();
      visit(name, at);
    } while (this.#accept(","));
    this.#expect("}");
  }

  /** A string, with JSON's escapes. */
  string(): string {
    const start = this.#at;
    this.#expect('"');
    while (this.#bytes[this.#at] !== QUOTE) {
      if (this.#at >= this.#bytes.length) this.#fail("the end of a string");
      this.#at += this.#bytes[this.#at] === BACKSLASH ? 2 : 1;
    }
    this.#at++;
    try {
      const text = this.#utf8.decode(this.#bytes.subarray(start, this.#at));
      const value: string = JSON.parse(text);
      if (value.isWellFormed()) return value;
    } catch {
      // Falls through to the same refusal.
    }
    return this.#refuse(
      this.#base + start,
      "the header holds a string that is not valid JSON in UTF-8",
    );
  }

  /** `[ 1, 2, … ]`: integers that are not negative. */
  integers(): number[] {
    const values: number[] = [];
    this.#expect("[");
    if (this.#accept("]")) return values;
    do {
      this.#skip();
      values.push(this.#integer());
    } while (this.#accept(","));
    this.#expect("]");
    return values;
  }

  /** Nothing but spaces up to the end. */
  padding(): void {
    while (this.#bytes[this.#at] === SPACE) this.#at++;
    if (this.#at < this.#bytes.length) this.#fail("spaces to its end");
  }

  #integer(): number {
    const start = this.#at;
    let value = 0;
    for (; this.#at < this.#bytes.length; this.#at++) {
      const digit = this.#bytes[this.#at];
      if (digit < DIGIT_0 || digit > DIGIT_9) break;
      value = value * 10 + digit - DIGIT_0;
    }
    const digits = this.#at - start;
    const leadingZero = digits > 1 && this.#bytes[start] === DIGIT_0;
    if (digits === 0 || leadingZero || !Number.isSafeInteger(value)) {
      this.#at = start;
      this.#fail("an integer from 0 to 2^53 - 1");
    }
    return value;
  }

  #skip(): void {
    while (WHITESPACE.includes(this.#bytes[this.#at])) this.#at++;
  }

  /** Steps over white space and `char` if it comes next. */
  #accept(char: string): boolean {
    this.#skip();
    if (this.#bytes[this.#at] !== char.charCodeAt(0)) return false;
    this.#at++;
    return true;
  }

  #expect(char: string): void {
    if (this.#bytes[this.#at] !== char.charCodeAt(0)) this.#fail(char);
    this.#at++;
  }

  #fail(expected: string): never {
    return this.#refuse(this.offset, `the header lacks ${expected} here`);
  }
}
