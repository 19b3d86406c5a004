/** Adaptive max pooling to any size and its gradient. */
import { gather } from "../move/gather.ts";
import { type Op, type Plan, planFirst, type Request } from "../op.ts";
import backwardCode from "./adaptive_max_pool2d_backward.wgsl" with {
  type: "text",
};
import code from "./adaptive_max_pool2d.wgsl" with { type: "text" };
import { planAdaptive } from "./adaptive_plan.ts";
import {
  type AdaptiveAttrs,
  type AdaptiveBackwardAttrs,
  adaptiveShape,
  adaptiveWindows,
  evenWindow,
} from "./adaptive_window.ts";
import { maxPool2d, maxPool2dBackward } from "./max_pool2d.ts";
import {
  expectFloat,
  expectIndices,
  expectShape,
  inputShape,
} from "./window.ts";

const NAIVE = { label: "wgsl/pool/adaptive_max_pool2d.wgsl", code };
const BACKWARD = {
  label: "wgsl/pool/adaptive_max_pool2d_backward.wgsl",
  code: backwardCode,
};

/**
 * Largest value of each window, and where it stands, windows being spread so that the output has the size that is asked for.
 *
 * `x: [N, C, H, W] → values: [N, C, OH, OW], indices: i32 [N, C, OH, OW]`, output row i from rows ⌊i·H/OH⌋ to below ⌈(i + 1)·H/OH⌉, and columns
 * likewise, an index being `h·W + w`, as in PyTorch. NaN is larger than everything; among equals the first counts.
 */
export const adaptiveMaxPool2d: Op<AdaptiveAttrs> = {
  name: "adaptiveMaxPool2d",
  infer([x], attrs) {
    const shape = adaptiveShape(x.shape, attrs);
    expectFloat(x);
    return [{ shape, dtype: x.dtype }, { shape, dtype: "i32" }];
  },
  variants: [
    {
      name: "even",
      applies: ({ inputs: [x], outputs: [y] }) =>
        evenWindow(x.shape, y.shape) !== null,
      plan: planEven,
    },
    { name: "naive", plan: planNaive },
  ],
  reference([x], [values, indices], { size }) {
    const [n, c, height, width] = x.shape;
    const rows = adaptiveWindows(height, size[0]);
    const columns = adaptiveWindows(width, size[1]);
    let out = 0;
    for (let plane = 0; plane < n * c; plane++) {
      for (const { start: top, end: bottom } of rows) {
        for (const { start: left, end: right } of columns) {
          let best = -Infinity;
          let found = -1;
          for (let h = top; h < bottom; h++) {
            for (let w = left; w < right; w++) {
              const v = x.data[(plane * height + h) * width + w];
              if (found >= 0 && !(v > best) && !Number.isNaN(v)) continue;
              best = v;
              found = h * width + w;
            }
          }
          values.data[out] = best;
          indices.data[out++] = found;
        }
      }
    }
  },
  gradient: {
    saves: { outputs: [1] },
    rule({ grads: [dy], outputs: [, indices], inputMetas, apply }) {
      if (!dy) return [null];
      const [, , height, width] = inputMetas[0].shape;
      return apply(adaptiveMaxPool2dBackward, [dy, indices], {
        inputSize: [height, width],
      });
    },
  },
};

/**
 * Gradient of `adaptiveMaxPool2d`: each input position sums the `dy` of the windows whose maximum it was.
 *
 * `dy, indices: [N, C, OH, OW] → dx: [N, C, H, W]`. The indices are those of the forward op: a position looks at the windows that cover it and at
 * no others.
 */
export const adaptiveMaxPool2dBackward: Op<AdaptiveBackwardAttrs> = {
  name: "adaptiveMaxPool2dBackward",
  infer([dy, indices], { inputSize }) {
    const shape = inputShape(dy, inputSize);
    const [, , ...size] = dy.shape;
    const pooled = adaptiveShape(shape, { size: [size[0], size[1]] });
    const call = "go back through adaptive max pooling";
    expectShape(dy.shape, pooled, call, "a gradient");
    expectShape(indices.shape, pooled, call, "indices");
    expectFloat(dy);
    expectIndices(indices);
    return [{ shape, dtype: dy.dtype }];
  },
  variants: [
    {
      name: "even",
      applies: ({ inputs: [dy], outputs: [dx] }) =>
        evenWindow(dx.shape, dy.shape) !== null,
      plan: planBackwardEven,
    },
    { name: "naive", plan: planBackwardNaive },
  ],
  reference([dy, indices], [dx], { inputSize: [height, width] }) {
    const pooled = dy.shape[2] * dy.shape[3];
    const sums = new Float64Array(dx.data.length);
    for (let i = 0; i < dy.data.length; i++) {
      const plane = Math.floor(i / pooled) * height * width;
      sums[plane + indices.data[i]] += dy.data[i];
    }
    dx.data.set(sums);
  },
  gradient: {
    saves: { inputs: [1] },
    rule({ grads: [ddx], inputs: [, indices], inputMetas, apply }) {
      if (!ddx) return [null, null];
      const { shape } = inputMetas[0];
      const flat = [shape[0], shape[1], -1];
      const [picked] = apply(
        gather,
        [ddx.reshape(flat), indices.reshape(flat)],
        { axis: 2 },
      );
      return [picked.reshape(shape), null];
    },
  },
};

/** Windows of one length that don't overlap are plain pooling's, which has faster kernels. */
function planEven(request: Request<AdaptiveAttrs>): Plan {
  const { inputs: [x], outputs: [y] } = request;
  const window = evenWindow(x.shape, y.shape);
  if (!window) throw new Error("Cannot pool evenly: windows overlap");
  const even = { ...request, attrs: window };
  return planFirst(maxPool2d, even);
}

function planBackwardEven(request: Request<AdaptiveBackwardAttrs>): Plan {
  const { inputs: [dy], outputs: [dx], attrs } = request;
  const window = evenWindow(dx.shape, dy.shape);
  if (!window) throw new Error("Cannot pool evenly: windows overlap");
  const even = { ...request, attrs: { ...window, ...attrs } };
  return planFirst(maxPool2dBackward, even);
}

function planNaive(request: Request<AdaptiveAttrs>): Plan {
  const { inputs: [x], outputs: [y] } = request;
  return planAdaptive(request, {
    kernel: NAIVE,
    seen: x.shape,
    made: y.shape,
    input: "seen",
    flops: 1,
  });
}

function planBackwardNaive(request: Request<AdaptiveBackwardAttrs>): Plan {
  const { inputs: [dy], outputs: [dx] } = request;
  return planAdaptive(request, {
    kernel: BACKWARD,
    seen: dy.shape,
    made: dx.shape,
    input: "made",
    flops: 1,
  });
}
