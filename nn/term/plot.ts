/**
 * Line plots in braille: each character holds 2 × 4 dots, so a plot of 60 columns and 12 rows has 120 × 48 of them.
 */
import { xAxis, yAxis } from "./axes.ts";
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

/** A drawing of lines, with what it was made of, so that it can be shown elsewhere. */
export class Plot extends Drawing {
  constructor(
    rows: readonly string[],
    /** Name and values of each line. */
    readonly lines: readonly (readonly [string, ArrayLike<number>])[],
    readonly axes: Pick<PlotOptions, "title" | "xLabel"> & {
      readonly xRange: readonly [number, number];
      readonly yRange: readonly [number, number];
    },
  ) {
    super(rows);
  }
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
  const yRange = [low, high] as const;
  return new Plot(rows, lines, { title, xLabel, xRange, yRange });
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
