/** A picture's numbers made ready to be drawn: as levels from black to white, at the size that they will have. */
import { brightness, type ColorMap, colorOf, type Rgb } from "./color_map.ts";
import type { Picture } from "./picture.ts";

/** The values that are black and white. */
export type Range = readonly [number, number];

/** Levels from 0 to 1, or NaN: one for each pixel, or three where they are red, green and blue. */
export interface Tile {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly levels: Float64Array;
  readonly map: ColorMap;
}

/** How much of a pixel the hottest colour covers. */
const HEAT_SHARE = 0.75;

/**
 * The picture between its black and its white. One that has heat is covered by it, as far as it's hot; where there are no colours (`plain`), the heat
 * stands alone.
 */
export function tileOf(picture: Picture, range: Range, plain: boolean): Tile {
  const { pixels, width, height, channels = 1, heat } = picture;
  const [black, white] = range;
  const scale = white > black ? 1 / (white - black) : 0;
  const levels = Float64Array.from(
    pixels,
    (value) => level(value, black, scale),
  );
  const tile = { width, height, channels, levels, map: picture.map ?? "grey" };
  if (!heat) return tile;
  const hot = heatLevels(heat);
  if (plain) return { ...tile, channels: 1, levels: hot, map: "heat" };
  const covered = new Float64Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const under = rgbAt(tile, i);
    const over = colorOf(hot[i], "heat");
    const share = Number.isNaN(hot[i]) ? 1 : HEAT_SHARE * hot[i];
    for (let c = 0; c < 3; c++) {
      covered[3 * i + c] = (under[c] * (1 - share) + over[c] * share) / 255;
    }
  }
  return { width, height, channels: 3, levels: covered, map: "grey" };
}

/** Between 0 and 1, the ends included. A picture of one value is black. */
function level(value: number, black: number, scale: number): number {
  if (Number.isNaN(value)) return NaN;
  if (scale === 0) return 0;
  return Math.min(1, Math.max(0, (value - black) * scale));
}

/** Heat starts at 0: the hottest place is 1. */
function heatLevels(heat: ArrayLike<number>): Float64Array {
  const [, most] = spanOf([heat]);
  const scale = most > 0 ? 1 / most : 0;
  return Float64Array.from(heat, (value) => level(value, 0, scale));
}

/** The smallest and the largest of the finite values; 0 and 0 where there are none. */
export function spanOf(lists: readonly ArrayLike<number>[]): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      if (!Number.isFinite(list[i])) continue;
      if (list[i] < low) low = list[i];
      if (list[i] > high) high = list[i];
    }
  }
  return low > high ? [0, 0] : [low, high];
}

/** A pixel's colour. */
export function rgbAt({ levels, channels, map }: Tile, i: number): Rgb {
  if (channels === 1) return colorOf(levels[i], map);
  const [r, g, b] = levels.subarray(3 * i, 3 * i + 3);
  if (Number.isNaN(r + g + b)) return colorOf(NaN, map);
  return [Math.round(r * 255), Math.round(g * 255), Math.round(b * 255)];
}

/** A pixel's level as a grey. Of a signed map that is what the number was, not how bright its colour is. */
export function greyAt({ levels, channels }: Tile, i: number): number {
  if (channels === 1) return levels[i];
  return brightness(levels[3 * i], levels[3 * i + 1], levels[3 * i + 2]);
}

/** The tile at another size. A smaller one has the means of the pixels that each covers, a larger one repeats them. */
export function resize(tile: Tile, width: number, height: number): Tile {
  if (width === tile.width && height === tile.height) return tile;
  const { channels, levels } = tile;
  const across = coverage(tile.width, width);
  const down = coverage(tile.height, height);
  const made = new Float64Array(width * height * channels);
  let to = 0;
  for (const rows of down) {
    for (const columns of across) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [y, rowShare] of rows) {
          for (const [x, share] of columns) {
            sum += levels[(y * tile.width + x) * channels + c] * rowShare *
              share;
          }
        }
        made[to++] = sum;
      }
    }
  }
  return { ...tile, width, height, levels: made };
}

/** For each of `to` equal parts of an axis: the pixels that it covers, with their shares. A part within one pixel, or nearly, is that pixel. */
function coverage(from: number, to: number): [number, number][][] {
  const size = from / to;
  return Array.from({ length: to }, (_, i) => {
    if (size < 1) return [[Math.floor((i + 0.5) * size), 1]];
    const start = i * size;
    const end = Math.min(from, start + size);
    const covered: [number, number][] = [];
    for (let k = Math.floor(start); k < end - 1e-9; k++) {
      const part = Math.min(end, k + 1) - Math.max(start, k);
      covered.push([k, part / size]);
    }
    return covered;
  });
}
