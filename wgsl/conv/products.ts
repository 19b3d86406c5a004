/**
 * Convolutions by one tap at stride 1 as products of matrices, with nothing moved: an image is a matrix of channels by pixels.
 *
 *     forward         y[n, g] = w[g] · x[n, g]      [K, C] · [C, H·W]
 *     input gradient  dx[n, g] = w[g]ᵀ · dy[n, g]   [C, K] · [K, H·W]
 */
import { epilogueInputs, isWhole } from "../epilogue.ts";
import { matmul, type MatmulAttrs } from "../matmul/matmul.ts";
import {
  type Limits,
  type Plan,
  planFirst,
  type Request,
  type View,
} from "../op.ts";
import { contiguousView } from "../shape.ts";
import { area, type Geometry } from "./geometry.ts";
import type { Layout } from "./cut.ts";
import {
  isChannelByChannel,
  type Roles,
  sourceLayout,
  targetLayout,
} from "./roles.ts";

/** Inputs of a convolution, and of a product, before those of an epilogue. */
const OWN_INPUTS = 2;

/** Fewest channels kept and summed: with fewer, a product's tiles stay empty. */
export const FEWEST_CHANNELS = 8;

/**
 * Whether a pass is a product of matrices, and a fast one: it took 0.6 to 0.95 of the direct sum's time for 56 × 56 pixels of 64 to 256 channels
 * and 0.95 to 1.1 for 14 × 14 of 512, on a software adapter of 2 cores.
 */
export function isProduct(roles: Roles): boolean {
  return isPointwise(roles.geometry) &&
    Math.min(roles.kept, roles.summed) >= FEWEST_CHANNELS;
}

/** Whether a convolution is by one tap at stride 1 without padding, so that each output sees the one input that stands in its place. */
export function isPointwise(
  { kernel, stride, padding, input, output }: Geometry,
): boolean {
  return [...kernel, ...stride].every((n) => n === 1) &&
    padding.every((n) => n === 0) &&
    input.every((n, axis) => n === output[axis]);
}

/** Launches of a pass for which {@linkcode isProduct} holds. */
export function planProducts(roles: Roles, limits: Limits): Plan {
  const { geometry, kept, summed, dtype, from } = roles;
  const { weights, epilogue = {} } = roles;
  const { groups } = geometry;
  // Channel by channel, all images are one matrix of channels by pixels.
  const joined = isChannelByChannel(geometry);
  const batch = joined ? 1 : geometry.batch;
  const pixels = joined ? geometry.batch * area(from) : area(from);
  const w: View = {
    shape: [groups, kept, summed],
    dtype,
    strides: [weights.group ?? 0, weights.kept ?? 0, weights.summed ?? 0],
    offset: 0,
  };
  const planes = (
    channels: number,
    { image = 0, group = 0 }: Layout,
    channel = 0,
  ): View => ({
    shape: [batch, groups, channels, pixels],
    dtype,
    strides: [image, group, channel, 1],
    offset: 0,
  });
  const source = sourceLayout(roles);
  const target = targetLayout(roles);
  const x = planes(summed, source, source.summed);
  const y = planes(kept, target, target.kept);
  // A group's channels are the rows of its products, and go on in the next group's.
  const perChannel = contiguousView({ shape: [groups, kept], dtype });
  const places = epilogueInputs(epilogue, OWN_INPUTS);
  const operands = Array.from(
    { length: places.count - OWN_INPUTS },
    (_, i) => isWhole(places, OWN_INPUTS + i) ? y : perChannel,
  );
  const request: Request<MatmulAttrs> = {
    inputs: [w, x, ...operands],
    outputs: [y],
    attrs: { epilogue, channels: "rows" },
    limits,
  };
  const { launches, scratch = [] } = planFirst(matmul, request);
  // The weights are the left factor, but the convolution's second input.
  return {
    launches: launches.map((launch) => ({
      ...launch,
      bindings: launch.bindings.map((binding) =>
        binding.slot === "input"
          ? { ...binding, index: 1 - binding.index }
          : binding
      ),
    })),
    scratch,
  };
}
