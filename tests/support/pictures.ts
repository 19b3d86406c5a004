/** Pictures that tests and tests/fixtures/transforms.py compute alike. */
import type { Image } from "../../nn/data/image.ts";

/** A slope with a disc and texture: row by row, `channels` bytes a pixel. */
export function scene(width: number, height: number, channels: number): Image {
  const data = new Uint8Array(width * height * channels);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const away = (x - Math.floor(width / 3)) ** 2 +
        (y - Math.floor(height / 2)) ** 2;
      for (let c = 0; c < channels; c++) {
        const slope = 5 * x + 3 * y + 70 * c;
        const disc = away < height * 4 ? 90 : 0;
        const texture = (x * x * 7 + y * y * 13 + x * y * (c + 3)) % 41;
        data[at++] = (slope + disc + texture) % 256;
      }
    }
  }
  return { width, height, data };
}

/** The SHA-256 of bytes, in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}
