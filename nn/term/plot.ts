/**
 * Line plots in braille: each character holds 2 × 4 dots, so a plot of 60 columns and 12 rows has 120 × 48 of them.
 */
import { Drawing } from "./drawing.ts";
import { type Screen, standardOutput } from "./screen.ts";
import { paint, type Style } from "./style.ts";

/** One line of a plot, or several by name. Values that aren't finite leave a gap. */
export type Series =
  | ArrayLike<number>
  | Readonly<
    Record<string, ArrayLike<number>>
  >;

/** Options of {@linkcode plot}. */
export interface PlotOptions {
  readonly title?: string;
  /** What the horizontal axis counts. */
  readonly xLabel?: string;
  /** Columns of the field between the axes. @default 60, or what the screen has */
  readonly width?: number;
  /** Rows of the field. @default 12 */
  readonly height?: number;
  /** The x of the first value and of the last. @default 1 and the number of values */
  readonly xRange?: readonly [number, number];
  readonly screen?: Pick<Screen, "colors" | "columns">;
}

/** The styles of the lines, in turn. Without colours, lines after the first are dotted, each more widely than the one before. */
const STYLES: readonly Style[] = ["cyan", "yellow", "magenta", "green"];

/** The bit of each dot in a character, by its row and column. */
const DOTS = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

interface Cell {
  dots: number;
  line: number;
}

/**
 * Draws lines with their axes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { plot } from "./plot.ts";
 *
 * const screen = { colors: "none", columns: 80 } as const;
 * const drawing = plot([0, 1, 2], { width: 10, height: 2, screen });
 * assertEquals(drawing.rows, ["2 ┤      ⣀⠤⠒⠉", "0 ┤⣀⠤⠤⠒⠊⠉", "  └┬────┬───┬", "   1    2   3"]);
 * ```
 */
export function plot(series: Series, options: PlotOptions = {}): Drawing {
  const { title, xLabel, height = 12, screen = standardOutput() } = options;
  const lines = linesOf(series);
  const values = lines.flatMap(([, line]) =>
    Array.from(line).filter(Number.isFinite)
  );
  if (values.length === 0) return new Drawing([title ?? "", "(no values)"]);
  const longest = Math.max(...lines.map(([, line]) => line.length));
  const xRange = options.xRange ?? [1, longest];
  const [low, high] = spread(Math.min(...values), Math.max(...values));

  const yLabels = yAxis(low, high, height);
  const margin = Math.max(...[...yLabels.values()].map((text) => text.length));
  const width = options.width ??
    Math.max(10, Math.min(60, screen.columns - margin - 4));

  const grid = Array.from(
    { length: height },
    () => Array.from({ length: width }, (): Cell => ({ dots: 0, line: 0 })),
  );
  for (const [index, [, line]] of lines.entries()) {
    trace(grid, line, longest, low, high, index);
  }

  const rows = grid.map((cells, row) => {
    const label = yLabels.get(row);
    const axis = label === undefined ? "│" : "┤";
    const field = cells.map(({ dots, line }) =>
      dots === 0 ? " " : paint(
        String.fromCodePoint(0x2800 + dots),
        STYLES[line % STYLES.length],
        screen.colors,
      )
    ).join("").trimEnd();
    return `${(label ?? "").padStart(margin)} ${axis}${field}`;
  });
  const [rule, numbers] = xAxis(xRange, width);
  const indent = " ".repeat(margin + 1);
  if (title !== undefined) rows.unshift(`${indent} ${title}`);
  rows.push(`${indent}└${rule}`, `${indent} ${numbers}`.trimEnd());
  const words = [
    ...(xLabel === undefined ? [] : [xLabel]),
    ...lines.length > 1 ? [legend(lines.map(([name]) => name), screen)] : [],
  ];
  if (words.length > 0) rows.push(`${indent} ${words.join("   ")}`);
  return new Drawing(rows);
}

function linesOf(series: Series): [string, ArrayLike<number>][] {
  const single = Array.isArray(series) || ArrayBuffer.isView(series);
  return single
    ? [["", series as ArrayLike<number>]]
    : Object.entries(series as Record<string, ArrayLike<number>>);
}

/** A flat line gets some room above and below. */
function spread(low: number, high: number): [number, number] {
  if (low < high) return [low, high];
  const room = Math.abs(low) / 2 || 1;
  return [low - room, high + room];
}

/** Draws one line from value to value. */
function trace(
  grid: Cell[][],
  line: ArrayLike<number>,
  longest: number,
  low: number,
  high: number,
  index: number,
) {
  const right = grid[0].length * 2 - 1;
  const bottom = grid.length * 4 - 1;
  let drawn = 0;
  function dot(x: number, y: number) {
    // Line k has one dot of every k + 1 where only that tells lines apart.
    if (drawn++ % (index + 1) > 0) return;
    const cell = grid[y >> 2][x >> 1];
    cell.dots |= DOTS[y & 3][x & 1];
    cell.line = index;
  }
  let previous: [number, number] | undefined;
  for (let i = 0; i < line.length; i++) {
    if (!Number.isFinite(line[i])) {
      previous = undefined;
      continue;
    }
    const x = longest > 1 ? Math.round(right * i / (longest - 1)) : 0;
    const y = Math.round(bottom * (high - line[i]) / (high - low));
    const [fromX, fromY] = previous ?? [x, y];
    const steps = Math.max(Math.abs(x - fromX), Math.abs(y - fromY));
    if (previous === undefined) dot(x, y);
    for (let k = 1; k <= steps; k++) {
      dot(
        Math.round(fromX + (x - fromX) * k / steps),
        Math.round(fromY + (y - fromY) * k / steps),
      );
    }
    previous = [x, y];
  }
}

interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Round numbers between two bounds: at most `count` intervals, each 1, 2 or 5 times a power of ten and at least `least`. */
function ticks(low: number, high: number, count: number, least = 0): Tick[] {
  const rough = Math.max(least, (high - low) / count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough)!;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found: Tick[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k++) {
    const text = k !== 0 && (step >= 1e6 || step < 1e-6)
      ? (k * step).toExponential(1)
      : (k * step).toFixed(digits < 7 ? digits : 0);
    found.push({ at: k * step, text });
  }
  return found;
}

/** Labels by row: as many round numbers as leave a row free between two. */
function yAxis(low: number, high: number, height: number): Map<number, string> {
  const rowOf = (at: number) =>
    Math.round((4 * height - 1) * (high - at) / (high - low)) >> 2;
  const gap = height > 4 ? 2 : 1;
  for (let count = height; count > 0; count--) {
    const found = ticks(low, high, count);
    const rows = found.map(({ at }) => rowOf(at));
    const apart = rows.every((row, i) => i === 0 || rows[i - 1] - row >= gap);
    if (found.length > 1 && apart) {
      return new Map(found.map(({ text }, i) => [rows[i], text]));
    }
  }
  return new Map([
    [height - 1, String(Number(low.toPrecision(3)))],
    [0, String(Number(high.toPrecision(3)))],
  ]);
}

/** The rule beneath the field and the numbers beneath the rule: both ends, and round numbers where there is room. */
function xAxis(
  [first, last]: readonly [number, number],
  width: number,
): [string, string] {
  const rule = Array.from({ length: width }, () => "─");
  const end = String(last);
  let numbers = "";
  function mark(column: number, text: string, room: number) {
    const centred = Math.max(0, column - (text.length >> 1));
    const start = Math.min(centred, width - text.length);
    const free = numbers === "" || start > numbers.length;
    if (!free || start + text.length > room) return;
    rule[column] = "┬";
    numbers = numbers.padEnd(start) + text;
  }
  mark(0, String(first), width);
  if (last > first) {
    // Between counts there is nothing to label.
    const least = Number.isInteger(first) && Number.isInteger(last) ? 1 : 0;
    const inside = ticks(first, last, Math.ceil(width / 12), least);
    for (const { at, text } of inside) {
      const column = (width - 1) * (at - first) / (last - first);
      mark(Math.round(column), text, width - end.length - 1);
    }
    mark(width - 1, end, width);
  }
  return [rule.join(""), numbers];
}

function legend(
  names: readonly string[],
  screen: Pick<Screen, "colors">,
): string {
  return names.map((name, i) =>
    paint(
      `${["⠒⠒", "⠂⠂", "⠂ ", "⠐ "][i % 4]} ${name}`,
      STYLES[i % STYLES.length],
      screen.colors,
    )
  ).join("   ");
}
