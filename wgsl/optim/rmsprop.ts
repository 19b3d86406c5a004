/** RMSprop (Hinton 2012, lecture 6e; centred: Graves 2013, equations 38 to 45), in PyTorch's order of operations. */
import { f32 } from "../launch.ts";
import code from "./rmsprop.wgsl" with { type: "text" };
import { decayed } from "./sgd.ts";
import { stepOp } from "./step.ts";

/** Attributes of `rmspropStep`. */
export interface RmspropAttrs {
  /** Learning rate. */
  readonly lr: number;
  /** How much of the running means a step keeps. */
  readonly alpha: number;
  /** Added to the root, against division by 0. */
  readonly eps: number;
  readonly weightDecay: number;
  /** Part of the last step that is taken again; 0 keeps no buffer. */
  readonly momentum: number;
  /** Whether the squared mean of the gradient is taken off the mean of its square, which leaves the variance. */
  readonly centered: boolean;
  /** Whether to go up the gradient instead of down. @default false */
  readonly maximize?: boolean;
}

/**
 * One step of RMSprop of `count` parameters, in place: `v = α·v + (1 − α)·g²`, `d = g / (√v + eps)`, and `param −= lr·d`, or with momentum
 * `buffer = momentum·buffer + d`, `param −= lr·buffer`.
 *
 * `(param, grad: […], state)… → (param, state)…`; the state holds v, then the mean of the gradient if centred, then the
 * buffer if there is momentum. A variance that rounding makes negative counts as 0, where PyTorch gives NaN.
 */
export const rmspropStep = stepOp<RmspropAttrs>({
  name: "rmspropStep",
  code,
  states: ({ centered, momentum }) =>
    1 + Number(centered) + Number(momentum > 0),
  flops: 16,
  words: (attrs) => [
    f32(attrs.maximize ? -1 : 1),
    f32(attrs.lr),
    f32(attrs.weightDecay),
    f32(attrs.alpha),
    f32(1 - attrs.alpha),
    f32(attrs.eps),
    f32(attrs.momentum),
    Number(attrs.centered),
  ],
  update(p, grad, s, attrs) {
    const { lr, alpha, eps, momentum, centered } = attrs;
    const g = decayed(p, grad, attrs);
    s[0] = alpha * s[0] + (1 - alpha) * g * g;
    let variance = s[0];
    if (centered) {
      s[1] = alpha * s[1] + (1 - alpha) * g;
      variance = Math.max(s[0] - s[1] ** 2, 0);
    }
    const direction = g / (Math.sqrt(variance) + eps);
    if (momentum <= 0) return p - lr * direction;
    const last = s.length - 1;
    s[last] = momentum * s[last] + direction;
    return p - lr * s[last];
  },
});
