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

/** A heading and, where they are known, the values. */
export function formatTensor(
  heading: string,
  { shape, dtype }: Meta,
  data: HostData | undefined,
): string {
  const title = `Tensor ${heading}`;
  if (!data) return `${title} (not read yet: await t.read())`;
  if (sizeOf(shape) === 0) return `${title} []`;
  if (shape.length === 0) return `${title} ${formatValues(data, dtype)[0]}`;
  return `${title}\n${formatBody(data, shape, dtype)}`;
}

/** The values alone: nested brackets, aligned, long axes shortened to their ends. */
export function formatBody(
  data: HostData,
  shape: Shape,
  dtype: DType,
): string {
  const short = sizeOf(shape) > THRESHOLD;
  const shown = shape.map((n) => indices(n, short));
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
  const texts = formatValues(picked, dtype);
  const width = Math.max(...texts.map((text) => text.length));
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

/** The positions of an axis that are printed; -1 stands for what is left out. */
function indices(n: number, short: boolean): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  return short && n > 2 * EDGE
    ? [...all.slice(0, EDGE), -1, ...all.slice(n - EDGE)]
    : all;
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
function formatValues(values: ArrayLike<number>, dtype: DType): string[] {
  const list = Array.from(values);
  if (dtype === "bool") return list.map((value) => String(value !== 0));
  if (dtype === "i32" || dtype === "u32") return list.map(String);
  const sizes = list.filter(Number.isFinite).map(Math.abs).filter((x) => x > 0);
  const most = Math.max(0, ...sizes);
  const least = Math.min(Infinity, ...sizes);
  const scientific = most >= 1e8 || least < 1e-4 && sizes.length > 0 ||
    most / least > 1e5 && most >= 1000;
  const fixed = (value: number): string =>
    scientific
      ? value.toExponential(DIGITS)
      : value.toFixed(DIGITS).replace(/0+$/, "");
  const texts = list.map((value) =>
    Number.isNaN(value)
      ? "nan"
      : Number.isFinite(value)
      ? (Object.is(value, -0) ? "-" : "") + fixed(value)
      : value > 0
      ? "inf"
      : "-inf"
  );
  if (scientific) return texts;
  const digits = Math.max(...texts.map((text) => fraction(text)));
  return texts.map((text) =>
    text.includes(".")
      ? text.padEnd(text.length + digits - fraction(text))
      : text
  );
}

/** Digits after the point of a number's text. */
function fraction(text: string): number {
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.length - point - 1;
}
