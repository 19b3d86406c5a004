/** Pictures as PNG files. */
import { writeWhole } from "../../core/formats/source.ts";
import { Tensor } from "../../core/tensor.ts";
import { Drawing } from "../../nn/term/drawing.ts";
import { readFloats } from "./numbers.ts";
import { Gallery, type Picture } from "./picture.ts";
import { encodePng, type Pixels } from "./png.ts";
import type { Raster } from "./raster.ts";
import type { ColorMap } from "./color_map.ts";
import { interleave, picturesOf, type Showable } from "./shown.ts";
import { type Range, spanOf } from "./tile.ts";

/** Options of {@linkcode saveImage}. */
export interface SaveImageOptions {
  /** Size of a picture in pixels, for plain arrays. */
  readonly width?: number;
  readonly height?: number;
  /**
   * The values that are black and white; `"each"`: the smallest and the largest of each picture; `"all"`: of all of them.
   *
   * @default 0 and 1 for values that lie between, 0 and 255 for whole numbers that do, else "each"
   */
  readonly range?: Range | "each" | "all";
  /** How the numbers of one channel become colours. @default "grey" */
  readonly map?: ColorMap;
  /** Saves every channel by itself, also where there are one or three. */
  readonly maps?: boolean;
  /** Pictures in a row. @default as many as make the whole about square */
  readonly columns?: number;
  /** Pixels of the file to a pixel. @default 1; small pictures among several become larger */
  readonly scale?: number;
}

/**
 * Saves as PNG whatever `show` draws: a tensor `[H, W]`, or `[C, H, W]` with one channel (grey), three (colours) or four (colours and opacity); a grid of
 * several pictures or maps; a drawing of pictures.
 *
 * @throws {TypeError} For a drawing that is text, and a name that doesn't end in .png.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 * import { saveImage } from "./save.ts";
 *
 * await init();
 * const path = await Deno.makeTempFile({ suffix: ".png" });
 * await saveImage(tensor([[0, 1]]), path);
 * const { data } = await nn.decodeImage(path);
 * assertEquals([...data], [0, 0, 0, 255, 255, 255]);
 * await Deno.remove(path);
 * ```
 */
export async function saveImage(
  x: Showable | Drawing,
  path: string | URL,
  options: SaveImageOptions = {},
): Promise<void> {
  if (!/\.png$/i.test(String(path))) {
    throw new TypeError(
      `Cannot save a picture as ${path}: expected a name that ends in .png`,
    );
  }
  await writeWhole(path, encodePng(await pixelsOf(x, options)));
}

async function pixelsOf(
  x: Showable | Drawing,
  options: SaveImageOptions,
): Promise<Pixels> {
  if (x instanceof Gallery) return packed(x.raster(options.scale));
  if (x instanceof Drawing) {
    throw new TypeError(
      "Cannot save a drawing of characters as a picture: expected one that show() made, or what it was made of",
    );
  }
  const [channels, height, width] = x instanceof Tensor && x.rank === 3
    ? x.shape
    : [];
  if (channels === 4 && !options.maps) {
    const pixels = interleave(await readFloats(x as Tensor), 4);
    const [low, high] = rangeOf(pixels, options.range);
    const scale = high > low ? 255 / (high - low) : 0;
    // The conversion clamps and rounds.
    const bytes = Uint8ClampedArray.from(pixels, (v) => (v - low) * scale);
    return { width, height, channels, data: new Uint8Array(bytes.buffer) };
  }
  const most = Infinity;
  const { pictures, perExample } = await picturesOf(x, { ...options, most });
  const { map, range, columns, scale } = options;
  const list = pictures.map((picture): Picture => ({
    ...picture,
    ...(map ? { map } : {}),
    range: range ? undefined : picture.range ?? rangeOf(picture.pixels),
  }));
  const perRow = columns ?? perExample ?? Math.ceil(Math.sqrt(list.length));
  return packed(new Gallery([], list, perRow, range).raster(scale));
}

/** The values that are black and white where nobody says so. */
function rangeOf(
  pixels: ArrayLike<number>,
  range?: Range | "each" | "all",
): Range {
  if (typeof range === "object") return range;
  const [low, high] = spanOf([pixels]);
  if (range !== undefined || low < 0 || high > 255) return [low, high];
  if (high <= 1) return [0, 1];
  for (let i = 0; i < pixels.length; i++) {
    if (!Number.isInteger(pixels[i])) return [low, high];
  }
  return [0, 255];
}

/** The pixels in as few channels as they need. */
function packed({ width, height, data }: Raster): Pixels {
  let [grey, opaque] = [true, true];
  for (let i = 0; i < data.length; i += 4) {
    grey &&= data[i] === data[i + 1] && data[i] === data[i + 2];
    opaque &&= data[i + 3] === 255;
  }
  if (!opaque) return { width, height, channels: 4, data };
  const channels = grey ? 1 : 3;
  const size = width * height;
  const fewer = new Uint8Array(size * channels);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < channels; c++) {
      fewer[i * channels + c] = data[4 * i + c];
    }
  }
  return { width, height, channels, data: fewer };
}

/** A gallery's picture as a PNG file. */
export function pngOf(raster: Raster): Uint8Array<ArrayBuffer> {
  return encodePng(packed(raster));
}
