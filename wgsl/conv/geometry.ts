/**
 * The geometry that the three forms of a convolution share: attributes, the checks on them, and the sizes that follow.
 *
 * Along each axis one relation ties a position of the input plane to a position of the output plane and a tap of the kernel:
 *
 *     input = output·stride + tap·dilation − padding
 *
 * The forward pass sums over taps for each output, the input gradient over taps for each input, the weight gradient over outputs for each tap.
 */
import type { Epilogue } from "../epilogue.ts";
import { DTypeError, LimitError, ShapeError } from "../errors.ts";
import type { DType, Limits, Meta, Shape } from "../op.ts";
import { formatShape, itemBytes, sameShape } from "../shape.ts";

/** Height and width. */
export type Pair = readonly [height: number, width: number];

/** What is added on each side of a plane, in elements. */
export type Sides = readonly [
  top: number,
  bottom: number,
  left: number,
  right: number,
];

/** How the planes of a tensor follow each other: all channels of an image and then the next image's, or all images of a channel and then the next channel's. */
export type PlaneOrder = "NCHW" | "CNHW";

/** How a kernel slides over planes. Lengths in elements. */
export interface Conv2dAttrs {
  readonly stride: Pair;
  /** Zeros around each plane. */
  readonly padding: Sides;
  /** Distance between neighbouring taps. */
  readonly dilation: Pair;
  /** Parts that the channels are split into, each convolved by itself: output channels of a part see input channels of the same part only. */
  readonly groups: number;
}

/** How a kernel slides, what is done to the sums before they are stored, and how planes lie. */
export interface FusedConv2dAttrs extends Conv2dAttrs {
  /** Its operands follow the two inputs. */
  readonly epilogue?: Epilogue;
  /** The order of x's planes, as its shape says: `[C, N, H, W]` for CNHW. @default NCHW */
  readonly inputOrder?: PlaneOrder;
  /** The order of y's planes, and of those operands of the epilogue that have y's shape. @default NCHW */
  readonly outputOrder?: PlaneOrder;
}

/** All sizes of a convolution of `x: [N, G·C, H, W]` with `w: [G·K, C, R, S]` to `y: [N, G·K, OH, OW]`. */
export interface Geometry {
  readonly batch: number;
  readonly groups: number;
  /** Input channels of a group. */
  readonly inChannels: number;
  /** Output channels of a group. */
  readonly outChannels: number;
  readonly input: Pair;
  readonly output: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Zeros above and to the left; those below and to the right only count for the output size. */
  readonly padding: Pair;
  readonly inputOrder: PlaneOrder;
  readonly outputOrder: PlaneOrder;
}

/** Largest stride, dilation and padding: positions then stay within 32 bits. */
const MAX_STEP = 65535;

/** The attributes of the sliding alone, without what a gradient op adds to them. */
export function slidingOf(
  { stride, padding, dilation, groups }: Conv2dAttrs,
): Conv2dAttrs {
  return { stride, padding, dilation, groups };
}

/**
 * Sizes of a convolution.
 *
 * @param call What is being done, as the start of an error message: `Cannot convolve …`
 * @throws {ShapeError} when the shapes and attributes don't fit each other
 */
export function geometryOf(
  x: Shape,
  w: Shape,
  attrs: Omit<FusedConv2dAttrs, "epilogue">,
  call: string,
): Geometry {
  const fail = (why: string) => new ShapeError(`${call}: ${why}`, [x, w]);
  checkSliding(attrs, call, [x, w]);
  if (x.length !== 4) {
    throw fail(
      `the input needs 4 axes [batch, channels, height, width], not ${x.length}${
        x.length === 3
          ? `; unsqueeze(0) makes one image a batch, ${formatShape([1, ...x])}`
          : ""
      }`,
    );
  }
  if (w.length !== 4) {
    throw fail(
      `the weight needs 4 axes [output channels, input channels / groups, height, width], not ${w.length}`,
    );
  }
  const { stride, padding, dilation, groups } = attrs;
  const { inputOrder = "NCHW", outputOrder = "NCHW" } = attrs;
  const [batch, channels, ...input] = inOrder(x, inputOrder) as readonly [
    number,
    number,
    ...Pair,
  ];
  const [filters, inChannels, ...kernel] = w as readonly [
    number,
    number,
    ...Pair,
  ];
  if (channels % groups !== 0 || filters % groups !== 0) {
    const [count, which] = channels % groups !== 0
      ? [channels, "input"]
      : [filters, "output"];
    throw fail(
      `${groups} groups don't divide ${count} ${which} channels`,
    );
  }
  if (channels !== inChannels * groups) {
    throw fail(
      `the input has ${channels} channels, the weight expects ${
        inChannels * groups
      } (${inChannels} a group × ${groups} groups)`,
    );
  }
  const positive = (pair: Pair) =>
    pair.every((n) => Number.isInteger(n) && n > 0);
  if (channels === 0) throw fail("the input has no channels");
  if (filters === 0) throw fail("the weight has no output channels");
  if (!positive(input)) {
    throw fail("the input's height and width must be positive");
  }
  if (!positive(kernel)) {
    throw fail("the kernel's height and width must be positive");
  }
  const length = (axis: 0 | 1, name: string) => {
    const [size, before, after, taps, step, hop] = [
      input[axis],
      padding[2 * axis],
      padding[2 * axis + 1],
      kernel[axis],
      stride[axis],
      dilation[axis],
    ];
    const n = Math.floor(
      (size + before + after - hop * (taps - 1) - 1) / step,
    ) + 1;
    if (n > 0) return n;
    throw fail(
      `output ${name} floor((${size} + ${before} + ${after} - ${hop}*(${taps} - 1) - 1) / ${step}) + 1 = ${n} is not positive`,
    );
  };
  return {
    batch,
    groups,
    inChannels,
    outChannels: filters / groups,
    input,
    output: [length(0, "height"), length(1, "width")],
    kernel,
    stride,
    dilation,
    padding: [padding[0], padding[2]],
    inputOrder,
    outputOrder,
  };
}

/** Refuses the gradient of a convolution whose planes don't lie image by image. */
export function requireImageByImage(
  { inputOrder = "NCHW", outputOrder = "NCHW" }: Pick<
    FusedConv2dAttrs,
    "inputOrder" | "outputOrder"
  >,
  operands: readonly Meta[],
): void {
  if (inputOrder === "NCHW" && outputOrder === "NCHW") return;
  throw new ShapeError(
    "Cannot differentiate a convolution of planes in another order than NCHW: passes over traced graphs make it, after backward",
    operands.map(({ shape }) => shape),
  );
}

/** The shape `[N, C, …]` of planes that follow each other in an order, and back. */
export function inOrder(
  shape: Shape,
  order: PlaneOrder = "NCHW",
): Shape {
  const [first, second, ...plane] = shape;
  return order === "NCHW" ? shape : [second, first, ...plane];
}

function checkSliding(
  { stride, padding, dilation, groups }: Conv2dAttrs,
  call: string,
  shapes: readonly Shape[],
): void {
  const check = (
    name: string,
    values: readonly number[],
    count: number,
    least: number,
  ) => {
    const fits = values.length === count &&
      values.every((n) => Number.isInteger(n) && n >= least && n <= MAX_STEP);
    if (fits) return;
    throw new ShapeError(
      `${call}: expected ${name} of ${count} integers from ${least} to ${MAX_STEP} but found ${
        formatShape(values)
      }`,
      shapes,
    );
  };
  check("stride [height, width]", stride, 2, 1);
  check("padding [top, bottom, left, right]", padding, 4, 0);
  check("dilation [height, width]", dilation, 2, 1);
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ShapeError(
      `${call}: expected a positive number of groups but found ${groups}`,
      shapes,
    );
  }
}

/** Checks that an operand has the shape that the others decide. `what` names it. */
export function expectShape(
  found: Shape,
  expected: Shape,
  call: string,
  what: string,
): void {
  if (sameShape(found, expected)) return;
  throw new ShapeError(
    `${call}: expected ${what} ${formatShape(expected)} but found ${
      formatShape(found)
    }`,
    [found, expected],
  );
}

/** The element type that all operands of a convolution share. */
export function floatType(operands: readonly Meta[], call: string): DType {
  const floats: readonly DType[] = ["f32", "f16", "f64"];
  const dtypes = operands.map(({ dtype }) => dtype);
  const [first] = dtypes;
  if (floats.includes(first) && dtypes.every((d) => d === first)) return first;
  throw new DTypeError(
    `${call}: expected operands of one type among ${
      floats.join(", ")
    } but found ${dtypes.join(", ")}`,
    dtypes,
  );
}

/** Shapes of the operands. */
export function shapesOf(
  g: Geometry,
): { x: number[]; w: number[]; y: number[] } {
  const channels = g.groups * g.inChannels;
  const filters = g.groups * g.outChannels;
  return {
    x: [...inOrder([g.batch, channels, ...g.input], g.inputOrder)],
    w: [filters, g.inChannels, ...g.kernel],
    y: [...inOrder([g.batch, filters, ...g.output], g.outputOrder)],
  };
}

/** Elements of a plane. */
export function area([height, width]: Pair): number {
  return height * width;
}

/** Checks that a plane can be bound at all: it is the smallest part that an operand is cut into. */
export function checkPlanes(g: Geometry, dtype: DType, limits: Limits): void {
  const limit = limits.maxStorageBufferBindingSize;
  for (
    const [name, size] of [["input", g.input], ["output", g.output]] as const
  ) {
    const asked = area(size) * itemBytes(dtype);
    if (asked <= limit) continue;
    throw new LimitError(
      `Cannot convolve ${
        size.join(" x ")
      } planes: one plane of the ${name} takes ${asked} bytes, and the device's maxStorageBufferBindingSize is ${limit}`,
      asked,
      limit,
    );
  }
}
