/** Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2), in PyTorch's order of operations. */
import { f32 } from "../launch.ts";
import type { Op } from "../op.ts";
import code from "./adam.wgsl" with { type: "text" };
import { inferStep, stepVariants } from "./step.ts";

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
  /** Which step this is, from 1: the running means start at 0 and are corrected for it. */
  readonly step: number;
}

/**
 * One step of Adam, in place: `m` and `v` are running means of the gradient and of its square, and
 * `param −= lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps)`.
 *
 * `param, grad, m, v: the same shape and floating-point type → param, m, v`
 *
 * @throws {RangeError} when the step isn't a positive integer
 */
export const adamStep: Op<AdamAttrs> = {
  name: "adamStep",
  inPlace: [0, 2, 3],
  volatile: true,
  infer(inputs, { step }) {
    if (!Number.isInteger(step) || step < 1) {
      throw new RangeError(
        `Cannot make step ${step} of Adam: expected an integer from 1`,
      );
    }
    const names = ["a gradient", "a running mean", "a running mean of squares"];
    return inferStep(inputs, [0, 2, 3], names);
  },
  variants: stepVariants({
    kernel: { label: "wgsl/optim/adam.wgsl", code },
    flops: 16,
    params: (attrs) => {
      const { lr, beta1, beta2, eps, weightDecay, decoupled, step } = attrs;
      return [
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
  }, [0, 2, 3]),
  reference([param, grad, m, v], [paramOut, mOut, vOut], attrs) {
    const { lr, beta1, beta2, eps, weightDecay, decoupled, step } = attrs;
    const correction1 = 1 - beta1 ** step;
    const correction2 = 1 - beta2 ** step;
    for (let i = 0; i < paramOut.data.length; i++) {
      let p = param.data[i];
      let g = grad.data[i];
      if (weightDecay !== 0) {
        if (decoupled) p *= 1 - lr * weightDecay;
        else g += weightDecay * p;
      }
      const mean = beta1 * m.data[i] + (1 - beta1) * g;
      const square = beta2 * v.data[i] + (1 - beta2) * g * g;
      mOut.data[i] = mean;
      vOut.data[i] = square;
      const scale = Math.sqrt(square) / Math.sqrt(correction2) + eps;
      paramOut.data[i] = p - lr / correction1 * mean / scale;
    }
  },
};
