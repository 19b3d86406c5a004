/**
 * Sixel: six rows of pixels a band, a colour at a time, each column of six a character (DEC, "VT330/VT340 Programmer Reference Manual", chapter 14).
 *
 * Up to 256 colours are exact, to a percent, which is how the protocol names them. More are spread over a cube of 6×6×6 by Floyd and Steinberg's
 * error diffusion ("An Adaptive Algorithm for Spatial Greyscale", 1976).
 */
import type { Raster } from "./raster.ts";

const MOST_COLORS = 256;

/** Levels of each of red, green and blue in the cube. */
const CUBE = 6;

/** Pixels as places in a palette; -1 can be seen through. */
interface Indexed {
  readonly palette: readonly number[];
  readonly places: Int16Array;
}

/** The control sequence that draws a picture at the cursor. What can be seen through isn't drawn. */
export function encodeSixel(raster: Raster): string {
  const { width, height } = raster;
  const { palette, places } = exact(raster) ?? dithered(raster);
  const colors = palette.map((color, i) => {
    const parts = [color >> 16, color >> 8 & 0xff, color & 0xff];
    return `#${i};2;${parts.map((p) => Math.round(p / 2.55)).join(";")}`;
  });
  const bands: string[] = [];
  for (let top = 0; top < height; top += 6) {
    const rows = Math.min(6, height - top);
    bands.push(band(places.subarray(top * width, (top + rows) * width), width));
  }
  // 1;1: square pixels. The 1 before q leaves what isn't drawn as it is.
  return `\x1bP0;1q"1;1;${width};${height}${colors.join("")}${
    bands.join("-")
  }\x1b\\`;
}

/** A band: for each of its colours a row of characters, laid over each other by `$`. */
function band(places: Int16Array, width: number): string {
  const rows = new Map<number, Uint8Array>();
  places.forEach((color, i) => {
    if (color < 0) return;
    let bits = rows.get(color);
    if (!bits) rows.set(color, bits = new Uint8Array(width));
    bits[i % width] |= 1 << Math.floor(i / width);
  });
  return Array.from(rows, ([color, bits]) => `#${color}${runs(bits)}`)
    .join("$");
}

/** Characters from `?`, with `!n` before one that comes n times. Blank ones at the end are left out. */
function runs(bits: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bits.length;) {
    let end = at + 1;
    while (end < bits.length && bits[end] === bits[at]) end++;
    if (end === bits.length && bits[at] === 0) break;
    const character = String.fromCharCode(63 + bits[at]);
    const count = end - at;
    text += count > 3 ? `!${count}${character}` : character.repeat(count);
    at = end;
  }
  return text;
}

/** The picture with its own colours, unless they are too many. */
function exact({ width, height, data }: Raster): Indexed | undefined {
  const found = new Map<number, number>();
  const places = new Int16Array(width * height).fill(-1);
  for (let i = 0; i < places.length; i++) {
    if (data[4 * i + 3] === 0) continue;
    const color = data[4 * i] << 16 | data[4 * i + 1] << 8 | data[4 * i + 2];
    let place = found.get(color);
    if (place === undefined) {
      if (found.size === MOST_COLORS) return undefined;
      found.set(color, place = found.size);
    }
    places[i] = place;
  }
  return { palette: [...found.keys()], places };
}

/** The picture in the cube's colours, each pixel's error shared out among those to the right and beneath. */
function dithered({ width, height, data }: Raster): Indexed {
  const step = 255 / (CUBE - 1);
  const errors = new Float32Array(width * height * 3);
  const places = new Int16Array(width * height).fill(-1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (data[4 * i + 3] === 0) continue;
      let place = 0;
      for (let c = 0; c < 3; c++) {
        const wanted = data[4 * i + c] + errors[3 * i + c];
        const level = Math.round(Math.min(255, Math.max(0, wanted)) / step);
        place = place * CUBE + level;
        const error = (wanted - level * step) / 16;
        if (x + 1 < width) errors[3 * (i + 1) + c] += 7 * error;
        if (y + 1 === height) continue;
        if (x > 0) errors[3 * (i + width - 1) + c] += 3 * error;
        errors[3 * (i + width) + c] += 5 * error;
        if (x + 1 < width) errors[3 * (i + width + 1) + c] += error;
      }
      places[i] = place;
    }
  }
  const palette = Array.from({ length: CUBE ** 3 }, (_, i) => {
    const parts = [Math.floor(i / CUBE ** 2), Math.floor(i / CUBE) % CUBE];
    const [r, g, b] = [...parts, i % CUBE].map((p) => Math.round(p * step));
    return r << 16 | g << 8 | b;
  });
  return { palette, places };
}
