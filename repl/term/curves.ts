/** `plot`: lines of whatever holds numbers. */
import { ShapeError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { History } from "../../nn/fit_history.ts";
import type { Drawing } from "../../nn/term/drawing.ts";
import { plot as plotLines, type PlotOptions } from "../../nn/term/plot.ts";
import { formatShape } from "../../wgsl/shape.ts";
import { isNumbers, notNumbers, readFloats } from "./numbers.ts";

/** One line: numbers, or a tensor of one axis. */
export type Line = ArrayLike<number> | Tensor;

/** What {@linkcode plot} takes: a training's history, a line, several, or several by name. A tensor of two axes has a line in each row. */
export type Plottable =
  | History
  | Line
  | readonly Line[]
  | Readonly<Record<string, Line>>;

/** Options of {@linkcode plot}. */
export interface CurveOptions extends PlotOptions {
  /** What of a history is drawn: `"loss"`, `"lr"`, or the name of a metric. @default "loss" */
  readonly metric?: string;
}

/** Lines that are drawn of a tensor: more can't be told from each other. */
const MOST_LINES = 8;

/**
 * Draws lines in braille between labelled axes: how training went, the values of a list, of a tensor `[n]`, of the rows of a tensor `[lines, n]`, or several
 * by name. With tensors among them it is a promise, because they have to be read.
 *
 * @throws {ShapeError} For tensors of another shape.
 * @throws {RangeError} For a metric that the history hasn't.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { arange, init } from "@tessera/tessera";
 * import { plot } from "./curves.ts";
 *
 * await init();
 * const screen = { colors: "none", columns: 80 } as const;
 * const drawing = await plot(arange(3), { width: 10, height: 2, screen });
 * assertEquals(drawing.rows, ["2 ┤      ⣀⠤⠒⠉", "0 ┤⣀⠤⠤⠒⠊⠉", "  └┬────┬───┬", "   1    2   3"]);
 * ```
 */
export function plot(
  x: Plottable,
  options: CurveOptions = {},
): Drawing | Promise<Drawing> {
  const { metric, ...rest } = options;
  if (x instanceof History) {
    return x.plot({ ...rest, ...(metric === undefined ? {} : { metric }) });
  }
  if (x instanceof Tensor) return plotTensor(x, rest);
  if (isNumbers(x)) return plotLines(x, rest);
  if (typeof x !== "object" || x === null || x instanceof Promise) {
    throw notNumbers(x, "plot");
  }
  const lines: [string, Line][] = Object.entries(x);
  const read = lines.map(([name, line]) => [name, valuesOf(line)] as const);
  const later = read.some(([, values]) => values instanceof Promise);
  if (!later) return plotLines(Object.fromEntries(read) as Lines, rest);
  return (async () => {
    const values = await Promise.all(read.map(([, line]) => line));
    const named = read.map(([name], i) => [name, values[i]]);
    return plotLines(Object.fromEntries(named), rest);
  })();
}

type Lines = Readonly<Record<string, ArrayLike<number>>>;

function valuesOf(line: Line): ArrayLike<number> | Promise<Float32Array> {
  if (line instanceof Tensor) {
    if (line.rank === 1) return readFloats(line);
    throw new ShapeError(
      `Cannot plot a tensor of shape ${
        formatShape(line.shape)
      } as one line: expected [n]`,
      [line.shape],
    );
  }
  if (isNumbers(line)) return line;
  throw notNumbers(line, "plot");
}

async function plotTensor(x: Tensor, options: PlotOptions): Promise<Drawing> {
  if (x.rank === 1) return plotLines(await readFloats(x), options);
  if (x.rank !== 2 || x.shape[0] > MOST_LINES) {
    throw new ShapeError(
      `Cannot plot a tensor of shape ${
        formatShape(x.shape)
      }: expected [n], or [lines, n] with up to ${MOST_LINES} lines`,
      [x.shape],
    );
  }
  const [lines, n] = x.shape;
  const values = await readFloats(x);
  const rows = Array.from({ length: lines }, (_, i) => [
    String(i),
    values.subarray(i * n, (i + 1) * n),
  ]);
  return plotLines(Object.fromEntries(rows), options);
}
