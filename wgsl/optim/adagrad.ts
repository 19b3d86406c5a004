/** Adagrad (Duchi, Hazan & Singer 2011, figure 1), in PyTorch's order of operations. */
import { f32 } from "../launch.ts";
import code from "./adagrad.wgsl" with { type: "text" };
import { decayed } from "./sgd.ts";
import { stepOp } from "./step.ts";

/** Attributes of `adagradStep`. */
export interface AdagradAttrs {
  /** Learning rate. */
  readonly lr: number;
  /** Divides the learning rate of step t by 1 + (t − 1)·lrDecay. */
  readonly lrDecay: number;
  readonly weightDecay: number;
  /** Added to the root, against division by 0. */
  readonly eps: number;
  /** Whether to go up the gradient instead of down. @default false */
  readonly maximize?: boolean;
  /** Which step this is, from 1. */
  readonly step: number;
}

const stepSize = ({ lr, lrDecay, step }: AdagradAttrs) =>
  lr / (1 + (step - 1) * lrDecay);

/**
 * One step of Adagrad of `count` parameters, in place: `sum += g²`, `param −= lr / (1 + (t − 1)·lrDecay) · g / (√sum + eps)`.
 *
 * `(param, grad: […], sum)… → (param, sum)…`
 */
export const adagradStep = stepOp<AdagradAttrs>({
  name: "adagradStep",
  code,
  states: () => 1,
  flops: 9,
  words: (attrs) => [
    f32(attrs.maximize ? -1 : 1),
    f32(stepSize(attrs)),
    f32(attrs.weightDecay),
    f32(attrs.eps),
  ],
  update(p, grad, s, attrs) {
    const g = decayed(p, grad, attrs);
    s[0] += g * g;
    return p - stepSize(attrs) * g / (Math.sqrt(s[0]) + attrs.eps);
  },
});
