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
import { FEWEST_CHANNELS, isPointwise } from "./products.ts";

/** Bytes of the products of all images, in f32. */
function partBytes({ batch, groups, outChannels, inChannels }: Geometry) {
  return 4 * batch * groups * outChannels * inChannels;
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
  const { batch, inChannels, outChannels } = geometry;
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
  const { batch, groups, inChannels, outChannels, input } = geometry;
  const planes = (channels: number) =>
    contiguousView({ shape: [batch, groups, channels, area(input)], dtype });
  const x = planes(inChannels);
  const [image, group, channel, pixel] = x.strides;
  const transposed: View = {
    shape: [batch, groups, area(input), inChannels],
    dtype,
    strides: [image, group, pixel, channel],
    offset: 0,
  };
  const shape = [batch, groups, outChannels, inChannels];
  const request: Request<MatmulAttrs> = {
    inputs: [planes(outChannels), transposed],
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
