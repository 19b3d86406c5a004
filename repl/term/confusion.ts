/** Which classes a network takes for which: the picture of a confusion matrix. */
import { ShapeError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { Drawing } from "../../nn/term/drawing.ts";
import {
  type Colors,
  type Screen,
  standardOutput,
} from "../../nn/term/screen.ts";
import { padEnd, padStart, widthOf } from "../../nn/term/style.ts";
import { formatShape } from "../../wgsl/shape.ts";
import { colorCode } from "./blocks.ts";
import { brightness, type Rgb } from "./color_map.ts";
import type { ImageProtocol } from "./images.ts";
import { flatNumbers } from "./numbers.ts";
import { Gallery, pictures } from "./picture.ts";

/** Options of {@linkcode confusion}. */
export interface ConfusionPictureOptions {
  readonly screen?: Pick<Screen, "colors" | "columns">;
  readonly images?: ImageProtocol;
}

/** The ground of a cell that has all of its row's examples, on the diagonal and beside it; none of them is black. */
const RIGHT: Rgb = [0, 150, 60];
const WRONG: Rgb = [220, 40, 30];

/**
 * Draws a confusion matrix, as `nn.confusionMatrix` counts it: a row for each class with the number of its examples that were taken for each class, and the
 * part that was right. With colours, the ground tells which part of its row a cell has, green where it's right and red where it isn't. A matrix
 * that is too wide for the screen is a picture of those parts.
 *
 * @throws {ShapeError} For a matrix that isn't square.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { confusion } from "./confusion.ts";
 *
 * const screen = { colors: "none", columns: 80 } as const;
 * const drawing = await confusion([[8, 2], [0, 10]], ["cat", "dog"], { screen });
 * assertEquals(drawing.rows, [
 *   "        0   1  right",
 *   "0 cat   8   2    80%",
 *   "1 dog   ·  10   100%",
 *   "18 of 20 right: 90.0%",
 * ]);
 * ```
 */
export async function confusion(
  matrix: Tensor | readonly (readonly number[])[],
  classes: readonly string[] = [],
  options: ConfusionPictureOptions = {},
): Promise<Drawing> {
  const { screen = standardOutput() } = options;
  const shape = matrix instanceof Tensor
    ? matrix.shape
    : [matrix.length, ...new Set(matrix.map(({ length }) => length))];
  const [n] = shape;
  if (shape.length !== 2 || shape[1] !== n || n === 0) {
    throw new ShapeError(
      `Cannot draw a confusion matrix of shape ${
        formatShape(shape)
      }: expected a square one`,
      [shape],
    );
  }
  const counts = await flatNumbers(matrix, "draw the confusion matrix of");
  const rows = Array.from(
    { length: n },
    (_, i) =>
      Array.prototype.slice.call(counts, i * n, (i + 1) * n) as number[],
  );
  const totals = rows.map((row) => row.reduce((sum, k) => sum + k, 0));
  const right = rows.reduce((sum, row, i) => sum + row[i], 0);
  const all = totals.reduce((sum, k) => sum + k, 0);
  const end = `${right} of ${all} right${
    all > 0 ? `: ${(100 * right / all).toFixed(1)}%` : ""
  }`;

  const names = rows.map((_, i) => `${i} ${classes[i] ?? ""}`.trimEnd());
  const margin = Math.max(...names.map(widthOf));
  const width = Math.max(String(n - 1).length, ...rows.flat().map(digits)) + 2;
  if (margin + n * width + RECALL > screen.columns) {
    const shares = rows.flatMap((row, i) =>
      row.map((k) => k / Math.max(1, totals[i]))
    );
    const picture = {
      pixels: shares,
      width: n,
      height: n,
      map: "heat",
    } as const;
    const scale = Math.max(1, Math.floor(screen.columns / 2 / n));
    const drawn = pictures([picture], {
      screen: options.screen,
      images: options.images,
      scale,
      range: [0, 1],
    });
    return new Gallery([...drawn.rows, end], drawn.pictures, 1, drawn.range);
  }
  const head = rows.map((_, i) => padStart(String(i), width)).join("");
  return new Drawing([
    `${padEnd("", margin)}${head}${padStart("right", RECALL)}`,
    ...rows.map((row, i) => {
      const cells = row.map((k, j) => {
        const text = padStart(k === 0 ? "·" : String(k), width);
        return onGround(text, k / totals[i], i === j, screen.colors);
      });
      const part = totals[i] > 0 ? Math.round(100 * row[i] / totals[i]) : NaN;
      const recall = Number.isNaN(part) ? "–" : `${part}%`;
      return `${padEnd(names[i], margin)}${cells.join("")}${
        padStart(recall, RECALL)
      }`;
    }),
    end,
  ]);
}

/** Columns of the part that was right. */
const RECALL = 7;

function digits(k: number): number {
  return String(k).length;
}

/** A cell's text on the colour of its share. */
function onGround(
  text: string,
  share: number,
  right: boolean,
  colors: Colors,
): string {
  if (colors === "none" || !(share > 0)) return text;
  // Few mistakes matter too: the root lifts small shares.
  const strength = Math.sqrt(share);
  const [r, g, b] = (right ? RIGHT : WRONG).map((c) =>
    Math.round(c * strength)
  );
  const ink: Rgb = brightness(r, g, b) > 140 ? [0, 0, 0] : [255, 255, 255];
  const codes = [colorCode(38, ink, colors), colorCode(48, [r, g, b], colors)];
  // The blank before the number parts it from its neighbour.
  return ` \x1b[${codes.join(";")}m${text.slice(1)}\x1b[0m`;
}
