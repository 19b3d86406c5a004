/** Adaptive average pooling to any size and its gradient, each the other's adjoint. */
import { type Op, type Plan, planFirst, type Request } from "../op.ts";
import backwardCode from "./adaptive_avg_pool2d_backward.wgsl" with {
  type: "text",
};
import code from "./adaptive_avg_pool2d.wgsl" with { type: "text" };
import { planAdaptive } from "./adaptive_plan.ts";
import {
  type AdaptiveAttrs,
  type AdaptiveBackwardAttrs,
  adaptiveShape,
  adaptiveWindows,
  evenWindow,
} from "./adaptive_window.ts";
import {
  avgPool2d,
  type AvgPool2dAttrs,
  avgPool2dBackward,
} from "./avg_pool2d.ts";
import { expectFloat, expectShape, inputShape, type Pair } from "./window.ts";

const NAIVE = { label: "wgsl/pool/adaptive_avg_pool2d.wgsl", code };
const BACKWARD = {
  label: "wgsl/pool/adaptive_avg_pool2d_backward.wgsl",
  code: backwardCode,
};

/**
 * Mean of each window, windows being spread so that the output has the size that is asked for.
 *
 * `x: [N, C, H, W] → [N, C, OH, OW]`, output row i from rows ⌊i·H/OH⌋ to below ⌈(i + 1)·H/OH⌉, and columns likewise, as in PyTorch.
 */
export const adaptiveAvgPool2d: Op<AdaptiveAttrs> = {
  name: "adaptiveAvgPool2d",
  infer([x], attrs) {
    const shape = adaptiveShape(x.shape, attrs);
    expectFloat(x);
    return [{ shape, dtype: x.dtype }];
  },
  variants: [
    {
      name: "even",
      applies: ({ inputs: [x], outputs: [y] }) => isEven(x.shape, y.shape),
      plan: planEven,
    },
    { name: "naive", plan: planNaive },
  ],
  reference([x], [y], { size }) {
    const [n, c, height, width] = x.shape;
    const rows = adaptiveWindows(height, size[0]);
    const columns = adaptiveWindows(width, size[1]);
    let out = 0;
    for (let plane = 0; plane < n * c; plane++) {
      for (const { start: top, end: bottom } of rows) {
        for (const { start: left, end: right } of columns) {
          let sum = 0;
          for (let h = top; h < bottom; h++) {
            for (let w = left; w < right; w++) {
              sum += x.data[(plane * height + h) * width + w];
            }
          }
          y.data[out++] = sum / ((bottom - top) * (right - left));
        }
      }
    }
  },
  gradient: {
    rule({ grads: [dy], inputMetas, apply }) {
      if (!dy) return [null];
      const [, , height, width] = inputMetas[0].shape;
      return apply(adaptiveAvgPool2dBackward, [dy], {
        inputSize: [height, width],
      });
    },
  },
};

/**
 * Gradient of `adaptiveAvgPool2d`: each input position sums its share of the windows that cover it.
 *
 * `dy: [N, C, OH, OW] → dx: [N, C, H, W]`
 */
export const adaptiveAvgPool2dBackward: Op<AdaptiveBackwardAttrs> = {
  name: "adaptiveAvgPool2dBackward",
  infer([dy], { inputSize }) {
    const shape = inputShape(dy, inputSize);
    const [, , ...size] = dy.shape;
    const pooled = adaptiveShape(shape, { size: [size[0], size[1]] });
    const call = "go back through adaptive average pooling";
    expectShape(dy.shape, pooled, call, "a gradient");
    expectFloat(dy);
    return [{ shape, dtype: dy.dtype }];
  },
  variants: [
    {
      name: "even",
      applies: ({ inputs: [dy], outputs: [dx] }) => isEven(dx.shape, dy.shape),
      plan: planBackwardEven,
    },
    { name: "naive", plan: planBackwardNaive },
  ],
  reference([dy], [dx], { inputSize: [height, width] }) {
    const [n, c, outHeight, outWidth] = dy.shape;
    const rows = adaptiveWindows(height, outHeight);
    const columns = adaptiveWindows(width, outWidth);
    const sums = new Float64Array(dx.data.length);
    let out = 0;
    for (let plane = 0; plane < n * c; plane++) {
      for (const { start: top, end: bottom } of rows) {
        for (const { start: left, end: right } of columns) {
          const share = dy.data[out++] / ((bottom - top) * (right - left));
          for (let h = top; h < bottom; h++) {
            for (let w = left; w < right; w++) {
              sums[(plane * height + h) * width + w] += share;
            }
          }
        }
      }
    }
    dx.data.set(sums);
  },
  gradient: {
    rule({ grads: [ddx], inputMetas, apply }) {
      if (!ddx) return [null];
      const [, , height, width] = inputMetas[0].shape;
      return apply(adaptiveAvgPool2d, [ddx], { size: [height, width] });
    },
  },
};

function isEven(input: readonly number[], output: readonly number[]): boolean {
  return evenWindow(input, output) !== null;
}

/** Attributes of the plain pooling that does the same. */
function evenAttrs(
  input: readonly number[],
  output: readonly number[],
): AvgPool2dAttrs & { readonly inputSize: Pair } {
  const window = evenWindow(input, output);
  if (!window) throw new Error("Cannot pool evenly: windows overlap");
  const { kernel, stride, padding } = window;
  return {
    kernel,
    stride,
    padding,
    ceilMode: false,
    countIncludePad: true,
    inputSize: [input[2], input[3]],
  };
}

/** Windows of one length that don't overlap are plain pooling's, which has faster kernels. */
function planEven(request: Request<AdaptiveAttrs>): Plan {
  const { inputs: [x], outputs: [y] } = request;
  const even = { ...request, attrs: evenAttrs(x.shape, y.shape) };
  return planFirst(avgPool2d, even);
}

function planBackwardEven(request: Request<AdaptiveBackwardAttrs>): Plan {
  const { inputs: [dy], outputs: [dx] } = request;
  const even = { ...request, attrs: evenAttrs(dx.shape, dy.shape) };
  return planFirst(avgPool2dBackward, even);
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
    flops: 2,
  });
}
