/** Max pooling over planes, its gradient, and the gradient's own. */
import type { Kernel, Op, Plan, Request } from "../op.ts";
import {
  passSize,
  passTrips,
  planeLaunches,
  windowPasses,
} from "./launches.ts";
import backwardCode from "./max_pool2d_backward.wgsl" with { type: "text" };
import backwardTiledCode from "./max_pool2d_backward_tiled.wgsl" with {
  type: "text",
};
import gatherCode from "./max_pool2d_gather.wgsl" with { type: "text" };
import { arePairs, planBackwardPairs, planPairs } from "./max_pool2d_pairs.ts";
import tiledCode from "./max_pool2d_tiled.wgsl" with { type: "text" };
import code from "./max_pool2d.wgsl" with { type: "text" };
import {
  fitsBlocks,
  fitsTiles,
  inputTiles,
  outputTiles,
  type Tiles,
} from "./tiles.ts";
import {
  covered,
  coverOverrides,
  expectFloat,
  expectIndices,
  expectShape,
  inputShape,
  kernelOverrides,
  type Pair,
  pooledSize,
  type PoolWindow,
  stepOverrides,
  windowsOver,
} from "./window.ts";

const NAIVE = { label: "wgsl/pool/max_pool2d.wgsl", code };
const TILED = { label: "wgsl/pool/max_pool2d_tiled.wgsl", code: tiledCode };
const BACKWARD = {
  label: "wgsl/pool/max_pool2d_backward.wgsl",
  code: backwardCode,
};
const BACKWARD_TILED = {
  label: "wgsl/pool/max_pool2d_backward_tiled.wgsl",
  code: backwardTiledCode,
};
const GATHER = { label: "wgsl/pool/max_pool2d_gather.wgsl", code: gatherCode };

/** Attributes of `maxPool2d`. */
export interface MaxPool2dAttrs extends PoolWindow {
  readonly dilation: Pair;
}

/** Attributes of `maxPool2dBackward`: those of the forward op and the height and width of its input. */
export interface MaxPool2dBackwardAttrs extends MaxPool2dAttrs {
  readonly inputSize: Pair;
}

/**
 * Largest value of each window, and where it stands.
 *
 * `x: [N, C, H, W] → values: [N, C, OH, OW], indices: i32 [N, C, OH, OW]`, an index being `h·W + w` as in PyTorch. NaN is larger than
 * everything; among equals the first counts. A window that holds no element, which only dilation can make, gives −∞ and index −1.
 */
export const maxPool2d: Op<MaxPool2dAttrs> = {
  name: "maxPool2d",
  infer([x], attrs) {
    const size = pooledSize(x.shape, attrs);
    expectFloat(x);
    const shape = [x.shape[0], x.shape[1], ...size];
    return [{ shape, dtype: x.dtype }, { shape, dtype: "i32" }];
  },
  variants: [
    {
      name: "pairs",
      applies: ({ inputs: [x], attrs }) =>
        arePairs(attrs, [x.shape[2], x.shape[3]]),
      plan: planPairs,
    },
    {
      name: "tiled",
      applies: canTile,
      plan: (request) => planTiled(TILED, request, outputTiles),
    },
    { name: "naive", plan: (request) => planNaive(NAIVE, request) },
  ],
  reference([x], [values, indices], attrs) {
    const [n, c, height, width] = x.shape;
    const [, , outHeight, outWidth] = values.shape;
    const rows = covered(height, outHeight, attrs, 0);
    const columns = covered(width, outWidth, attrs, 1);
    let out = 0;
    for (let plane = 0; plane < n * c; plane++) {
      for (let oh = 0; oh < outHeight; oh++) {
        for (let ow = 0; ow < outWidth; ow++, out++) {
          let best = -Infinity;
          let found = -1;
          for (const h of rows[oh]) {
            for (const w of columns[ow]) {
              const v = x.data[(plane * height + h) * width + w];
              if (found >= 0 && !(v > best) && !Number.isNaN(v)) continue;
              best = v;
              found = h * width + w;
            }
          }
          values.data[out] = best;
          indices.data[out] = found;
        }
      }
    }
  },
  gradient: {
    saves: { outputs: [1] },
    rule({ attrs, grads: [dy], outputs: [, indices], inputMetas, apply }) {
      if (!dy) return [null];
      const [, , height, width] = inputMetas[0].shape;
      const inputSize: Pair = [height, width];
      return apply(maxPool2dBackward, [dy, indices], { ...attrs, inputSize });
    },
  },
};

/**
 * Gradient of `maxPool2d`: each input position sums the `dy` of the windows whose maximum it was.
 *
 * `dy, indices: [N, C, OH, OW] → dx: [N, C, H, W]`. The indices are those of the forward op with the same attributes: a position looks at the
 * windows that cover it and at no others.
 */
export const maxPool2dBackward: Op<MaxPool2dBackwardAttrs> = {
  name: "maxPool2dBackward",
  infer([dy, indices], attrs) {
    const shape = inputShape(dy, attrs.inputSize);
    const pooled = [...shape.slice(0, 2), ...pooledSize(shape, attrs)];
    const call = "go back through max pooling";
    expectShape(dy.shape, pooled, call, "a gradient");
    expectShape(indices.shape, pooled, call, "indices");
    expectFloat(dy);
    expectIndices(indices);
    return [{ shape, dtype: dy.dtype }];
  },
  variants: [
    {
      name: "pairs",
      applies: ({ attrs }) => arePairs(attrs, attrs.inputSize),
      plan: planBackwardPairs,
    },
    {
      name: "tiled",
      applies: ({ attrs }) => fitsBlocks(attrs),
      plan: planBackwardTiled,
    },
    { name: "naive", plan: planBackwardNaive },
  ],
  reference([dy, indices], [dx], { inputSize: [height, width] }) {
    const pooled = dy.shape[2] * dy.shape[3];
    const sums = new Float64Array(dx.data.length);
    for (let i = 0; i < dy.data.length; i++) {
      const at = indices.data[i];
      const plane = Math.floor(i / pooled) * height * width;
      if (at >= 0) sums[plane + at] += dy.data[i];
    }
    dx.data.set(sums);
  },
  gradient: {
    saves: { inputs: [1] },
    rule({ attrs, grads: [ddx], inputs: [, indices], apply }) {
      if (!ddx) return [null, null];
      return [...apply(maxPool2dGather, [ddx, indices], attrs), null];
    },
  },
};

/**
 * Picks the values that max pooling's indices point at: the adjoint of `maxPool2dBackward`.
 *
 * `x: [N, C, H, W], indices: [N, C, OH, OW] → [N, C, OH, OW]`, 0 where an index is −1.
 */
export const maxPool2dGather: Op<MaxPool2dBackwardAttrs> = {
  name: "maxPool2dGather",
  infer([x, indices], attrs) {
    const pooled = [...x.shape.slice(0, 2), ...pooledSize(x.shape, attrs)];
    const call = "gather by max pooling's indices";
    const shape = inputShape(indices, attrs.inputSize);
    expectShape(x.shape, shape, call, "values");
    expectShape(indices.shape, pooled, call, "indices");
    expectFloat(x);
    expectIndices(indices);
    return [{ shape: pooled, dtype: x.dtype }];
  },
  variants: [{ name: "naive", plan: planGather }],
  reference([x, indices], [y]) {
    const plane = x.shape[2] * x.shape[3];
    const pooled = y.shape[2] * y.shape[3];
    for (let i = 0; i < y.data.length; i++) {
      const at = indices.data[i];
      const base = Math.floor(i / pooled) * plane;
      y.data[i] = at < 0 ? 0 : x.data[base + at];
    }
  },
  gradient: {
    saves: { inputs: [1] },
    rule({ attrs, grads: [dy], inputs: [, indices], apply }) {
      if (!dy) return [null, null];
      return [...apply(maxPool2dBackward, [dy, indices], attrs), null];
    },
  },
};

/** Whether the tiled kernels go over the window. */
export function canTile({ attrs }: Request<PoolWindow>): boolean {
  return fitsTiles(attrs);
}

/** Plan of a tiled forward kernel, whether or not it writes indices. */
export function planTiled(
  kernel: Kernel,
  request: Request<MaxPool2dAttrs>,
  tilesOf: (size: Pair, window: PoolWindow) => Tiles,
): Plan {
  const { inputs: [x], outputs: [values], attrs } = request;
  const [, , ...size] = x.shape;
  const [, , height, width] = values.shape;
  const { params, ...tiles } = tilesOf([height, width], attrs);
  return {
    launches: planeLaunches(request, {
      kernel,
      constants: { ...kernelOverrides(attrs), ...stepOverrides(attrs) },
      params: [...size, height, width, ...params],
      flops: height * width * attrs.kernel[0] * attrs.kernel[1],
      ...tiles,
    }),
  };
}

/** Plan of a naive forward kernel, whether or not it writes indices. */
export function planNaive(
  kernel: Kernel,
  request: Request<MaxPool2dAttrs>,
): Plan {
  const { inputs: [x], outputs: [values], attrs, limits } = request;
  const [, , ...size] = x.shape;
  const [, , height, width] = values.shape;
  const passes = windowPasses(...attrs.kernel, limits);
  return {
    launches: passes.flatMap((pass) =>
      planeLaunches(request, {
        kernel,
        constants: {
          ...stepOverrides(attrs),
          DILATION_H: attrs.dilation[0],
          DILATION_W: attrs.dilation[1],
          ...pass,
        },
        invocations: height * width,
        params: [...size, height, width],
        trips: passTrips(pass),
        flops: height * width * passSize(pass),
      })
    ),
  };
}

function planBackwardTiled(request: Request<MaxPool2dBackwardAttrs>): Plan {
  const { inputs: [dy], attrs } = request;
  const [, , height, width] = dy.shape;
  const { params, ...tiles } = inputTiles(attrs.inputSize, width, attrs);
  return {
    launches: planeLaunches(request, {
      kernel: BACKWARD_TILED,
      constants: {
        ...kernelOverrides(attrs),
        ...stepOverrides(attrs),
        ...coverOverrides(attrs),
      },
      params: [...attrs.inputSize, height, width, ...params],
      flops: height * width,
      ...tiles,
    }),
  };
}

function planBackwardNaive(request: Request<MaxPool2dBackwardAttrs>): Plan {
  const { inputs: [dy], attrs, limits } = request;
  const [, , height, width] = dy.shape;
  const passes = windowPasses(...windowsOver(attrs), limits);
  return {
    launches: passes.flatMap((pass) =>
      planeLaunches(request, {
        kernel: BACKWARD,
        constants: {
          ...stepOverrides(attrs),
          ...coverOverrides(attrs),
          ...pass,
        },
        invocations: attrs.inputSize[0] * attrs.inputSize[1],
        params: [...attrs.inputSize, height, width],
        trips: passTrips(pass),
        flops: height * width,
      })
    ),
  };
}

function planGather(request: Request<MaxPool2dBackwardAttrs>): Plan {
  const { outputs: [y], attrs: { inputSize } } = request;
  const pooled = y.shape[2] * y.shape[3];
  return {
    launches: planeLaunches(request, {
      kernel: GATHER,
      constants: {},
      invocations: pooled,
      params: [inputSize[0] * inputSize[1], pooled],
      trips: 0,
      flops: 0,
    }),
  };
}
