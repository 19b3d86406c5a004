/** Stochastic gradient descent, plain and with momentum, in PyTorch's order of operations. */
import { f32 } from "../launch.ts";
import momentumCode from "./sgd_momentum.wgsl" with { type: "text" };
import code from "./sgd.wgsl" with { type: "text" };
import foursCode from "./sgd_fours.wgsl" with { type: "text" };
import twoCode from "./sgd_two.wgsl" with { type: "text" };
import { stepOp } from "./step.ts";

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
  /** Whether this is the buffer's first step, which fills it with the gradient; what it held doesn't matter. */
  readonly first: boolean;
}

/** `±grad + weightDecay·param`, as every rule here begins; an infinite parameter gives no NaN without decay. */
export function decayed(
  p: number,
  grad: number,
  { weightDecay, maximize }: Omit<SgdAttrs, "lr">,
): number {
  const g = maximize ? -grad : grad;
  return weightDecay === 0 ? g : g + weightDecay * p;
}

/**
 * One step of gradient descent of `count` parameters, in place: `param −= lr·g` with `g = ±grad + weightDecay·param`.
 *
 * `(param, grad: the same shape and floating-point type)… → param…`
 */
export const sgdStep = stepOp<SgdAttrs>({
  name: "sgdStep",
  code: {
    one: { label: "wgsl/optim/sgd.wgsl", code },
    two: { label: "wgsl/optim/sgd_two.wgsl", code: twoCode },
    fours: { label: "wgsl/optim/sgd_fours.wgsl", code: foursCode },
  },
  flops: 5,
  words: ({ lr, weightDecay, maximize }) => [
    f32(maximize ? -1 : 1),
    f32(lr),
    f32(weightDecay),
  ],
  update: (p, g, _, attrs) => p - attrs.lr * decayed(p, g, attrs),
});

/**
 * One step of gradient descent with momentum of `count` parameters, in place: `buffer = momentum·buffer + (1 − dampening)·g`, then
 * `param −= lr·buffer`, or with Nesterov's form `param −= lr·(g + momentum·buffer)`.
 *
 * `(param, grad: […], buffer)… → (param, buffer)…`. The form is PyTorch's, which differs from Sutskever et al. 2013 in that the learning
 * rate multiplies the whole buffer.
 */
export const sgdMomentumStep = stepOp<SgdMomentumAttrs>({
  name: "sgdMomentumStep",
  code: momentumCode,
  states: () => 1,
  flops: 10,
  words: (attrs) => [
    f32(attrs.maximize ? -1 : 1),
    f32(attrs.lr),
    f32(attrs.weightDecay),
    f32(attrs.momentum),
    f32(1 - attrs.dampening),
    Number(attrs.nesterov),
    Number(attrs.first),
  ],
  update(p, grad, s, attrs) {
    const { lr, momentum, dampening, nesterov, first } = attrs;
    const g = decayed(p, grad, attrs);
    s[0] = first ? g : momentum * s[0] + (1 - dampening) * g;
    return p - lr * (nesterov ? g + momentum * s[0] : s[0]);
  },
});
