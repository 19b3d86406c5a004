/** Tensors as text, in numpy's manner. */
import type { DType, HostData, Meta, Shape } from "../wgsl/op.ts";
import { formatShape, sizeOf } from "../wgsl/shape.ts";

/** Nested arrays, as deep as a tensor's rank. */
export type Nested = number | boolean | Nested[];

/** How much of a tensor is printed. */
interface Extent {
  /** Elements above which only the edges are printed. */
  readonly elements: number;
  /** Rows that the axes before the last may give before the outer ones show one item at each end. */
  readonly rows: number;
}

const WHOLE: Extent = { elements: 1000, rows: 60 };

/** Of a tensor inside another value, where it isn't what was asked for. */
const INNER: Extent = { elements: 100, rows: 12 };

/** Items printed at each end of a shortened axis. */
const EDGE = 3;

/** Digits after the point. */
const DIGITS = 4;

/** Where a text goes, as far as a tensor's depends on it. */
export interface Look {
  /** Width of a line. */
  readonly columns: number;
  /** Whether what is no finite number stands out in red. */
  readonly colors: boolean;
  /** Blanks in front of every line but the first. */
  readonly indent: number;
}

const PLAIN: Look = { columns: 80, colors: false, indent: 0 };

/** What is told of all values of a tensor where only the ends are printed. `trues` alone for bool; of floats only the finite ones count. */
export type Statistics =
  | { readonly trues: number }
  | {
    readonly min: number;
    readonly max: number;
    readonly mean: number;
    readonly std: number;
    readonly nans: number;
    readonly infinities: number;
  };

/** What is known on the host of a tensor's values, and the version of its memory that it belongs to. */
export interface Shown {
  /** Those that {@linkcode pickShown} picks. */
  readonly values: readonly number[];
  readonly version: number;
  readonly statistics?: Statistics | undefined;
}

const known = new WeakMap<object, Shown>();

/** Keeps what a tensor's text needs until the tensor goes. */
export function remember(tensor: object, shown: Shown): void {
  known.set(tensor, shown);
}

/** What was kept for a tensor, if it belongs to this version. */
export function recall(tensor: object, version: number): Shown | undefined {
  const shown = known.get(tensor);
  return shown?.version === version ? shown : undefined;
}

/** How a tensor inside another value is to be printed, from the options that inspecting functions pass on. */
export function lookOf(options: object | undefined): Look {
  const { colors, breakLength, indentationLvl } = (options ?? {}) as Readonly<
    Record<string, unknown>
  >;
  const columns = Number.isFinite(breakLength)
    ? Number(breakLength)
    : PLAIN.columns;
  return {
    colors: colors === true,
    columns,
    indent: typeof indentationLvl === "number" ? indentationLvl : 0,
  };
}

/** Rows as they stand inside another value, by the options that inspecting functions pass on. */
export function indented(text: string, options: object | undefined): string {
  const { indent } = lookOf(options);
  return text.replace(/\n(?=[^\n])/g, `\n${" ".repeat(indent)}`);
}

/** Whether only the ends of a tensor's long axes are printed. */
export function isShortened(shape: Shape): boolean {
  return sizeOf(shape) > WHOLE.elements;
}

/** Where the middle of each axis that isn't printed starts and ends; undefined where all of it is. */
export function hiddenOf(
  shape: Shape,
  { elements, rows: most }: Extent = WHOLE,
): (readonly [number, number] | undefined)[] {
  if (sizeOf(shape) <= elements) return shape.map(() => undefined);
  const edges = shape.map(() => EDGE);
  const rows = () =>
    shape.slice(0, -1).reduce(
      (n, size, i) => n * Math.min(size, 2 * edges[i]),
      1,
    );
  for (let axis = 0; axis < shape.length - 2 && rows() > most; axis++) {
    edges[axis] = 1;
  }
  return shape.map((n, i) =>
    n > 2 * edges[i] ? [edges[i], n - edges[i]] : undefined
  );
}

/** Row-major values as nested arrays. */
export function nest(data: HostData, shape: Shape, dtype: DType): Nested {
  let at = 0;
  const build = (axis: number): Nested => {
    if (axis === shape.length) {
      const value = data[at++];
      return dtype === "bool" ? value !== 0 : value;
    }
    return Array.from({ length: shape[axis] }, () => build(axis + 1));
  };
  return build(0);
}

/** Those of row-major values that are printed, in order. */
export function pickShown(data: HostData, shape: Shape): number[] {
  if (data.length === 0) return [];
  const shown = shownOf(shape, WHOLE);
  const picked: number[] = [];
  const pick = (axis: number, base: number): void => {
    if (axis === shape.length) {
      picked.push(data[base]);
      return;
    }
    for (const i of shown[axis]) {
      if (i >= 0) pick(axis + 1, base * shape[axis] + i);
    }
  };
  pick(0, 0);
  return picked;
}

/** A heading and, where they are known, the values that {@linkcode pickShown} picked. */
export function formatTensor(
  heading: string,
  { shape, dtype }: Meta,
  shown: Shown | undefined,
  look: Look = PLAIN,
): string {
  if (!shown) return `${heading} (not read yet: await t.read())`;
  const { values, statistics } = shown;
  if (sizeOf(shape) === 0) return `${heading} []`;
  if (shape.length === 0) {
    return `${heading} ${mark(formatValues(values, dtype)[0], look)}`;
  }
  const extent = look.indent > 0 ? INNER : WHOLE;
  const shownHere = shownOf(shape, extent);
  const body = formatBody(
    extent === WHOLE
      ? values
      : pickFrom(values, shownOf(shape, WHOLE), shownHere),
    { shape, dtype },
    shownHere,
    look,
  );
  const lines = [heading, ...body.split("\n")];
  if (statistics) lines.push(formatStatistics(statistics, shape, look));
  const indent = " ".repeat(look.indent);
  return lines.map((line, i) => i === 0 || line === "" ? line : indent + line)
    .join("\n");
}

/** Of the values at some positions of each axis, those at fewer ones. */
function pickFrom(
  values: readonly number[],
  from: readonly (readonly number[])[],
  wanted: readonly (readonly number[])[],
): number[] {
  const picked: number[] = [];
  let next = 0;
  const pick = (axis: number, keep: boolean): void => {
    if (axis === from.length) {
      if (keep) picked.push(values[next]);
      next++;
      return;
    }
    for (const i of from[axis]) {
      if (i >= 0) pick(axis + 1, keep && wanted[axis].includes(i));
    }
  };
  pick(0, true);
  return picked;
}

/** The values alone: nested brackets, aligned, long axes shortened to their ends. */
function formatBody(
  values: readonly number[],
  { shape, dtype }: Meta,
  shown: readonly (readonly number[])[],
  look: Look,
): string {
  const texts = formatValues(values, dtype);
  const width = texts.reduce((most, { length }) => Math.max(most, length), 0);
  let next = 0;
  const build = (axis: number): string => {
    const indent = " ".repeat(axis + 1);
    if (axis === shape.length - 1) {
      const items = shown[axis].map((i) =>
        i < 0 ? "…" : texts[next++].padStart(width)
      );
      return `[${wrap(items, indent, look)}]`;
    }
    const parts = shown[axis].map((i) => i < 0 ? "…" : build(axis + 1));
    const gap = "\n".repeat(shape.length - 1 - axis);
    return `[${parts.join(`${gap}${indent}`)}]`;
  };
  return build(0);
}

function formatStatistics(
  statistics: Statistics,
  shape: Shape,
  look: Look,
): string {
  const size = sizeOf(shape);
  if ("trues" in statistics) {
    const { trues } = statistics;
    const share = trim((100 * trues / size).toFixed(1)).replace(/\.$/, "");
    return `${trues.toLocaleString("en-US")} of ${
      size.toLocaleString("en-US")
    } true (${share} %)`;
  }
  const { min, max, mean, std, nans, infinities } = statistics;
  const facts = nans + infinities === size ? [] : [
    `min ${formatFact(min)}`,
    `max ${formatFact(max)}`,
    `mean ${formatFact(mean)}`,
    `std ${formatFact(std)}`,
  ];
  const odd = [[nans, "nan"], [infinities, "inf"]] as const;
  for (const [count, name] of odd) {
    if (count === 0) continue;
    facts.push(red(`${count.toLocaleString("en-US")} ${name}`, look));
  }
  return facts.join(", ");
}

/** A number on its own, with five digits that count: sums in f32 have few more. */
function formatFact(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e8) return String(value);
  const rounded = Number(value.toPrecision(5));
  const size = Math.abs(rounded);
  return size >= 1e-4 && size < 1e8 || !Number.isFinite(rounded)
    ? String(rounded)
    : exponential(rounded).replace(".e", "e");
}

/** The positions of each axis that are printed; -1 stands for what is left out. */
function shownOf(shape: Shape, extent: Extent): number[][] {
  const count = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => from + i);
  return hiddenOf(shape, extent).map((hidden, axis) =>
    hidden
      ? [...count(0, hidden[0]), -1, ...count(hidden[1], shape[axis])]
      : count(0, shape[axis])
  );
}

function wrap(items: readonly string[], indent: string, look: Look): string {
  const room = Math.max(20, look.columns - look.indent) - indent.length - 1;
  const lines: string[] = [];
  let line: string[] = [];
  let width = 0;
  for (const item of items) {
    if (line.length > 0 && width + 1 + item.length > room) {
      lines.push(line.join(" "));
      line = [];
      width = 0;
    }
    width += item.length + (line.length > 0 ? 1 : 0);
    line.push(mark(item, look));
  }
  return [...lines, line.join(" ")].join(`\n${indent}`);
}

/** In red if it is no finite number. */
function mark(text: string, look: Look): string {
  return /nan|inf/.test(text) ? red(text, look) : text;
}

function red(text: string, { colors }: Look): string {
  return colors ? `\x1b[31m${text}\x1b[0m` : text;
}

/** Numbers with a common number of digits, or all in scientific form where they span too much. */
function formatValues(list: readonly number[], dtype: DType): string[] {
  if (dtype === "bool") return list.map((value) => String(value !== 0));
  if (dtype === "i32" || dtype === "u32") return list.map(String);
  const sizes = list.filter(Number.isFinite).map(Math.abs).filter((x) => x > 0);
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  const least = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const scientific = most >= 1e8 || least < 1e-4 && sizes.length > 0 ||
    most / least > 1e5 && most >= 1000;
  const texts = list.map((value) =>
    Number.isNaN(value)
      ? "nan"
      : Number.isFinite(value)
      ? (Object.is(value, -0) ? "-" : "") +
        (scientific ? exponential(value) : trim(value.toFixed(DIGITS)))
      : value > 0
      ? "inf"
      : "-inf"
  );
  const digits = texts.map(fraction).reduce((a, b) => Math.max(a, b), 0);
  return texts.map((text) => {
    const missing = text.includes(".") ? digits - fraction(text) : 0;
    const [mantissa, exponent] = text.split("e");
    return exponent
      ? `${mantissa}${"0".repeat(missing)}e${exponent}`
      : text + " ".repeat(missing);
  });
}

/** In scientific form, with an exponent of two digits or more: "1.25e+05". */
function exponential(value: number): string {
  const [mantissa, exponent] = value.toExponential(DIGITS).split("e");
  return `${trim(mantissa)}e${exponent[0]}${
    exponent.slice(1).padStart(2, "0")
  }`;
}

/** Without the zeros at the end: "1." for "1.0000". */
function trim(text: string): string {
  return text.replace(/0+$/, "");
}

/** Digits after the point of a number's text. */
function fraction(text: string): number {
  return text.match(/\.(\d*)/)?.[1].length ?? 0;
}

/** Dtype and shape: `f32[2, 3]`. */
export function summaryOf({ dtype, shape }: Meta): string {
  return `${dtype}${formatShape(shape)}`;
}

/** A tensor as messages name it. */
export function titleOf(
  meta: Meta,
  madeBy: string,
  path: string | undefined,
): string {
  const where = path ? ` in ${path}` : "";
  return `${summaryOf(meta)} tensor made by ${madeBy}${where}`;
}
