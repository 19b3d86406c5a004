/**
 * The parts that operands play in the forward pass and the input gradient, which differ in little else: one reads x and writes y, the other
 * reads dy and writes dx, and each keeps the channels that the other sums over.
 */
import type { DType } from "../op.ts";
import type { Layout } from "./cut.ts";
import { area, type Geometry, type Pair } from "./geometry.ts";

/** What a pass reads, keeps and sums over. Channels are those of one group. */
export interface Roles {
  readonly pass: "forward" | "inputGradient";
  readonly geometry: Geometry;
  readonly dtype: DType;
  /** Channels of the result. */
  readonly kept: number;
  readonly summed: number;
  /** Planes that are read, and written. */
  readonly from: Pair;
  readonly to: Pair;
  readonly weights: Layout;
  /** The bias of the kept channels, where one is added. */
  readonly bias?: Layout;
}

/** Roles of the forward pass. */
export function forwardRoles(
  geometry: Geometry,
  dtype: DType,
  hasBias: boolean,
): Roles {
  const { inChannels, outChannels, input, output } = geometry;
  const taps = area(geometry.kernel);
  return {
    pass: "forward",
    geometry,
    dtype,
    kept: outChannels,
    summed: inChannels,
    from: input,
    to: output,
    weights: {
      dtype,
      group: outChannels * inChannels * taps,
      kept: inChannels * taps,
      summed: taps,
      block: taps,
    },
    bias: hasBias
      ? { dtype, group: outChannels, kept: 1, block: 1 }
      : undefined,
  };
}

/** Roles of the input gradient. */
export function inputGradientRoles(geometry: Geometry, dtype: DType): Roles {
  const { inChannels, outChannels, input, output } = geometry;
  const taps = area(geometry.kernel);
  return {
    pass: "inputGradient",
    geometry,
    dtype,
    kept: inChannels,
    summed: outChannels,
    from: output,
    to: input,
    weights: {
      dtype,
      group: outChannels * inChannels * taps,
      kept: taps,
      summed: inChannels * taps,
      block: taps,
    },
  };
}

/** How the planes that a pass sums over lie. */
export function sourceLayout(
  { geometry, summed, from, dtype }: Roles,
): Layout {
  const plane = area(from);
  return {
    dtype,
    image: geometry.groups * summed * plane,
    group: summed * plane,
    summed: plane,
    block: plane,
  };
}

/** How the planes that a pass keeps lie. */
export function targetLayout(
  { geometry, kept, to, dtype }: Roles,
): Layout {
  const plane = area(to);
  return {
    dtype,
    image: geometry.groups * kept * plane,
    group: kept * plane,
    kept: plane,
    block: plane,
  };
}

/** How a sum starts: from 0, from the bias, or from what an earlier launch left. The kernels know these numbers. */
export const START = { zero: 0, bias: 1, sum: 2 } as const;
