/** Average pooling over planes and its gradient, each the other's adjoint. */
import { ShapeError } from "../errors.ts";
import type { Op, Plan, Request, Shape } from "../op.ts";
import backwardCode from "./avg_pool2d_backward.wgsl" with { type: "text" };
import backwardTiledCode from "./avg_pool2d_backward_tiled.wgsl" with {
  type: "text",
};
import tiledCode from "./avg_pool2d_tiled.wgsl" with { type: "text" };
import code from "./avg_pool2d.wgsl" with { type: "text" };
import {
  passSize,
  passTrips,
  planeLaunches,
  windowPasses,
} from "./launches.ts";
import { fitsBlocks, fitsTiles, inputTiles, outputTiles } from "./tiles.ts";
import {
  covered,
  coverOverrides,
  expectFloat,
  expectShape,
  inputShape,
  kernelOverrides,
  type Pair,
  pooledSize,
  type PoolWindow,
  stepOverrides,
  windowsOver,
} from "./window.ts";

const NAIVE = { label: "wgsl/pool/avg_pool2d.wgsl", code };
const TILED = { label: "wgsl/pool/avg_pool2d_tiled.wgsl", code: tiledCode };
const BACKWARD = {
  label: "wgsl/pool/avg_pool2d_backward.wgsl",
  code: backwardCode,
};
const BACKWARD_TILED = {
  label: "wgsl/pool/avg_pool2d_backward_tiled.wgsl",
  code: backwardTiledCode,
};

/** Attributes of `avgPool2d`. */
export interface AvgPool2dAttrs extends Omit<PoolWindow, "dilation"> {
  /** Whether padding counts among the elements of a window. What ceil mode adds beyond it never does. */
  readonly countIncludePad: boolean;
  /** What sums are divided by, whatever the window holds. @default the elements that count */
  readonly divisor?: number;
}

/** Attributes of `avgPool2dBackward`: those of the forward op and the height and width of its input. */
export interface AvgPool2dBackwardAttrs extends AvgPool2dAttrs {
  readonly inputSize: Pair;
}

/**
 * Mean of each window.
 *
 * `x: [N, C, H, W] → [N, C, OH, OW]`
 */
export const avgPool2d: Op<AvgPool2dAttrs> = {
  name: "avgPool2d",
  infer([x], attrs) {
    const size = averagedSize(x.shape, attrs);
    expectFloat(x);
    return [{ shape: [x.shape[0], x.shape[1], ...size], dtype: x.dtype }];
  },
  variants: [
    {
      name: "tiled",
      applies: ({ attrs }) => fitsTiles(attrs),
      plan: planTiled,
    },
    { name: "naive", plan: planNaive },
  ],
  reference([x], [y], attrs) {
    const [, , height, width] = x.shape;
    const [n, c, outHeight, outWidth] = y.shape;
    const rows = covered(height, outHeight, attrs, 0);
    const columns = covered(width, outWidth, attrs, 1);
    const divisor = divisors([height, width], y.shape, attrs);
    let out = 0;
    for (let plane = 0; plane < n * c; plane++) {
      for (let oh = 0; oh < outHeight; oh++) {
        for (let ow = 0; ow < outWidth; ow++, out++) {
          let sum = 0;
          for (const h of rows[oh]) {
            for (const w of columns[ow]) {
              sum += x.data[(plane * height + h) * width + w];
            }
          }
          y.data[out] = sum / divisor(oh, ow);
        }
      }
    }
  },
  gradient: {
    rule({ attrs, grads: [dy], inputMetas, apply }) {
      if (!dy) return [null];
      const [, , height, width] = inputMetas[0].shape;
      const inputSize: Pair = [height, width];
      return apply(avgPool2dBackward, [dy], { ...attrs, inputSize });
    },
  },
};

/**
 * Gradient of `avgPool2d`: each input position sums its share of the windows that cover it.
 *
 * `dy: [N, C, OH, OW] → dx: [N, C, H, W]`
 */
export const avgPool2dBackward: Op<AvgPool2dBackwardAttrs> = {
  name: "avgPool2dBackward",
  infer([dy], attrs) {
    const shape = inputShape(dy, attrs.inputSize);
    const pooled = [...shape.slice(0, 2), ...averagedSize(shape, attrs)];
    const call = "go back through average pooling";
    expectShape(dy.shape, pooled, call, "a gradient");
    expectFloat(dy);
    return [{ shape, dtype: dy.dtype }];
  },
  variants: [
    {
      name: "tiled",
      applies: ({ attrs }) => fitsBlocks(attrs),
      plan: planBackwardTiled,
    },
    { name: "naive", plan: planBackwardNaive },
  ],
  reference([dy], [dx], attrs) {
    const [height, width] = attrs.inputSize;
    const [n, c, outHeight, outWidth] = dy.shape;
    const rows = covered(height, outHeight, attrs, 0);
    const columns = covered(width, outWidth, attrs, 1);
    const divisor = divisors([height, width], dy.shape, attrs);
    const sums = new Float64Array(dx.data.length);
    let out = 0;
    for (let plane = 0; plane < n * c; plane++) {
      for (let oh = 0; oh < outHeight; oh++) {
        for (let ow = 0; ow < outWidth; ow++, out++) {
          const share = dy.data[out] / divisor(oh, ow);
          for (const h of rows[oh]) {
            for (const w of columns[ow]) {
              sums[(plane * height + h) * width + w] += share;
            }
          }
        }
      }
    }
    dx.data.set(sums);
  },
  gradient: {
    rule({ attrs, grads: [ddx], apply }) {
      return ddx ? apply(avgPool2d, [ddx], attrs) : [null];
    },
  },
};

function averagedSize(shape: Shape, attrs: AvgPool2dAttrs): [number, number] {
  const size = pooledSize(shape, attrs);
  if (attrs.divisor === 0 || !Number.isFinite(attrs.divisor ?? 1)) {
    throw new ShapeError(
      `Cannot pool with divisor ${attrs.divisor}: expected a finite number other than 0`,
    );
  }
  return size;
}

/** What each window's sum is divided by. */
function divisors(
  size: Pair,
  pooled: Shape,
  attrs: AvgPool2dAttrs,
): (oh: number, ow: number) => number {
  const { kernel, stride, padding, countIncludePad, divisor } = attrs;
  const counts = ([0, 1] as const).map((axis) =>
    Array.from({ length: pooled[axis + 2] }, (_, o) => {
      const outer = countIncludePad ? padding[axis] : 0;
      const start = o * stride[axis] - padding[axis];
      const end = Math.min(start + kernel[axis], size[axis] + outer);
      return end - Math.max(start, -outer);
    })
  );
  return (oh, ow) => divisor ?? counts[0][oh] * counts[1][ow];
}

/** The overrides that every kernel of the family has. */
function overridesOf(attrs: AvgPool2dAttrs): Record<string, number> {
  return {
    ...kernelOverrides(attrs),
    ...stepOverrides(attrs),
    COUNT_PADDING: Number(attrs.countIncludePad),
    DIVISOR: attrs.divisor ?? 0,
  };
}

function planTiled(request: Request<AvgPool2dAttrs>): Plan {
  const { inputs: [x], outputs: [y], attrs } = request;
  const [, , ...size] = x.shape;
  const [, , height, width] = y.shape;
  const { params, ...tiles } = outputTiles([height, width], attrs);
  return {
    launches: planeLaunches(request, {
      kernel: TILED,
      constants: overridesOf(attrs),
      params: [...size, height, width, ...params],
      flops: height * width * attrs.kernel[0] * attrs.kernel[1],
      ...tiles,
    }),
  };
}

function planNaive(request: Request<AvgPool2dAttrs>): Plan {
  const { inputs: [x], outputs: [y], attrs, limits } = request;
  const [, , ...size] = x.shape;
  const [, , height, width] = y.shape;
  const passes = windowPasses(...attrs.kernel, limits);
  return {
    launches: passes.flatMap((pass) =>
      planeLaunches(request, {
        kernel: NAIVE,
        constants: { ...overridesOf(attrs), ...pass },
        invocations: height * width,
        params: [...size, height, width],
        trips: passTrips(pass),
        flops: height * width * passSize(pass),
      })
    ),
  };
}

function planBackwardTiled(request: Request<AvgPool2dBackwardAttrs>): Plan {
  const { inputs: [dy], attrs } = request;
  const [, , height, width] = dy.shape;
  const { params, ...tiles } = inputTiles(attrs.inputSize, width, attrs);
  return {
    launches: planeLaunches(request, {
      kernel: BACKWARD_TILED,
      constants: { ...overridesOf(attrs), ...coverOverrides(attrs) },
      params: [...attrs.inputSize, height, width, ...params],
      flops: height * width * attrs.kernel[0] * attrs.kernel[1],
      ...tiles,
    }),
  };
}

function planBackwardNaive(request: Request<AvgPool2dBackwardAttrs>): Plan {
  const { inputs: [dy], attrs, limits } = request;
  const [, , height, width] = dy.shape;
  const passes = windowPasses(...windowsOver(attrs), limits);
  return {
    launches: passes.flatMap((pass) =>
      planeLaunches(request, {
        kernel: BACKWARD,
        constants: {
          ...overridesOf(attrs),
          ...coverOverrides(attrs),
          ...pass,
        },
        invocations: attrs.inputSize[0] * attrs.inputSize[1],
        params: [...attrs.inputSize, height, width],
        trips: passTrips(pass),
        flops: height * width * passSize(pass),
      })
    ),
  };
}
