/** Tensors as text, in numpy's manner. */
import type { DType, HostData, Meta, Shape } from "../wgsl/op.ts";
import { sizeOf } from "../wgsl/shape.ts";

/** Nested arrays, as deep as a tensor's rank. */
export type Nested = number | boolean | Nested[];

/** Elements above which only the edges are printed. */
const THRESHOLD = 1000;

/** Items printed at each end of a shortened axis. */
const EDGE = 3;

/** Digits after the point. */
const DIGITS = 4;

/** Width of a line in columns. */
const WIDTH = 80;

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
  const shown = shownOf(shape);
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
  values: readonly number[] | undefined,
): string {
  const title = `Tensor ${heading}`;
  if (!values) return `${title} (not read yet: await t.read())`;
  if (sizeOf(shape) === 0) return `${title} []`;
  if (shape.length === 0) return `${title} ${formatValues(values, dtype)[0]}`;
  return `${title}\n${formatBody(values, shape, dtype)}`;
}

/** The values alone: nested brackets, aligned, long axes shortened to their ends. */
function formatBody(
  values: readonly number[],
  shape: Shape,
  dtype: DType,
): string {
  const shown = shownOf(shape);
  const texts = formatValues(values, dtype);
  const width = texts.reduce((most, { length }) => Math.max(most, length), 0);
  let next = 0;
  const build = (axis: number): string => {
    const indent = " ".repeat(axis + 1);
    if (axis === shape.length - 1) {
      const items = shown[axis].map((i) =>
        i < 0 ? "..." : texts[next++].padStart(width)
      );
      return `[${wrap(items, indent)}]`;
    }
    const parts = shown[axis].map((i) => i < 0 ? "..." : build(axis + 1));
    const gap = "\n".repeat(shape.length - 1 - axis);
    return `[${parts.join(`${gap}${indent}`)}]`;
  };
  return build(0);
}

/** The positions of each axis that are printed; -1 stands for what is left out. */
function shownOf(shape: Shape): number[][] {
  const short = sizeOf(shape) > THRESHOLD;
  return shape.map((n) => {
    if (!short || n <= 2 * EDGE) return Array.from({ length: n }, (_, i) => i);
    const start = Array.from({ length: EDGE }, (_, i) => i);
    return [...start, -1, ...start.map((i) => n - EDGE + i)];
  });
}

function wrap(items: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const item of items) {
    const longer = line ? `${line} ${item}` : item;
    if (line && indent.length + longer.length + 1 > WIDTH) {
      lines.push(line);
      line = item;
    } else line = longer;
  }
  return [...lines, line].join(`\n${indent}`);
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
