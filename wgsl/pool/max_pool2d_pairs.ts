/** Max pooling by windows of 2 × 2 side by side, and its gradient, in vectors: the pooling that most networks of the first years have. */
import type { Plan, Request } from "../op.ts";
import { planeLaunches } from "./launches.ts";
import type { MaxPool2dAttrs, MaxPool2dBackwardAttrs } from "./max_pool2d.ts";
import backwardCode from "./max_pool2d_backward_pairs.wgsl" with {
  type: "text",
};
import code from "./max_pool2d_pairs.wgsl" with { type: "text" };
import type { Pair } from "./window.ts";

const KERNEL = { label: "wgsl/pool/max_pool2d_pairs.wgsl", code };
const BACKWARD = {
  label: "wgsl/pool/max_pool2d_backward_pairs.wgsl",
  code: backwardCode,
};

/** Whether windows are 2 × 2, side by side and whole, and rows made of vectors. */
export function arePairs(
  { kernel, stride, padding, dilation }: MaxPool2dAttrs,
  [height, width]: Pair,
): boolean {
  return [...kernel, ...stride].every((n) => n === 2) &&
    padding.every((n) => n === 0) && dilation.every((n) => n === 1) &&
    height % 2 === 0 && width % 4 === 0;
}

/** Launches of the forward pass. */
export function planPairs(request: Request<MaxPool2dAttrs>): Plan {
  const [, , height, width] = request.inputs[0].shape;
  return {
    launches: planeLaunches(request, {
      kernel: KERNEL,
      constants: {},
      invocations: height * width / 8,
      params: [height / 2, width / 4],
      trips: 0,
      flops: height * width,
    }),
  };
}

/** Launches of the gradient. */
export function planBackwardPairs(
  request: Request<MaxPool2dBackwardAttrs>,
): Plan {
  const [height, width] = request.attrs.inputSize;
  return {
    launches: planeLaunches(request, {
      kernel: BACKWARD,
      constants: {},
      invocations: height * width / 8,
      params: [height / 2, width / 4],
      trips: 0,
      flops: height * width / 4,
    }),
  };
}
