/**
 * The one geometry that batch, layer, group, instance and RMS normalisation share.
 *
 * A contiguous tensor is seen as `[outer, samples, groups, channels, space]`. Statistics are taken over outer, channels and space, so that there
 * are samples·groups of them; weight and bias stand over groups·channels. A batch norm of `[N, C, H, W]` is [N, 1, C, 1, H·W]; an instance norm
 * [1, N, C, 1, H·W]; a group norm [1, N, G, C/G, H·W]; a layer or RMS norm of rows of L is [1, rows, 1, L, 1].
 */
import type { Epilogue } from "../epilogue.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import type { DType, Limits, Meta, View } from "../op.ts";
import { cut, merge, type Operand, operandOf } from "../reduce/parts.ts";
import { formatShape, itemBytes, sizeOf, stridesOf } from "../shape.ts";
import type { Rows } from "../softmax/rows.ts";

/** Sizes of the five axes and what is done along them. */
export interface NormAttrs {
  readonly outer: number;
  readonly samples: number;
  readonly groups: number;
  /** Channels of one group. */
  readonly channels: number;
  readonly space: number;
  /** Added to the variance before its root is taken. */
  readonly eps: number;
  /** Whether the mean is subtracted. Without it (RMS norm) the mean counts as 0 and the variance is the mean square. */
  readonly centered: boolean;
  /** Whether there is a factor for each channel among the inputs. */
  readonly weight: boolean;
  /** Whether there is a summand for each channel among the inputs. */
  readonly bias: boolean;
  /** What is done to y where it is stored: a residual, whose input comes last, and an activation. The gradient's op has none. */
  readonly epilogue?: Epilogue;
}

/** The five sizes. */
export function spaceOf(attrs: NormAttrs): number[] {
  const { outer, samples, groups, channels, space } = attrs;
  return [outer, samples, groups, channels, space];
}

/** Elements that one mean is taken of. */
export function countOf({ outer, channels, space }: NormAttrs): number {
  return outer * channels * space;
}

/** Means that are taken. */
export function meansOf({ samples, groups }: NormAttrs): number {
  return samples * groups;
}

/** Length of weight and bias. */
export function channelsOf({ groups, channels }: NormAttrs): number {
  return groups * channels;
}

/** Element type of the statistics. */
export function statsDType(dtype: DType): DType {
  return dtype === "f64" ? "f64" : "f32";
}

/** Shape and type of the statistics: mean and variance of each group. */
export function statsMeta(dtype: DType, attrs: NormAttrs): Meta {
  return { shape: [meansOf(attrs), 2], dtype: statsDType(dtype) };
}

/** Shape and type of the sums of each channel over dy and over dy times the normalised x. */
export function sumsMeta(dtype: DType, attrs: NormAttrs): Meta {
  return { shape: [channelsOf(attrs), 2], dtype: statsDType(dtype) };
}

/** Refuses tensors that don't fit the geometry. `what` names the op. */
export function checkNorm(
  x: Meta,
  parameters: readonly Meta[],
  attrs: NormAttrs,
  what: string,
): void {
  if (!["f32", "f16", "f64"].includes(x.dtype)) {
    throw new DTypeError(
      `Cannot ${what} ${x.dtype}: expected one of f32, f16, f64`,
      [x.dtype],
    );
  }
  const sizes = spaceOf(attrs);
  const size = sizeOf(sizes);
  if (sizeOf(x.shape) !== size || size === 0) {
    throw new ShapeError(
      `Cannot ${what} ${formatShape(x.shape)} as ${
        formatShape(sizes)
      }: expected as many elements, at least one`,
      [x.shape, sizes],
    );
  }
  for (const { shape, dtype } of parameters) {
    const n = channelsOf(attrs);
    if (sizeOf(shape) !== n) {
      throw new ShapeError(
        `Cannot ${what} ${formatShape(x.shape)} with parameters ${
          formatShape(shape)
        }: expected ${n} elements, one a channel`,
        [x.shape, shape],
      );
    }
    const fits = x.dtype === "f64" || dtype === "f64"
      ? dtype === x.dtype
      : dtype === "f32" || dtype === "f16";
    if (!fits || dtype !== parameters[0].dtype) {
      throw new DTypeError(
        `Cannot ${what} ${x.dtype} with parameters of ${
          parameters.map((p) => p.dtype).join(" and ")
        }: expected both of one float type${
          x.dtype === "f64" ? ", f64" : ", f32 or f16"
        }`,
        [x.dtype, dtype],
      );
    }
  }
}

/** A tensor of x's shape as an operand over the five axes. */
export function wholeOperand(
  slot: Operand["slot"],
  index: number,
  view: View,
  attrs: NormAttrs,
): Operand {
  const strides = stridesOf(spaceOf(attrs));
  return { ...operandOf(slot, index, view), strides };
}

/** Weight or bias over the five axes. */
export function channelOperand(
  index: number,
  { dtype, offset }: View,
  { channels }: NormAttrs,
): Operand {
  const strides = [0, 0, channels, 1, 0];
  return { slot: "input", index, bytes: itemBytes(dtype), strides, offset };
}

/** Pairs of f32, one for each mean, over the five axes. */
export function meanPairs(
  slot: Operand["slot"],
  index: number,
  { groups }: NormAttrs,
): Operand {
  return { slot, index, bytes: 8, strides: [0, groups, 1, 0, 0], offset: 0 };
}

/** Pairs of f32, one for each channel, over the five axes. */
export function channelPairs(
  slot: Operand["slot"],
  index: number,
  { channels }: NormAttrs,
): Operand {
  return { slot, index, bytes: 8, strides: [0, 0, channels, 1, 0], offset: 0 };
}

/** What stands in for an operand that isn't there, as every binding needs one: one element, which is not read. */
export function placeholder(operand: Operand): Operand {
  return { ...operand, strides: operand.strides.map(() => 0) };
}

/** The whole space as rows along its innermost axis, as few axes as possible. */
export function rowsAlong(
  attrs: NormAttrs,
  operands: readonly Operand[],
): Rows {
  const merged = merge(spaceOf(attrs), operands.map((o) => o.strides));
  return {
    kept: merged.shape.slice(0, -1),
    n: merged.shape[merged.shape.length - 1],
    operands: operands.map((o, i) => ({ ...o, strides: merged.strides[i] })),
  };
}

/** Whether operands can be bound whole. */
export function fitWhole(
  attrs: NormAttrs,
  operands: readonly Operand[],
  limits: Limits,
): boolean {
  return cut(spaceOf(attrs), operands, limits, [0, 1, 2, 3, 4]) !== undefined;
}
