/**
 * The forward pass and the input gradient as one thing: a correlation, whose taps step forward over the plane that it reads.
 *
 *     target[n, g, k, first + i·step] = Σ_c Σ_t w[g, k, c, t] · source[n, g, c, origin + i·stride + t·dilation]
 *
 * (along each axis). The forward pass is one with step 1. The input gradient is one for each remainder of the input's position by the stride:
 * positions of the same remainder are reached by the same taps, every (stride / gcd(stride, dilation))-th of the kernel, and see dy at stride 1 with the
 * taps backwards. So no time goes into taps that fall between dy's elements.
 */
import { area, type Geometry, type Pair } from "./geometry.ts";

/** A correlation of planes. Sizes along [height, width]. */
export interface Correlation {
  /** The planes that it reads and writes. */
  readonly source: Pair;
  readonly target: Pair;
  /** How many outputs it computes along each axis. */
  readonly count: Pair;
  /** Where they stand on the target plane. */
  readonly first: Pair;
  readonly step: Pair;
  /** Where the first output's first tap reads; may lie beside the source plane. */
  readonly origin: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** How many taps it has; none for inputs that no output saw. */
  readonly taps: Pair;
  /** Row and column, in the kernel, of its first tap, and from one tap to the next. */
  readonly tapFirst: Pair;
  readonly tapStep: Pair;
}

/** One axis of a correlation. */
type Axis = { readonly [key in keyof Correlation]: number };

/** The forward pass. */
export function forwardCorrelation(g: Geometry): Correlation {
  return joinRows(joined(forwardAxis(g, 0), forwardAxis(g, 1)));
}

/** The input gradient, one correlation for each remainder of rows and columns by the stride. */
export function inputGradientCorrelations(g: Geometry): Correlation[] {
  const [rows, columns] = [0, 1].map((axis) =>
    Array.from(
      { length: g.stride[axis] },
      (_, remainder) => gradientAxis(g, axis as 0 | 1, remainder),
    ).filter(({ count }) => count > 0)
  );
  return rows.flatMap((row) =>
    columns.map((column) => joinRows(joined(row, column)))
  );
}

function forwardAxis(g: Geometry, axis: 0 | 1): Axis {
  return {
    source: g.input[axis],
    target: g.output[axis],
    count: g.output[axis],
    first: 0,
    step: 1,
    origin: -g.padding[axis],
    stride: g.stride[axis],
    dilation: g.dilation[axis],
    taps: g.kernel[axis],
    tapFirst: 0,
    tapStep: 1,
  };
}

/** The input positions h with (h + padding) mod stride = remainder. */
function gradientAxis(g: Geometry, axis: 0 | 1, remainder: number): Axis {
  const [size, kernel, stride, dilation, padding] = [
    g.input[axis],
    g.kernel[axis],
    g.stride[axis],
    g.dilation[axis],
    g.padding[axis],
  ];
  const first = ((remainder - padding) % stride + stride) % stride;
  const common = gcd(stride, dilation);
  const tapStep = stride / common;
  const hop = dilation / common;
  // The first tap that reaches these positions, if any does.
  let tap = 0;
  while (tap < tapStep && (tap * dilation - remainder) % stride !== 0) tap++;
  const taps = tap < tapStep
    ? Math.max(0, Math.ceil((kernel - tap) / tapStep))
    : 0;
  const last = tap + (taps - 1) * tapStep;
  return {
    source: g.output[axis],
    target: size,
    count: Math.max(0, Math.ceil((size - first) / stride)),
    first,
    step: stride,
    origin: taps > 0 ? (first + padding - last * dilation) / stride : 0,
    stride: 1,
    dilation: hop,
    taps,
    tapFirst: taps > 0 ? last : 0,
    tapStep: -tapStep,
  };
}

function joined(row: Axis, column: Axis): Correlation {
  const pair = (key: keyof Axis): Pair => [row[key], column[key]];
  return {
    source: pair("source"),
    target: pair("target"),
    count: pair("count"),
    first: pair("first"),
    step: pair("step"),
    origin: pair("origin"),
    stride: pair("stride"),
    dilation: pair("dilation"),
    taps: pair("taps"),
    tapFirst: pair("tapFirst"),
    tapStep: pair("tapStep"),
  };
}

/** Takes planes as single rows, which tiles fill better, where each output reads the one position that it stands on. */
function joinRows(c: Correlation): Correlation {
  const all = (pair: Pair, value: number) => pair.every((n) => n === value);
  const same = all(c.taps, 1) && all(c.stride, 1) && all(c.step, 1) &&
    all(c.origin, 0) && all(c.first, 0) &&
    [0, 1].every((d) =>
      c.count[d] === c.source[d] && c.count[d] === c.target[d]
    );
  if (!same) return c;
  const row: Pair = [1, area(c.count)];
  return { ...c, source: row, target: row, count: row };
}

/** Greatest common divisor. */
export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
