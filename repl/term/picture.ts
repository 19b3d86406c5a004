/**
 * Grey pictures in a terminal. With colours a character is two pixels, one above the other (`▀` in one grey on another); without, it is one of
 * a few characters of growing density.
 */
import { Drawing } from "../../nn/term/drawing.ts";
import {
  type Colors,
  type Screen,
  standardOutput,
} from "../../nn/term/screen.ts";
import { padEnd, paint, widthOf } from "../../nn/term/style.ts";

/** A grey picture. Its pixels run row by row, dark to bright. */
export interface Picture {
  readonly pixels: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
  /** Stands beneath it, wrapped to its width. */
  readonly label?: string;
  /** Green or red for the label. */
  readonly tone?: "good" | "bad";
}

/** Options of {@linkcode pictures}. */
export interface PictureOptions {
  /** The pixel values that are black and white. @default the smallest and the largest of each picture */
  readonly range?: readonly [number, number];
  /** Columns of one picture, at most. @default its own width, less where a row of them needs it */
  readonly width?: number;
  readonly screen?: Pick<Screen, "colors" | "columns">;
}

/** Below this many columns a picture isn't made smaller for the sake of the others; the row is broken instead. */
const LEAST_WIDTH = 14;

/** Blank columns between two pictures. */
const GAP = 2;

/** Characters from black to white. */
const RAMP = " .:-=+*#%@";

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
): Drawing {
  const { screen = standardOutput() } = options;
  if (list.length === 0) return new Drawing([]);
  const widest = options.width ?? Math.max(...list.map(({ width }) => width));
  const share = Math.floor((screen.columns + GAP) / list.length) - GAP;
  const width = Math.max(1, Math.min(widest, Math.max(share, LEAST_WIDTH)));
  const perRow = Math.max(
    1,
    Math.floor((screen.columns + GAP) / (width + GAP)),
  );

  const rows: string[] = [];
  for (let i = 0; i < list.length; i += perRow) {
    if (i > 0) rows.push("");
    const blocks = list.slice(i, i + perRow).map((picture) => [
      ...draw(
        picture,
        Math.min(width, picture.width),
        options.range,
        screen.colors,
      ),
      ...caption(picture, width, screen.colors),
    ]);
    rows.push(...sideBySide(blocks, width));
  }
  return new Drawing(rows);
}

function draw(
  picture: Picture,
  width: number,
  range: readonly [number, number] | undefined,
  colors: Colors,
): string[] {
  const values = Array.from(picture.pixels);
  const [black, white] = range ?? [Math.min(...values), Math.max(...values)];
  const scale = white > black ? 1 / (white - black) : 0;
  const height = Math.max(
    1,
    Math.round(picture.height * width / picture.width),
  );
  const small = resize(picture, width, height).map((value) =>
    Math.min(1, Math.max(0, (value - black) * scale))
  );
  return Array.from({ length: Math.ceil(height / 2) }, (_, row) => {
    const cells = Array.from({ length: width }, (_, x): [number, number] => {
      const top = small[2 * row * width + x];
      return [top, small[(2 * row + 1) * width + x] ?? top];
    });
    return colors === "none"
      ? cells.map(([top, bottom]) => character((top + bottom) / 2)).join("")
      : greyRow(cells, colors);
  });
}

function character(grey: number): string {
  return RAMP[Math.min(RAMP.length - 1, Math.round(grey * (RAMP.length - 1)))];
}

/** Half blocks. A colour is only named where it changes. */
function greyRow(cells: readonly [number, number][], colors: Colors): string {
  let row = "";
  let before: [string, string] = ["", ""];
  for (const [top, bottom] of cells) {
    const next: [string, string] = [
      greyCode(38, top, colors),
      greyCode(48, bottom, colors),
    ];
    const codes = next.filter((code, i) => code !== before[i]);
    if (codes.length > 0) row += `\x1b[${codes.join(";")}m`;
    row += "▀";
    before = next;
  }
  return `${row}\x1b[0m`;
}

function greyCode(layer: 38 | 48, grey: number, colors: Colors): string {
  if (colors === "full") {
    const level = Math.round(grey * 255);
    return `${layer};2;${level};${level};${level}`;
  }
  // 16 is black, 232 to 255 are greys between, and 231 is white.
  const step = Math.round(grey * 25);
  return `${layer};5;${step === 0 ? 16 : step === 25 ? 231 : 231 + step}`;
}

/** Means over the pixels that a smaller picture's pixel covers. */
function resize(
  { pixels, width, height }: Picture,
  toWidth: number,
  toHeight: number,
): number[] {
  const across = coverage(width, toWidth);
  const down = coverage(height, toHeight);
  return down.flatMap((rows) =>
    across.map((columns) => {
      let sum = 0;
      for (const [y, rowShare] of rows) {
        for (const [x, share] of columns) {
          sum += pixels[y * width + x] * rowShare * share;
        }
      }
      return sum;
    })
  );
}

/** For each of `to` equal parts of an axis: the pixels that it covers, with their shares. */
function coverage(from: number, to: number): [number, number][][] {
  const size = from / to;
  return Array.from({ length: to }, (_, i) => {
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
