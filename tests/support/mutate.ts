/** Files with faults in them, for readers that must refuse or read them rightly. The same seed gives the same files. */
import { assert } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";

/** Random integers below n. */
export type Roll = (n: number) => number;

/** Pseudo-random integers, by a linear congruential generator (Numerical Recipes' constants). */
export function dice(seed: number): Roll {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** Words that limits and signs are near. */
const WORDS = [0, 1, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** A copy with one to three random faults. `tokens` are texts that mean something to the format. */
export function mutate(
  source: Uint8Array,
  roll: Roll,
  tokens: readonly string[],
): Uint8Array<ArrayBuffer> {
  const bytes = [...source];
  for (let faults = 1 + roll(3); faults > 0; faults--) {
    const at = roll(bytes.length + 1);
    const token = [...new TextEncoder().encode(tokens[roll(tokens.length)])];
    const length = 1 + roll(8);
    switch (roll(10)) {
      case 0:
      case 1:
        if (at < bytes.length) bytes[at] = roll(256);
        break;
      case 2:
        if (at < bytes.length) bytes[at] ^= 1 << roll(8);
        break;
      case 3: {
        const word = WORDS[roll(WORDS.length)];
        const places = [0, 8, 16, 24].slice(0, bytes.length - at);
        bytes.splice(
          at,
          places.length,
          ...places.map((shift) => (word >>> shift) & 255),
        );
        break;
      }
      case 4:
        bytes.length = at;
        break;
      case 5:
        bytes.splice(at, length);
        break;
      case 6:
        bytes.splice(at, 0, ...bytes.slice(at, at + length));
        break;
      case 7: {
        const from = roll(bytes.length + 1);
        bytes.splice(at, length, ...bytes.slice(from, from + length));
        break;
      }
      case 8:
        bytes.splice(at, 0, ...token);
        break;
      case 9:
        bytes.splice(at, token.length, ...token);
    }
  }
  return Uint8Array.from(bytes);
}

/** How the files of a format are made and judged. */
export interface Trial<T> {
  readonly seed: number;
  /** A file with faults, and whatever `check` needs of it. */
  make(roll: Roll): Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>;
  read(bytes: Uint8Array<ArrayBuffer>): Promise<T> | T;
  /** Asserts that a file which was accepted has been read rightly. */
  check(value: T, bytes: Uint8Array<ArrayBuffer>): void;
}

/** Reads files with faults: each is read rightly or refused with a FileFormatError at one of its bytes. Gives how many were read. */
export async function survive<T>(
  count: number,
  { seed, make, read, check }: Trial<T>,
): Promise<number> {
  const roll = dice(seed);
  let accepted = 0;
  for (let i = 0; i < count; i++) {
    const bytes = await make(roll);
    let value: T;
    try {
      value = await read(bytes);
    } catch (error) {
      if (!(error instanceof FileFormatError)) throw error;
      const inside = error.offset >= 0 && error.offset <= bytes.length;
      assert(inside, `${error.message} for ${bytes.length} bytes`);
      continue;
    }
    accepted++;
    check(value, bytes);
  }
  return accepted;
}
