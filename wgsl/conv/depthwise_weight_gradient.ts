/**
 * Launches of the weight gradient of depthwise convolutions with up to 3 × 3 taps: sums over columns of outputs in runs of images, each a part,
 * then the parts' sum.
 *
 * On a software adapter of 2 cores it took 0.15 to 0.6 of the tiled kernel's time, from 64 channels of 112 × 112 to 1,024 of 7 × 7.
 */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import type { DType, Launch, Limits, Plan } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";
import { MAX_MULTIPLIER, MAX_STRIDE, MAX_TAPS } from "./depthwise.ts";
import rowsCode from "./depthwise_rows.wgsl" with { type: "text" };
import code from "./depthwise_weight_gradient.wgsl" with { type: "text" };
import { area, type Geometry, shapesOf } from "./geometry.ts";
import { sumParts } from "./parts.ts";
import { isImageByImage } from "./roles.ts";

const KERNEL = {
  label: "wgsl/conv/depthwise_weight_gradient.wgsl",
  code: `${code}\n${rowsCode}`,
};

/** Invocations of a workgroup, as written in the kernel. */
const WORKGROUP = 32;

/** Outputs of a row that an invocation sums at once. */
const COLUMNS = 4;

/** Invocations that keep a device busy: with fewer, images are dealt to more parts. */
const BUSY = 2048;

/** How the sum is dealt out. */
interface Deal {
  /** Columns of four outputs, and runs of so many images: each pair is a part. */
  readonly across: number;
  readonly runs: number;
  readonly images: number;
  /** Elements of the gradient, and bytes of all operands. */
  readonly count: number;
  readonly bytes: {
    readonly x: number;
    readonly dy: number;
    readonly dw: number;
    readonly parts: number;
  };
}

function dealOf(g: Geometry, dtype: DType): Deal {
  const shapes = shapesOf(g);
  const across = Math.ceil(g.output[1] / COLUMNS);
  const wanted = Math.ceil(BUSY / (g.groups * g.outChannels * across));
  const images = Math.max(1, Math.ceil(g.batch / wanted));
  const runs = Math.ceil(g.batch / images);
  const count = sizeOf(shapes.w);
  const bytes = (shape: readonly number[]) =>
    Math.ceil(sizeOf(shape) * itemBytes(dtype) / 4) * 4;
  return {
    across,
    runs,
    images,
    count,
    bytes: {
      x: bytes(shapes.x),
      dy: bytes(shapes.y),
      dw: bytes(shapes.w),
      parts: 4 * count * across * runs,
    },
  };
}

/** Loop trips of an invocation: rows of images, and the images. */
function tripsOf(g: Geometry, { images }: Deal): number {
  return images * (g.output[0] + 1);
}

/** Whether a weight gradient can be run by this kernel under the limits. */
export function isDepthwiseGradient(
  g: Geometry,
  dtype: DType,
  limits: Limits,
): boolean {
  const deal = dealOf(g, dtype);
  return isImageByImage(g) && g.batch > 0 && g.inChannels === 1 &&
    g.outChannels <= MAX_MULTIPLIER &&
    [0, 1].every((axis) =>
      g.kernel[axis] <= MAX_TAPS && g.stride[axis] <= MAX_STRIDE &&
      (g.dilation[axis] === 1 || g.kernel[axis] === 1)
    ) &&
    tripsOf(g, deal) <= limits.maxLoopTrips &&
    deal.across * deal.runs <= limits.maxLoopTrips &&
    Object.values(deal.bytes).every((bytes) =>
      bytes <= limits.maxStorageBufferBindingSize
    );
}

/** Launches of a weight gradient for which {@linkcode isDepthwiseGradient} holds. */
export function planDepthwiseGradient(
  g: Geometry,
  dtype: DType,
  limits: Limits,
): Plan {
  const deal = dealOf(g, dtype);
  const { across, runs, images, count, bytes } = deal;
  const channels = g.groups * g.outChannels;
  const whole = (size: number) => ({ offset: 0, size });
  const launch: Launch = {
    kernel: KERNEL,
    declarations: `alias T = ${storageType(dtype)};`,
    constants: {
      STRIDE_H: g.stride[0],
      STRIDE_W: g.stride[1],
      TAP_ROWS: g.kernel[0],
      TAP_COLUMNS: g.kernel[1],
    },
    bindings: [
      bind("input", 0, "read", whole(bytes.x)),
      bind("input", 1, "read", whole(bytes.dy)),
      bind("scratch", 0, "write", whole(bytes.parts)),
    ],
    params: words(
      g.batch,
      g.groups,
      g.outChannels,
      images,
      runs,
      ...g.input,
      ...g.output,
      ...g.padding,
    ),
    workgroups: linearGrid(across * channels * runs, WORKGROUP, limits),
    trips: tripsOf(g, deal),
    flops: 2 * count * g.batch * area(g.output),
    bytes: bytes.x + bytes.dy + bytes.parts,
  };
  const sum = sumParts(
    { groups: g.groups, kept: g.outChannels, run: area(g.kernel) },
    { parts: across * runs, bytes: bytes.parts },
    {
      dtype,
      window: { ...whole(bytes.dw), base: 0 },
      group: count / g.groups,
      kept: area(g.kernel),
    },
    limits,
  );
  return { launches: [launch, sum], scratch: [bytes.parts] };
}
