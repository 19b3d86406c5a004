/** How values are spread: bars of counts. */
import { ticks, xAxis, yAxis } from "../../nn/term/axes.ts";
import { Drawing } from "../../nn/term/drawing.ts";
import { type Screen, standardOutput } from "../../nn/term/screen.ts";
import { paint } from "../../nn/term/style.ts";
import { grouped } from "../../nn/term/units.ts";
import { flatNumbers, type Numbers } from "./numbers.ts";

/** Options of {@linkcode hist}. */
export interface HistogramOptions {
  /** How many intervals are counted. @default 30; for a few whole numbers an interval each */
  readonly bins?: number;
  /** Where the first interval begins and the last one ends; values outside aren't counted. @default the smallest and the largest value */
  readonly range?: readonly [number, number];
  readonly title?: string;
  /** Columns of the field between the axes, at most. @default 60, or what the screen has */
  readonly width?: number;
  /** Rows of the field. @default 8 */
  readonly height?: number;
  readonly screen?: Pick<Screen, "colors" | "columns">;
}

/** Intervals where nobody says how many. */
const BINS = 30;

/** From an eighth of a character to a whole one. */
const EIGHTHS = "▁▂▃▄▅▆▇█";

/** What is known of values beside their spread. Mean and deviation are those of the finite ones. */
interface Facts {
  readonly count: number;
  readonly nans: number;
  readonly infinities: number;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  readonly deviation: number;
  readonly whole: boolean;
}

/**
 * Draws how often values lie in each of some intervals, with their axes; beneath stand count, mean, standard deviation and ends of the finite values,
 * and how many are NaN or infinite, which no bar counts.
 *
 * @throws {RangeError} For a number of bins that isn't a whole number from 1, or a range that is empty.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { hist } from "./histogram.ts";
 *
 * const screen = { colors: "none", columns: 40 } as const;
 * const drawing = await hist([1, 2, 2, 3, NaN], { width: 9, height: 2, screen });
 * assertEquals(drawing.rows, [
 *   "2 ┤   ███",
 *   "1 ┤█████████",
 *   "0 └─┬──┬──┬─",
 *   "    1  2  3",
 *   "   4 values, mean 2, std 0.707, min 1, max 3, 1 NaN",
 * ]);
 * ```
 */
export async function hist(
  x: Numbers,
  options: HistogramOptions = {},
): Promise<Drawing> {
  const { title, height = 8, screen = standardOutput() } = options;
  const values = await flatNumbers(x, "count the values of");
  const facts = factsOf(values);
  const head = title === undefined ? [] : [title];
  if (facts.count === 0) {
    return new Drawing([...head, "(no values)", ...summaryOf(facts)]);
  }
  const most = options.width ?? Math.max(10, Math.min(60, screen.columns - 10));
  const { edges, bins, whole } = intervals(facts, options, most);
  const counts = count(values, edges, bins);
  const highest = Math.max(1, ...counts);
  // A number stands where a bar of that height ends; zero beneath the last row.
  const labels = yAxis(0, highest, height, {
    least: 1,
    rowOf: (at) => height - Math.round(at / highest * height),
  });
  const margin = Math.max(...[...labels.values()].map(({ length }) => length));
  const each = Math.max(1, Math.floor(most / bins));
  const indent = " ".repeat(margin + 1);
  const rows = Array.from({ length: height }, (_, row) => {
    const below = height - 1 - row;
    const bars = counts.map((n) => {
      const eighths = n / highest * height * 8 - below * 8;
      // What isn't empty is never quite invisible.
      const least = below === 0 && n > 0 ? 1 : 0;
      return part(Math.max(least, Math.round(eighths))).repeat(each);
    }).join("").trimEnd();
    const label = (labels.get(row) ?? "").padStart(margin);
    const field = bars === "" ? "" : paint(bars, "cyan", screen.colors);
    return `${label} ${labels.has(row) ? "┤" : "│"}${field}`;
  });
  const [rule, numbers] = whole
    ? wholeAxis(edges[0] + 0.5, bins, each)
    : xAxis(edges, each * bins, short);
  const zero = "0".padStart(margin);
  return new Drawing([
    ...head.map((text) => `${indent} ${text}`),
    ...rows,
    `${zero} └${rule}`,
    `${indent} ${numbers}`.trimEnd(),
    ...summaryOf(facts).map((text) => `${indent} ${text}`),
  ]);
}

/** The character of a bar in a row that reaches so many eighths of it. */
function part(eighths: number): string {
  return eighths < 1 ? " " : EIGHTHS[Math.min(8, eighths) - 1];
}

/** The axis of whole numbers with a bar each: some of them beneath the middles of their bars. */
function wholeAxis(
  first: number,
  bins: number,
  each: number,
): [string, string] {
  const rule = Array.from({ length: bins * each }, () => "─");
  let numbers = "";
  const last = first + bins - 1;
  for (const { at, text } of ticks(first, last, bins * each / 4, 1)) {
    const middle = (at - first) * each + (each >> 1);
    const start = Math.max(0, middle - (text.length >> 1));
    if (numbers !== "" && start <= numbers.length) continue;
    rule[middle] = "┬";
    numbers = numbers.padEnd(start) + text;
  }
  return [rule.join(""), numbers];
}

/** Where the intervals lie, and whether each is a whole number's. */
function intervals(
  { low, high, whole }: Facts,
  { bins, range }: HistogramOptions,
  most: number,
): { edges: readonly [number, number]; bins: number; whole: boolean } {
  if (bins !== undefined && !(Number.isInteger(bins) && bins > 0)) {
    throw new RangeError(
      `Cannot count values in ${bins} intervals: expected a whole number from 1`,
    );
  }
  const [from, to] = range ?? [low, high];
  if (!(from <= to)) {
    throw new RangeError(
      `Cannot count values from ${from} to ${to}: expected a range that isn't empty`,
    );
  }
  if (bins === undefined && whole && to - from < most) {
    // Each number stands in the middle of its interval.
    const edges = [from - 0.5, to + 0.5] as const;
    return { edges, bins: to - from + 1, whole: true };
  }
  // A single value gets some room on both sides.
  const room = from < to ? 0 : Math.abs(from) / 2 || 0.5;
  const edges = [from - room, to + room] as const;
  return { edges, bins: Math.min(most, bins ?? BINS), whole: false };
}

function count(
  values: ArrayLike<number>,
  [from, to]: readonly [number, number],
  bins: number,
): number[] {
  const counts = Array<number>(bins).fill(0);
  const scale = bins / (to - from);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    // False for NaN too.
    if (!(value >= from && value <= to)) continue;
    counts[Math.min(bins - 1, Math.floor((value - from) * scale))]++;
  }
  return counts;
}

function factsOf(values: ArrayLike<number>): Facts {
  let [count, nans, infinities, sum] = [0, 0, 0, 0];
  let [low, high, whole] = [Infinity, -Infinity, true];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) nans++;
    else if (!Number.isFinite(value)) infinities++;
    else {
      count++;
      sum += value;
      if (value < low) low = value;
      if (value > high) high = value;
      whole &&= Number.isInteger(value);
    }
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) squares += (values[i] - mean) ** 2;
  }
  const deviation = Math.sqrt(squares / count);
  return { count, nans, infinities, low, high, mean, deviation, whole };
}

function summaryOf(facts: Facts): string[] {
  const { count, nans, infinities, low, high, mean, deviation } = facts;
  const parts = count === 0 ? [] : [
    `${grouped(count)} ${count === 1 ? "value" : "values"}`,
    `mean ${short(mean)}`,
    `std ${short(deviation)}`,
    `min ${short(low)}`,
    `max ${short(high)}`,
  ];
  if (nans > 0) parts.push(`${grouped(nans)} NaN`);
  if (infinities > 0) parts.push(`${grouped(infinities)} infinite`);
  return parts.length > 0 ? [parts.join(", ")] : [];
}

/** Three digits. */
function short(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return String(
    Number.isInteger(value) && Math.abs(value) < 1e6 ? value : rounded,
  );
}
