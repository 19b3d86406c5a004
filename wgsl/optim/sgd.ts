/** Stochastic gradient descent, plain and with momentum, in PyTorch's order of operations. */
import { f32 } from "../launch.ts";
import type { Op } from "../op.ts";
import momentumCode from "./sgd_momentum.wgsl" with { type: "text" };
import code from "./sgd.wgsl" with { type: "text" };
import { inferStep, stepVariants } from "./step.ts";

/** Attributes of `sgdStep`. */
export interface SgdAttrs {
  /** Learning rate. */
  readonly lr: number;
  /** Adds this times the parameter to its gradient. */
  readonly weightDecay: number;
  /** Whether to go up the gradient instead of down. @default false */
  readonly maximize?: boolean;
}

/** Attributes of `sgdMomentumStep`. */
export interface SgdMomentumAttrs extends SgdAttrs {
  readonly momentum: number;
  /** How much less than whole a gradient enters the buffer. The first step doesn't heed it. */
  readonly dampening: number;
  /** Whether to step along the gradient plus momentum times the buffer, instead of along the buffer. */
  readonly nesterov: boolean;
  /** Whether this is the buffer's first step, which fills it with the gradient; what it held is not read. */
  readonly first: boolean;
}

/**
 * One step of gradient descent, in place: `param −= lr·g` with `g = ±grad + weightDecay·param`.
 *
 * `param, grad: the same shape and floating-point type → param`
 */
export const sgdStep: Op<SgdAttrs> = {
  name: "sgdStep",
  inPlace: [0],
  volatile: true,
  infer: (inputs) => inferStep(inputs, [0], ["a gradient"]),
  variants: stepVariants({
    kernel: { label: "wgsl/optim/sgd.wgsl", code },
    flops: 5,
    params: ({ lr, weightDecay, maximize }) => [
      f32(maximize ? -1 : 1),
      f32(lr),
      f32(weightDecay),
    ],
  }, [0]),
  reference([param, grad], [out], { lr, weightDecay, maximize }) {
    for (let i = 0; i < out.data.length; i++) {
      let g = maximize ? -grad.data[i] : grad.data[i];
      if (weightDecay !== 0) g += weightDecay * param.data[i];
      out.data[i] = param.data[i] - lr * g;
    }
  },
};

/**
 * One step of gradient descent with momentum, in place: `buffer = momentum·buffer + (1 − dampening)·g`, then `param −= lr·buffer`, or with
 * Nesterov's form `param −= lr·(g + momentum·buffer)`.
 *
 * `param, grad, buffer: the same shape and floating-point type → param, buffer`. The form is PyTorch's, which differs from Sutskever et al.
 * 2013 in that the learning rate multiplies the whole buffer.
 */
export const sgdMomentumStep: Op<SgdMomentumAttrs> = {
  name: "sgdMomentumStep",
  inPlace: [0, 2],
  volatile: true,
  infer: (inputs) =>
    inferStep(inputs, [0, 2], ["a gradient", "a momentum buffer"]),
  variants: stepVariants({
    kernel: { label: "wgsl/optim/sgd_momentum.wgsl", code: momentumCode },
    flops: 10,
    params: (attrs) => [
      f32(attrs.maximize ? -1 : 1),
      f32(attrs.lr),
      f32(attrs.weightDecay),
      f32(attrs.momentum),
      f32(1 - attrs.dampening),
      Number(attrs.nesterov),
      Number(attrs.first),
    ],
  }, [0, 2]),
  reference([param, grad, buffer], [out, bufferOut], attrs) {
    const { lr, weightDecay, momentum, dampening, nesterov, first } = attrs;
    for (let i = 0; i < out.data.length; i++) {
      let g = attrs.maximize ? -grad.data[i] : grad.data[i];
      if (weightDecay !== 0) g += weightDecay * param.data[i];
      const b = first ? g : momentum * buffer.data[i] + (1 - dampening) * g;
      bufferOut.data[i] = b;
      out.data[i] = param.data[i] - lr * (nesterov ? g + momentum * b : b);
    }
  },
};
