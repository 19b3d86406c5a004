/**
 * The parts that operands play in the forward pass and the input gradient, which differ in little else: one reads x and writes y, the other
 * reads dy and writes dx, and each keeps the channels that the other sums over.
 */
import {
  type Epilogue,
  type EpilogueCode,
  epilogueCode,
  epilogueInputs,
} from "../epilogue.ts";
import { savesOutput } from "../epilogue_gradient.ts";
import type { DType, Saves } from "../op.ts";
import { boxOf, type Layout, type SumBox, type SumCut, walkOf } from "./cut.ts";
import {
  area,
  type FusedConv2dAttrs,
  type Geometry,
  type Pair,
  type PlaneOrder,
} from "./geometry.ts";

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
  /** What is done to the sums of the kept channels before they are stored. */
  readonly epilogue?: Epilogue;
}

/** Roles of the forward pass. */
export function forwardRoles(
  geometry: Geometry,
  dtype: DType,
  epilogue?: Epilogue,
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
    epilogue,
  };
}

/** Roles of the input gradient. */
export function inputGradientRoles(
  geometry: Geometry,
  dtype: DType,
  epilogue?: Epilogue,
): Roles {
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
    epilogue,
  };
}

/** How the planes that a pass sums over lie. */
export function sourceLayout(roles: Roles): Layout {
  const { geometry, pass, summed, from, dtype } = roles;
  const order = pass === "forward" ? geometry.inputOrder : geometry.outputOrder;
  const { image, channel, plane } = stepsOf(geometry, order, summed, from);
  return {
    dtype,
    image,
    group: summed * channel,
    summed: channel,
    block: plane,
  };
}

/** How the planes that a pass keeps lie. */
export function targetLayout(roles: Roles): Layout {
  const { geometry, kept, pass, to, dtype } = roles;
  const order = pass === "forward" ? geometry.outputOrder : geometry.inputOrder;
  const { image, channel, plane } = stepsOf(geometry, order, kept, to);
  return {
    dtype,
    image,
    group: kept * channel,
    kept: channel,
    block: plane,
  };
}

/** Elements from one image, and from one channel, to the next. */
function stepsOf(
  { batch, groups }: Geometry,
  order: PlaneOrder,
  channels: number,
  size: Pair,
): {
  readonly image: number;
  readonly channel: number;
  readonly plane: number;
} {
  const plane = area(size);
  return order === "NCHW"
    ? { image: groups * channels * plane, channel: plane, plane }
    : { image: plane, channel: batch * plane, plane };
}

/** Whether planes lie image by image, as kernels that know no other order take them. */
export function isImageByImage({ inputOrder, outputOrder }: Geometry): boolean {
  return inputOrder === "NCHW" && outputOrder === "NCHW";
}

/** Whether all planes lie channel by channel, so that a channel's pixels of all images are neighbours. */
export function isChannelByChannel(
  { inputOrder, outputOrder }: Geometry,
): boolean {
  return inputOrder === "CNHW" && outputOrder === "CNHW";
}

/** Inputs of a pass before those of its epilogue: planes and weights. */
export const OWN_INPUTS = 2;

/** What a pass with an epilogue keeps for backward: planes and weights, and what the epilogue's rule reads. */
export function fusedSaves({ epilogue }: FusedConv2dAttrs): Saves {
  const { count } = epilogueInputs(epilogue ?? {}, OWN_INPUTS);
  return {
    inputs: Array.from({ length: count }, (_, i) => i),
    outputs: savesOutput(epilogue) ? [0] : [],
  };
}

/** What a launch does with a box's sums: it adds them to what an earlier launch left, and it is the one that completes them. */
export interface Stage {
  readonly adds: boolean;
  readonly completes: boolean;
}

/** The stage of a launch that sums one range of a cut over a box. */
export function stageOf(
  { summed }: Roles,
  { ranges }: SumCut,
  range: number,
  { summed: { start, size } }: SumBox,
): Stage {
  return {
    adds: range > 0 || start > 0,
    completes: range === ranges.length - 1 && start + size === summed,
  };
}

/** What a launch over a box appends to finish its sums; those that a later launch adds to are left as they are. */
export function epilogueIn(
  roles: Roles,
  box: SumBox,
  { completes }: Stage,
  binding: number,
): EpilogueCode {
  const { dtype, kept, to } = roles;
  return epilogueCode(
    completes ? roles.epilogue : undefined,
    OWN_INPUTS,
    binding,
    {
      channels: walkOf({ dtype, group: kept, kept: 1, block: 1 }),
      output: walkOf(targetLayout(roles)),
      box: boxOf(box, area(to)),
    },
  );
}
