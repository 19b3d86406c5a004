/** Axes of plots: round numbers, and where they stand. */

/** A number on an axis. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Round numbers between two bounds: at most `count` intervals, each 1, 2 or 5 times a power of ten and at least `least`. */
export function ticks(
  low: number,
  high: number,
  count: number,
  least = 0,
): Tick[] {
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

/** What differs between vertical axes. */
export interface YAxisOptions {
  /** How far numbers are apart, at least. @default 0 */
  readonly least?: number;
  /** The row, from the top, in which a number stands. @default that of a line's dot */
  readonly rowOf?: (at: number) => number;
}

/** Labels by row: as many round numbers as leave a row free between two. */
export function yAxis(
  low: number,
  high: number,
  height: number,
  options: YAxisOptions = {},
): Map<number, string> {
  const {
    least = 0,
    rowOf = (at) =>
      Math.round((4 * height - 1) * (high - at) / (high - low)) >> 2,
  } = options;
  const gap = height > 4 ? 2 : 1;
  for (let count = height; count > 0; count--) {
    const found = ticks(low, high, count, least);
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

/** The rule beneath the field and the numbers beneath the rule: both ends, written by `textOf`, and round numbers where there is room. */
export function xAxis(
  [first, last]: readonly [number, number],
  width: number,
  textOf: (end: number) => string = String,
): [string, string] {
  const rule = Array.from({ length: width }, () => "─");
  const end = textOf(last);
  let numbers = "";
  function mark(column: number, text: string, room: number) {
    const centred = Math.max(0, column - (text.length >> 1));
    const start = Math.min(centred, width - text.length);
    const free = numbers === "" || start > numbers.length;
    if (!free || start + text.length > room) return;
    rule[column] = "┬";
    numbers = numbers.padEnd(start) + text;
  }
  mark(0, textOf(first), width);
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
