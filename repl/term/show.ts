/** `show`: whatever is a picture, or many. */
import { ShapeError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { Drawing } from "../../nn/term/drawing.ts";
import { type Screen, standardOutput } from "../../nn/term/screen.ts";
import { formatShape } from "../../wgsl/shape.ts";
import { pictureBehind } from "./cam.ts";
import type { ColorMap } from "./color_map.ts";
import type { ImageProtocol } from "./images.ts";
import { Gallery, type Picture, pictures } from "./picture.ts";
import { picturesOf, type Showable, type Shown } from "./shown.ts";
import type { Range } from "./tile.ts";

/** Options of {@linkcode show}. */
export interface ShowOptions {
  /** Pixels of a picture from left to right, for plain arrays. */
  readonly width?: number;
  /** Pixels of a picture from top to bottom, for plain arrays. */
  readonly height?: number;
  /** What stands beneath the pictures; false for nothing. @default their numbers, where there are several */
  readonly labels?: readonly string[] | false;
  /** The values that are black and white; `"each"`: the smallest and the largest of each picture; `"all"`: of all of them. @default 0 and 255 of bytes, 0 and 1 of colours that lie between, else "each" */
  readonly range?: Range | "each" | "all";
  /** How the numbers of one channel become colours. @default "grey" */
  readonly map?: ColorMap;
  /** Shows every channel by itself, also where there are one or three. */
  readonly maps?: boolean;
  /** Pictures in a row. @default as many as the screen has room for; for maps of several filters their number, where there is room */
  readonly columns?: number;
  /** Columns of the screen that a pixel takes, where there is room. @default 1, or more for small pictures */
  readonly scale?: number;
  /** How many pictures are drawn at most. @default 64 */
  readonly most?: number;
  /** Heat to lay over pictures of the same size, `[H, W]` or `[N, H, W]`: what `gradCam` gives. */
  readonly overlay?: Tensor;
  /** @default standard output */
  readonly screen?: Pick<Screen, "colors" | "columns">;
  /** How pictures reach the screen. @default what the terminal is able to show */
  readonly images?: ImageProtocol;
}

/** Pictures that are drawn at most. */
const MOST = 64;

/** Columns that small pictures are enlarged to: one alone, and each of several. */
const WIDTH_ALONE = 28;
const WIDTH_EACH = 14;

/** Blank columns between two pictures, as {@linkcode pictures} draws them. */
const GAP = 2;

/**
 * Draws pictures: a tensor `[H, W]`, `[C, H, W]` or `[N, C, H, W]`, where one channel is grey, three are colours, and others are a grid of maps; the
 * filters of a convolution, or of the first one of a network; the pixels of `{ width, height, data }`, or of an array with `{ width, height }`; a data
 * set; a PNG or JPEG file by its path, URL or bytes. What `gradCam` gave is shown over its picture.
 *
 * @throws {ShapeError} For tensors of another shape.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, tensor } from "@tessera/tessera";
 * import { show } from "./show.ts";
 *
 * await init();
 * const screen = { colors: "none", columns: 80 } as const;
 * const maps = tensor([[[0, 3], [0, 3]], [[2, 0], [2, 0]]]);
 * const drawing = await show(maps, { screen, scale: 2 });
 * assertEquals(drawing.rows, ["  @@  @@", "  @@  @@", "0     1"]);
 * ```
 */
export async function show(
  x: Showable | Drawing,
  options: ShowOptions = {},
): Promise<Drawing> {
  if (x instanceof Drawing) return x;
  const { overlay, most = MOST } = options;
  const under = x instanceof Tensor ? pictureBehind(x) : undefined;
  if (overlay) return await covered(x, overlay, options);
  if (under) return await covered(under, x as Tensor, options);
  const shown = await picturesOf(x, { ...options, most });
  return draw(labelled(shown.pictures, options), shown, options);
}

/** Draws pictures, and says how many were left out. */
function draw(
  list: readonly Picture[],
  { count, perExample }: Pick<Shown, "count" | "perExample">,
  options: ShowOptions,
): Gallery {
  const { range, screen = standardOutput(), map } = options;
  const widest = Math.max(...list.map(({ width }) => width));
  const target = list.length > 1 ? WIDTH_EACH : WIDTH_ALONE;
  const scale = options.scale ?? Math.max(1, Math.floor(target / widest));
  const row = (perExample ?? Infinity) * (widest * scale + GAP) - GAP;
  const columns = options.columns ??
    (row <= screen.columns ? perExample : undefined);
  const given = list.map((picture) => ({
    ...picture,
    ...(map ? { map } : {}),
    // What is asked for stands above what is usual for such pictures.
    ...(range ? { range: undefined } : {}),
  }));
  const drawn = pictures(given, {
    screen: options.screen,
    images: options.images,
    scale,
    range,
    columns,
  });
  const left = count - list.length;
  if (left <= 0) return drawn;
  const rows = [
    ...drawn.rows,
    `and ${left} more: { most: ${count} } shows all`,
  ];
  return new Gallery(rows, drawn.pictures, drawn.perRow, drawn.range);
}

function labelled(
  list: readonly Picture[],
  { labels }: ShowOptions,
): Picture[] {
  return list.map((picture, i) => {
    if (labels === undefined) return picture;
    const { label: _, ...rest } = picture;
    const label = labels === false ? undefined : labels[i];
    return label === undefined ? rest : { ...rest, label };
  });
}

/** Each picture, and beside it the same beneath its heat. */
async function covered(
  x: Showable,
  heat: Tensor,
  options: ShowOptions,
): Promise<Drawing> {
  const { most = MOST, columns, screen = standardOutput() } = options;
  const shown = await picturesOf(x, { ...options, most });
  const under = labelled(shown.pictures, options);
  const [{ width, height }] = under;
  const [n, h, w] = [1, ...heat.shape].slice(-3);
  if (n !== shown.count || h !== height || w !== width) {
    throw new ShapeError(
      `Cannot lay heat of shape ${
        formatShape(heat.shape)
      } over ${shown.count} pictures of ${height}×${width}: expected [${shown.count}, ${height}, ${width}]`,
      [heat.shape],
    );
  }
  const values = await heat.read();
  const size = height * width;
  const pairs = under.flatMap((picture, i): Picture[] => {
    const { label } = picture;
    const mine = values.subarray(i * size, (i + 1) * size);
    const name = label === undefined ? "heat" : `${label} heat`;
    return [picture, { ...picture, heat: mine, label: name }];
  });
  // A picture and its heat stay side by side.
  const fitting = Math.floor((screen.columns + GAP) / (2 * (width + GAP)));
  const perRow = Math.min(pairs.length, 2 * Math.max(1, fitting));
  return draw(pairs, { count: pairs.length }, {
    ...options,
    columns: columns ?? perRow,
  });
}
