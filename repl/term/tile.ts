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

/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The picture between its black and its white, made as small as `size` where it is larger. One that has heat is covered by it, as far as it's hot; where
 * there are no colours (`plain`), the heat stands alone.
 */
export function tileOf(
  picture: Picture,
  [black, white]: Range,
  plain: boolean,
  size: Size = picture,
): Tile {
  const { channels = 1, heat, map = "grey" } = picture;
  const width = Math.min(picture.width, size.width);
  const height = Math.min(picture.height, size.height);
  const small = (values: ArrayLike<number>, depth: 1 | 3) =>
    resample(values, depth, picture, { width, height });
  const levels = between(small(picture.pixels, channels), black, white);
  const tile = { width, height, channels, levels, map };
  if (!heat) return tile;
  // Heat starts at 0: the hottest place is 1.
  const hot = between(small(heat, 1), 0, spanOf([heat])[1]);
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

/** Where values lie between two, from 0 to 1. What is of one value is black. */
function between(
  values: ArrayLike<number>,
  black: number,
  white: number,
): Float64Array {
  const scale = white > black ? 1 / (white - black) : 0;
  const levels = new Float64Array(values.length);
  for (let i = 0; i < levels.length; i++) {
    const value = values[i];
    levels[i] = Number.isNaN(value)
      ? NaN
      : scale === 0
      ? 0
      : Math.min(1, Math.max(0, (value - black) * scale));
  }
  return levels;
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
  const [r, g, b] = [levels[3 * i], levels[3 * i + 1], levels[3 * i + 2]];
  if (Number.isNaN(r + g + b)) return colorOf(NaN, map);
  return [Math.round(r * 255), Math.round(g * 255), Math.round(b * 255)];
}

/** A pixel's level as a grey. Of a signed map that is what the number was, not how bright its colour is. */
export function greyAt({ levels, channels }: Tile, i: number): number {
  if (channels === 1) return levels[i];
  return brightness(levels[3 * i], levels[3 * i + 1], levels[3 * i + 2]);
}

/** The tile at another size. */
export function resize(tile: Tile, width: number, height: number): Tile {
  const { channels, levels } = tile;
  const made = resample(levels, channels, tile, { width, height });
  return { ...tile, width, height, levels: Float64Array.from(made) };
}

/** Pixels at another size, row by row. A smaller picture has the means of the pixels that each of its own covers, a larger one repeats them. */
function resample(
  values: ArrayLike<number>,
  channels: number,
  from: Size,
  to: Size,
): ArrayLike<number> {
  if (from.width === to.width && from.height === to.height) return values;
  const across = shares(from.width, to.width);
  const down = shares(from.height, to.height);
  const stride = from.width * channels;
  const made = new Float64Array(to.width * to.height * channels);
  const row = new Float64Array(to.width * channels);
  for (let y = 0; y < to.height; y++) {
    for (let k = down.start[y]; k < down.start[y + 1]; k++) {
      const base = down.index[k] * stride;
      row.fill(0);
      for (let x = 0; x < to.width; x++) {
        for (let j = across.start[x]; j < across.start[x + 1]; j++) {
          const at = base + across.index[j] * channels;
          for (let c = 0; c < channels; c++) {
            row[x * channels + c] += values[at + c] * across.share[j];
          }
        }
      }
      const offset = y * row.length;
      for (let i = 0; i < row.length; i++) {
        made[offset + i] += row[i] * down.share[k];
      }
    }
  }
  return made;
}

/** What each part of an axis covers: entries `start[i]` to `start[i + 1]` have its pixels and their shares. */
interface Shares {
  readonly start: readonly number[];
  readonly index: readonly number[];
  readonly share: readonly number[];
}

/** For each of `to` equal parts of an axis of `from` pixels. A part that is smaller than a pixel is the one around its middle. */
function shares(from: number, to: number): Shares {
  const size = from / to;
  const [start, index, share]: number[][] = [[], [], []];
  for (let i = 0; i < to; i++) {
    start.push(index.length);
    if (size < 1) {
      index.push(Math.floor((i + 0.5) * size));
      share.push(1);
      continue;
    }
    const begin = i * size;
    const end = Math.min(from, begin + size);
    for (let k = Math.floor(begin); k < end - 1e-9; k++) {
      index.push(k);
      share.push((Math.min(end, k + 1) - Math.max(begin, k)) / size);
    }
  }
  start.push(index.length);
  return { start, index, share };
}
