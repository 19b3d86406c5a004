/**
 * CRC-32 as zip files have it: the polynomial 0xedb88320, reflected. Eight bytes a step, by tables of the remainders that a byte leaves with 0 to
 * 7 bytes after it.
 *
 * Source: M. E. Kounavis and F. L. Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", IEEE Transactions on
 * Computers 57 (2008), section 4.
 */

const STEP = 8;

/** Remainder of a byte with k bytes after it, at 256·k + byte. */
const TABLE = makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256 * STEP);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
    }
    table[byte] = remainder;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256];
    table[i] = (before >>> 8) ^ table[before & 0xff];
  }
  return table;
}

/** The checksum of bytes, from 0 to 2^32 - 1. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  let at = 0;
  for (; at + STEP <= bytes.length; at += STEP) {
    crc = TABLE[1792 + ((crc ^ bytes[at]) & 0xff)] ^
      TABLE[1536 + (((crc >>> 8) ^ bytes[at + 1]) & 0xff)] ^
      TABLE[1280 + (((crc >>> 16) ^ bytes[at + 2]) & 0xff)] ^
      TABLE[1024 + ((crc >>> 24) ^ bytes[at + 3])] ^
      TABLE[768 + bytes[at + 4]] ^ TABLE[512 + bytes[at + 5]] ^
      TABLE[256 + bytes[at + 6]] ^ TABLE[bytes[at + 7]];
  }
  for (; at < bytes.length; at++) {
    crc = TABLE[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
