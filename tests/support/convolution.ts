/** Convolutions by their sizes, and the check of chosen variants of their forward pass and gradients. */
import { assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { Conv2dAttrs, Pair, Sides } from "../../wgsl/conv/geometry.ts";
import type { Epilogue } from "../../wgsl/epilogue.ts";
import type { DType, HostArray, Limits, Shape } from "../../wgsl/op.ts";
import { checkOp, noise } from "./plan.ts";

/** The attributes of a convolution with nothing special. */
export const PLAIN: Conv2dAttrs = {
  stride: [1, 1],
  padding: [0, 0, 0, 0],
  dilation: [1, 1],
  groups: 1,
};

/** A convolution by its sizes. `x` is [batch, channels, height, width], `k` the kernel's count, height and width. */
export interface ConvSizes {
  readonly x: readonly [number, number, number, number];
  readonly k: readonly [number, number, number];
  readonly stride?: Pair;
  readonly padding?: Sides;
  readonly dilation?: Pair;
  readonly groups?: number;
  /** Of the forward pass and the input gradient. */
  readonly epilogue?: Epilogue;
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
}

/** The variants that must apply to each form, and are compared with its reference. None: the form isn't checked. */
export interface ConvVariants {
  readonly forward?: readonly string[];
  readonly input?: readonly string[];
  readonly weight?: readonly string[];
}

/** Operands of an epilogue for an output of a shape. */
export function epilogueOperands(
  { bias, affine, residual, slope }: Epilogue,
  y: Shape,
  dtype: DType = "f32",
): HostArray[] {
  const channels = [y[1]];
  return [
    ...(bias ? [noise(channels, 3, dtype)] : []),
    ...(affine ? [noise(channels, 4, dtype), noise(channels, 5, dtype)] : []),
    ...(residual ? [noise(y, 6, dtype)] : []),
    ...(slope ? [noise(y, 8, dtype)] : []),
  ];
}

/** Checks variants of a convolution's three forms against the reference. */
export async function checkConvolution(
  sizes: ConvSizes,
  { forward, input, weight }: ConvVariants,
): Promise<void> {
  const {
    x: shape,
    k: [filters, rows, columns],
    stride = [1, 1],
    padding = [0, 0, 0, 0],
    dilation = [1, 1],
    groups = 1,
    epilogue,
    dtype = "f32",
    limits = {},
  } = sizes;
  const [batch, channels, height, width] = shape;
  const sliding = { stride, padding, dilation, groups };
  const taps = rows * columns;
  const x = noise(shape, 1, dtype);
  const w = noise([filters, channels / groups, rows, columns], 2, dtype);
  const [y] = conv2d.infer([x, w], sliding);
  const dy = noise(y.shape, 7, dtype);
  const operands = (like: Shape) =>
    epilogue ? epilogueOperands(epilogue, like, dtype) : [];
  if (forward) {
    const ran = await checkOp(conv2d, {
      inputs: [x, w, ...operands(y.shape)],
      attrs: { ...sliding, ...(epilogue && { epilogue }) },
      length: channels / groups * taps,
      limits,
      variants: forward,
    });
    assertEquals(ran, forward);
  }
  if (input) {
    const inputSize: Pair = [height, width];
    const ran = await checkOp(conv2dInputGradient, {
      inputs: [dy, w, ...operands(shape)],
      attrs: { ...sliding, inputSize, ...(epilogue && { epilogue }) },
      length: filters / groups * taps,
      limits,
      variants: input,
    });
    assertEquals(ran, input);
  }
  if (weight) {
    const kernelSize: Pair = [rows, columns];
    const ran = await checkOp(conv2dWeightGradient, {
      inputs: [x, dy],
      attrs: { ...sliding, kernelSize },
      length: batch * y.shape[2] * y.shape[3],
      limits,
      variants: weight,
    });
    assertEquals(ran, weight);
  }
}
