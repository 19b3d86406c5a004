/**
 * Weight gradients of convolutions by one tap at stride 1 as products of matrices, with nothing moved: an image is a matrix of channels by pixels.
 *
 *     dw[g] = Σ_n dy[n, g] · x[n, g]ᵀ      [K, H·W] · [H·W, C]
 *
 * The products of a batch's images go to scratch memory side by side, and a last launch adds them up in order; that of a single image is the gradient.
 */
import { matmul, type MatmulAttrs } from "../matmul/matmul.ts";
import {
  type Binding,
  type DType,
  type Limits,
  type Plan,
  planFirst,
  type Request,
  type View,
} from "../op.ts";
import { contiguousView } from "../shape.ts";
import { area, type Geometry } from "./geometry.ts";
import { sumParts } from "./parts.ts";
import {
  forwardRoles,
  isChannelByChannel,
  sourceLayout,
  targetLayout,
} from "./roles.ts";
import { FEWEST_CHANNELS, isPointwise } from "./products.ts";

/** Bytes of the products of all images, in f32. */
function partBytes(geometry: Geometry) {
  const { groups, outChannels, inChannels } = geometry;
  return 4 * productsOf(geometry) * groups * outChannels * inChannels;
}

/** Products of a group: one an image, and one in all where both operands' planes lie channel by channel. */
function productsOf(geometry: Geometry): number {
  return isChannelByChannel(geometry)
    ? Math.min(geometry.batch, 1)
    : geometry.batch;
}

/**
 * Whether a weight gradient is a sum of products, and a fast one: it took 0.55 to 0.8 of the direct sum's time for 56 × 56 to 7 × 7 pixels of 64 to 2,048
 * channels, on a software adapter of 2 cores. Its parts must fit a binding. In half precision it must be one product, as parts would be rounded.
 */
export function isWeightProduct(
  geometry: Geometry,
  dtype: DType,
  limits: Limits,
): boolean {
  const { inChannels, outChannels } = geometry;
  const batch = productsOf(geometry);
  return isPointwise(geometry) &&
    Math.min(inChannels, outChannels) >= FEWEST_CHANNELS &&
    (dtype === "f32" ? batch > 0 : batch === 1) &&
    batch <= limits.maxLoopTrips &&
    partBytes(geometry) <= limits.maxStorageBufferBindingSize;
}

/** Launches of a weight gradient for which {@linkcode isWeightProduct} holds. */
export function planWeightProducts(
  geometry: Geometry,
  dtype: DType,
  limits: Limits,
): Plan {
  const { groups, inChannels, outChannels, input } = geometry;
  const batch = productsOf(geometry);
  const pixels = geometry.batch / batch * area(input);
  const roles = forwardRoles(geometry, dtype);
  const source = sourceLayout(roles);
  const target = targetLayout(roles);
  const dy: View = {
    shape: [batch, groups, outChannels, pixels],
    dtype,
    strides: [target.image!, target.group!, target.kept!, 1],
    offset: 0,
  };
  const transposed: View = {
    shape: [batch, groups, pixels, inChannels],
    dtype,
    strides: [source.image!, source.group!, 1, source.summed!],
    offset: 0,
  };
  const shape = [batch, groups, outChannels, inChannels];
  const request: Request<MatmulAttrs> = {
    inputs: [dy, transposed],
    outputs: [contiguousView({ shape, dtype })],
    attrs: {},
    limits,
  };
  const { launches, scratch = [] } = planFirst(matmul, request);
  // dy is the left factor, but the gradient's second input; a batch's products are the first scratch buffer.
  const moved = (binding: Binding): Binding => {
    const { slot, index } = binding;
    if (slot === "input") return { ...binding, index: 1 - index };
    if (batch === 1) return binding;
    return {
      ...binding,
      slot: "scratch",
      index: slot === "output" ? 0 : index + 1,
    };
  };
  const products = launches.map((launch) => ({
    ...launch,
    bindings: launch.bindings.map(moved),
  }));
  if (batch === 1) return { launches: products, scratch };
  const bytes = partBytes(geometry);
  const sum = sumParts(
    { groups, kept: outChannels, run: inChannels },
    { parts: batch, bytes },
    {
      dtype,
      window: { offset: 0, size: bytes / batch, base: 0 },
      group: outChannels * inChannels,
      kept: inChannels,
    },
    limits,
  );
  return { launches: [...products, sum], scratch: [bytes, ...scratch] };
}
