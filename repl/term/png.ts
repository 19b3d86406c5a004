/**
 * Writes PNG files (ISO/IEC 15948). Deno's canvas can do that too, but only later (a promise), where drawings are made at once, and with colours
 * multiplied by their opacity.
 */
import { deflateSync } from "node:zlib";
import { crc32 } from "../../core/formats/crc32.ts";

/** Bytes row by row: grey, grey and opacity, red-green-blue, or those and opacity. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Colour types by number of channels: section 11.2.2. */
const COLOR_TYPES = { 1: 0, 2: 4, 3: 2, 4: 6 } as const;

/** The bytes of a PNG file of 8 bits a channel. */
export function encodePng(
  { width, height, channels, data }: Pixels,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8;
  header[9] = COLOR_TYPES[channels];
  const stride = width * channels;
  // Each row begins with its filter: 0, none.
  const rows = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * stride, (y + 1) * stride);
    rows.set(row, y * (stride + 1) + 1);
  }
  const parts = [
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Length, name, contents, checksum of name and contents: section 5.3. */
function chunk(name: string, contents: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(contents.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, contents.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(contents, 8);
  const checked = bytes.subarray(4, 8 + contents.length);
  view.setUint32(8 + contents.length, crc32(checked));
  return bytes;
}
