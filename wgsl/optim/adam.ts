/** Adam (Kingma & Ba 2015, algorithm 1), AdamW (Loshchilov & Hutter 2019, algorithm 2) and AMSGrad (Reddi et al. 2018, algorithm 2), in PyTorch's order of operations. */
import { f32 } from "../launch.ts";
import code from "./adam.wgsl" with { type: "text" };
import { decayed } from "./sgd.ts";
import { stepOp } from "./step.ts";

/** Attributes of `adamStep`. */
export interface AdamAttrs {
  /** Learning rate. */
  readonly lr: number;
  /** How much of the gradients' running mean a step keeps. */
  readonly beta1: number;
  /** How much of the squared gradients' running mean a step keeps. */
  readonly beta2: number;
  /** Added to the root of that mean, against division by 0. */
  readonly eps: number;
  readonly weightDecay: number;
  /** Whether decay shrinks the parameter directly (AdamW) instead of entering the gradient (Adam). */
  readonly decoupled: boolean;
  /** Whether the highest mean of squares so far takes the mean's place. @default false */
  readonly amsgrad?: boolean;
  /** Whether to go up the gradient instead of down. @default false */
  readonly maximize?: boolean;
  /** Which step this is, from 1: the running means start at 0 and are corrected for it. */
  readonly step: number;
}

/**
 * One step of Adam of `count` parameters, in place: `m` and `v` are running means of the gradient and of its square, and
 * `param −= lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps)`.
 *
 * `(param, grad: […], state)… → (param, state)…`; the state holds m, v and, with AMSGrad, the highest v.
 *
 * @throws {RangeError} when the step isn't a positive integer
 */
export const adamStep = stepOp<AdamAttrs>({
  name: "adamStep",
  code,
  states: ({ amsgrad }) => amsgrad ? 3 : 2,
  flops: 16,
  check({ step }) {
    if (Number.isInteger(step) && step >= 1) return;
    throw new RangeError(
      `Cannot make step ${step} of Adam: expected an integer from 1`,
    );
  },
  words: (attrs) => {
    const { lr, beta1, beta2, eps, weightDecay, decoupled, step } = attrs;
    return [
      f32(attrs.maximize ? -1 : 1),
      f32(decoupled ? 1 - lr * weightDecay : 1),
      f32(decoupled ? 0 : weightDecay),
      f32(beta1),
      f32(1 - beta1),
      f32(beta2),
      f32(1 - beta2),
      f32(lr / (1 - beta1 ** step)),
      f32(Math.sqrt(1 - beta2 ** step)),
      f32(eps),
    ];
  },
  update(param, grad, s, attrs) {
    const { lr, beta1, beta2, eps, weightDecay, decoupled, step } = attrs;
    const p = decoupled ? param * (1 - lr * weightDecay) : param;
    const g = decayed(
      p,
      grad,
      decoupled ? { ...attrs, weightDecay: 0 } : attrs,
    );
    s[0] = beta1 * s[0] + (1 - beta1) * g;
    s[1] = beta2 * s[1] + (1 - beta2) * g * g;
    if (attrs.amsgrad) s[2] = Math.max(s[2], s[1]);
    const square = attrs.amsgrad ? s[2] : s[1];
    const scale = Math.sqrt(square) / Math.sqrt(1 - beta2 ** step) + eps;
    return p - lr / (1 - beta1 ** step) * s[0] / scale;
  },
});
