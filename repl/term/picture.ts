/**
 * Pictures in a terminal, side by side with their labels: as characters, or as pixels where the terminal takes them.
 */
import { Drawing } from "../../nn/term/drawing.ts";
import {
  type Colors,
  type Screen,
  standardOutput,
} from "../../nn/term/screen.ts";
import { padEnd, paint, widthOf } from "../../nn/term/style.ts";
import { blocks } from "./blocks.ts";
import type { ColorMap } from "./color_map.ts";
import { type ImageProtocol, imageProtocol } from "./images.ts";
import { inlineImage, type PixelProtocol } from "./inline.ts";
import { compose, type Placed, type Raster } from "./raster.ts";
import {
  type Range,
  resize,
  type Size,
  spanOf,
  type Tile,
  tileOf,
} from "./tile.ts";

/** A picture. Its pixels run row by row. */
export interface Picture {
  /** `[height, width]`, dark to bright, or `[height, width, 3]`: red, green and blue of each pixel. */
  readonly pixels: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  /** @default 1 */
  readonly channels?: 1 | 3;
  /** How numbers become colours, where there is one a pixel. @default "grey" */
  readonly map?: ColorMap;
  /** The values that are black and white. @default those of the options */
  readonly range?: Range;
  /** `[height, width]`: laid over the picture where it is above 0; without colours it stands alone. */
  readonly heat?: ArrayLike<number>;
  /** Stands beneath it, wrapped to its width. */
  readonly label?: string;
  /** Green or red for the label. */
  readonly tone?: "good" | "bad";
}

/** Options of {@linkcode pictures}. */
export interface PictureOptions {
  /**
   * The pixel values that are black and white; `"each"`: the smallest and the largest of each picture; `"all"`: of all of them. Those of a signed
   * map are as far below zero as above.
   *
   * @default "each"
   */
  readonly range?: Range | "each" | "all";
  /** Columns of one picture, at most. @default its own width, less where a row of them needs it */
  readonly width?: number;
  /** Pictures in a row. @default as many as the screen has room for */
  readonly columns?: number;
  /** Columns that a pixel takes, where there is room. @default 1 */
  readonly scale?: number;
  readonly screen?: Pick<Screen, "colors" | "columns">;
  /** @default what the terminal is able to show; half blocks where a screen is given */
  readonly images?: ImageProtocol;
}

/** Below this many columns a picture isn't made smaller for the sake of the others; the row is broken instead. */
const LEAST_WIDTH = 14;

/** Blank columns between two pictures. */
const GAP = 2;

/** Pixels of a column where pixels are sent: the terminal fits the picture into its columns, but for sixel. */
const COLUMN_PIXELS: Readonly<Record<PixelProtocol, number>> = {
  kitty: 10,
  iterm: 10,
  sixel: 8,
};

/** Pixels between two pictures of a raster. */
const RASTER_GAP = 2;

/** Pixels that the larger side of each of several pictures has in a raster, at least. */
const RASTER_SIZE = 32;

/** A drawing that was made of pictures, which can be saved and shown elsewhere. */
export class Gallery extends Drawing {
  constructor(
    rows: readonly string[],
    readonly pictures: readonly Picture[],
    /** How many of them stand in a row. */
    readonly perRow: number,
    readonly range: Range | "each" | "all" = "each",
  ) {
    super(rows);
  }

  /** All pictures in one, without labels, `scale` pixels to a pixel. @default 1 for one picture; small ones among several become larger */
  raster(scale?: number): Raster {
    return rasterOf(tilesOf(this.pictures, this.range, false), {
      perRow: this.perRow,
      scale,
    });
  }

  /** One of the pictures, `scale` pixels to a pixel. */
  rasterAt(index: number, scale = 1): Raster {
    const tile = tilesOf(this.pictures, this.range, false)[index];
    return rasterOf([tile], { perRow: 1, scale });
  }
}

function rasterOf(
  tiles: readonly Tile[],
  { perRow, scale }: { perRow: number; scale?: number | undefined },
): Raster {
  const width = Math.max(1, ...tiles.map((tile) => tile.width));
  const height = Math.max(1, ...tiles.map((tile) => tile.height));
  const least = tiles.length > 1 ? RASTER_SIZE : 1;
  const times = scale ?? Math.ceil(least / Math.max(width, height));
  const [stepX, stepY] = [width, height].map((n) => n * times + RASTER_GAP);
  const placed = tiles.map((tile, i): Placed => ({
    tile,
    x: (i % perRow) * stepX,
    y: Math.floor(i / perRow) * stepY,
    width: Math.max(1, Math.round(tile.width * times)),
    height: Math.max(1, Math.round(tile.height * times)),
  }));
  const right = Math.max(1, ...placed.map(({ x, width }) => x + width));
  const bottom = Math.max(1, ...placed.map(({ y, height }) => y + height));
  return compose(right, bottom, placed);
}

/**
 * Draws pictures side by side, in as many rows as the screen needs, each with its label beneath.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pictures } from "./picture.ts";
 *
 * const screen = { colors: "none", columns: 80 } as const;
 * const slope = { pixels: [0, 3, 6, 9, 0, 3, 6, 9], width: 4, height: 2, label: "slope" };
 * assertEquals(String(pictures([slope, slope], { screen })), " -*@   -*@\nslop  slop\ne     e");
 * ```
 */
export function pictures(
  list: readonly Picture[],
  options: PictureOptions = {},
): Gallery {
  const { screen = standardOutput(), range = "each" } = options;
  const images = options.images ?? (options.screen ? "half" : imageProtocol());
  if (list.length === 0) return new Gallery([], [], 1);
  const { width, perRow } = layOut(list, options, screen.columns);
  const gallery = (rows: readonly string[]) =>
    new Gallery(rows, list, perRow, range);
  if (images === "off") return gallery([placeholder(list)]);

  // A screen without colours takes no control codes either.
  const plain = screen.colors === "none";
  // Pixels that the screen has no room for are put together first: then the rest costs little.
  const pixels = plain || images === "half" ? 1 : COLUMN_PIXELS[images];
  const sizes = list.map((picture) => sizeOf(picture, width, options.scale));
  const tiles = tilesOf(
    list,
    range,
    plain,
    sizes.map(({ columns, half }) => ({
      width: columns * pixels,
      height: half * pixels,
    })),
  );
  const rows: string[] = [];
  for (let i = 0; i < list.length; i += perRow) {
    if (i > 0) rows.push("");
    const row = tiles.slice(i, i + perRow).map((tile, k): Cell => {
      const { label } = list[i + k];
      const text = caption(list[i + k], width, screen.colors);
      return { tile, ...sizes[i + k], caption: text, label };
    });
    rows.push(
      ...(plain || images === "half"
        ? characterRow(row, width, screen.colors)
        : pixelRow(row, width, images)),
    );
  }
  return gallery(rows);
}

/** A picture of a row, and what it takes. */
interface Cell {
  readonly tile: Tile;
  readonly columns: number;
  readonly half: number;
  readonly caption: readonly string[];
  readonly label: string | undefined;
}

/** How many columns a picture gets, and how many pictures a row. */
function layOut(
  list: readonly Picture[],
  options: PictureOptions,
  available: number,
): { width: number; perRow: number } {
  const { columns, scale } = options;
  const count = columns ?? list.length;
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(
      `Cannot put ${count} pictures in a row: expected a whole number from 1`,
    );
  }
  const widest = options.width ??
    Math.max(...list.map((picture) => columnsOf(picture, scale)));
  const share = Math.floor((available + GAP) / count) - GAP;
  // Whoever asks for so many in a row takes them small.
  const least = columns === undefined ? LEAST_WIDTH : 1;
  const width = Math.max(1, Math.min(widest, Math.max(share, least)));
  const fitting = Math.floor((available + GAP) / (width + GAP));
  const perRow = columns ?? Math.max(1, Math.min(list.length, fitting));
  return { width, perRow };
}

/** Columns of a picture, and its height in half rows: a half row is as high as a column is wide. */
function sizeOf(
  picture: Picture,
  most: number,
  scale?: number,
): { columns: number; half: number } {
  const columns = Math.min(most, columnsOf(picture, scale));
  const half = Math.round(picture.height * columns / picture.width);
  return { columns, half: Math.max(1, half) };
}

function columnsOf({ width }: Picture, scale = 1): number {
  return Math.max(1, Math.round(width * scale));
}

/** The pictures between their blacks and whites. */
function tilesOf(
  list: readonly Picture[],
  range: Range | "each" | "all",
  plain: boolean,
  sizes: readonly Size[] = list,
): Tile[] {
  const shared = range === "all"
    ? spanOf(list.map(({ pixels }) => pixels))
    : range;
  return list.map((picture, i) => {
    const [low, high] = picture.range ??
      (shared === "each" ? spanOf([picture.pixels]) : shared);
    const most = Math.max(Math.abs(low), Math.abs(high));
    const signed = picture.map === "signed";
    const between: Range = signed ? [-most, most] : [low, high];
    return tileOf(picture, between, plain, sizes[i]);
  });
}

/** A row of pictures as characters, with the labels beneath the highest. */
function characterRow(
  row: readonly Cell[],
  width: number,
  colors: Colors,
): string[] {
  const drawn = row.map(({ tile, columns, half }) =>
    blocks(resize(tile, columns, half), colors)
  );
  return [
    ...sideBySide(drawn, width),
    ...sideBySide(row.map(({ caption }) => caption), width),
  ];
}

/** A row of pictures as one that the terminal draws, with the labels beneath. */
function pixelRow(
  row: readonly Cell[],
  width: number,
  protocol: PixelProtocol,
): string[] {
  const pixels = COLUMN_PIXELS[protocol];
  const rows = Math.max(...row.map(({ half }) => Math.ceil(half / 2)));
  const columns = row.length * (width + GAP) - GAP;
  const placed = row.map(({ tile, columns, half }, k): Placed => ({
    tile,
    x: k * (width + GAP) * pixels,
    y: 0,
    width: columns * pixels,
    height: half * pixels,
  }));
  const raster = compose(columns * pixels, rows * 2 * pixels, placed);
  const drawn = inlineImage(raster, columns, rows, protocol);
  const labels = row.flatMap(({ label }) => label ?? []);
  // How many columns a sixel picture takes is the terminal's affair, so its labels can't stand beneath it.
  const captions = protocol === "sixel"
    ? labels.length > 0 ? [labels.join(" · ")] : []
    : sideBySide(row.map(({ caption }) => caption), width);
  return [drawn, ...captions];
}

/** What stands in the pictures' place where they are off. */
function placeholder(list: readonly Picture[]): string {
  const [{ width, height }] = list;
  const same = list.every((p) => p.width === width && p.height === height);
  const size = same ? ` of ${height}×${width}` : "";
  return list.length === 1
    ? `[a picture${size}]`
    : `[${list.length} pictures${size}]`;
}

function caption(
  { label, tone }: Picture,
  width: number,
  colors: Colors,
): string[] {
  const rows = wrap(label ?? "", width);
  if (tone === undefined) return rows;
  const style = tone === "good" ? "green" : "red";
  return rows.map((row) => paint(row, style, colors));
}

/** Breaks a text between words, and within those that are too long. */
function wrap(text: string, width: number): string[] {
  const rows: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${rows.at(-1)} ${word}`;
    if (rows.length > 0 && widthOf(longer) <= width) {
      rows[rows.length - 1] = longer;
      continue;
    }
    const letters = [...word];
    for (let i = 0; i < letters.length; i += width) {
      rows.push(letters.slice(i, i + width).join(""));
    }
  }
  return rows;
}

function sideBySide(
  blocks: readonly (readonly string[])[],
  width: number,
): string[] {
  const height = Math.max(...blocks.map((block) => block.length));
  return Array.from(
    { length: height },
    (_, row) =>
      blocks.map((block) => padEnd(block[row] ?? "", width))
        .join(" ".repeat(GAP)).trimEnd(),
  );
}
