/**
 * Philox4x32-10, a random number generator without a state: four words from a counter and a key.
 *
 * Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 4.3. Kernels and references draw from it
 * alike: element i of a call takes word i mod 4 of block counter + ⌊i / 4⌋, so what it is depends neither on the launch nor on the device.
 * A normal number takes a pair of words and makes a pair of numbers, so words 0 and 1 make elements 0 and 1 of a block.
 */

/** Four 32-bit words. */
export type Block = readonly [number, number, number, number];

/** Two 32-bit words, which tell streams apart. */
export type Key = readonly [number, number];

/**
 * Where a call begins in a stream. Counters are in blocks, and calls that follow each other are `blocksFor(size)` apart. The params of each launch that draws
 * begin with the key and the counter of its own first block, so that plans can go on in a stream.
 */
export interface Stream {
  readonly key: Key;
  /** The first block: a whole number below 2^53. */
  readonly counter: number;
}

/** How many blocks a call for `size` elements uses up. */
export function blocksFor(size: number): number {
  return Math.ceil(size / 4);
}

/** The four words of a counter (four words, lowest first) and a key. */
export function philox4x32([a, b, c, d]: Block, [k0, k1]: Key): Block {
  for (let round = 0; round < 10; round++) {
    const evenHigh = multiplyHigh(0xd2511f53, a);
    const evenLow = Math.imul(0xd2511f53, a) >>> 0;
    const oddHigh = multiplyHigh(0xcd9e8d57, c);
    const oddLow = Math.imul(0xcd9e8d57, c) >>> 0;
    a = (oddHigh ^ b ^ k0) >>> 0;
    b = oddLow;
    c = (evenHigh ^ d ^ k1) >>> 0;
    d = evenLow;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/** The high word of the 64-bit product of two words. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (other >>> 16);
}

/** A block's number in a stream as two words, low and high. */
export function counterWords(counter: number): [number, number] {
  return [counter >>> 0, Math.floor(counter / 2 ** 32) >>> 0];
}

/** The block that stands `block` after the start of a stream. */
export function blockOf({ key, counter }: Stream, block: number): Block {
  return philox4x32([...counterWords(counter + block), 0, 0], key);
}

/** Calls `visit` with the number of each block of `size` elements and its words. */
export function eachBlock(
  size: number,
  stream: Stream,
  visit: (first: number, words: Block) => void,
): void {
  for (let first = 0; first < size; first += 4) {
    visit(first, blockOf(stream, first / 4));
  }
}

/**
 * The numbers 0 … n − 1 in random order, all orders alike (Fisher–Yates). Uses up `blocksFor(n)` blocks.
 *
 * @example
 * ```ts
 * const order = permutation(10, { key: [1, 2], counter: 0 });
 * ```
 */
export function permutation(
  n: number,
  stream: Stream,
): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  eachBlock(n, stream, (first, words) => {
    // Element i changes places with one that isn't settled yet: itself or one after it.
    for (let i = first; i < Math.min(first + 4, n); i++) {
      const other = i + multiplyHigh(words[i - first], n - i);
      [order[i], order[other]] = [order[other], order[i]];
    }
  });
  return order;
}
