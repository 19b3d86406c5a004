/** Binary cross-entropy, element by element: one launch each, where tensor calls would take seven. */
import { binary } from "./binary.ts";
import lossCode from "./functions/loss.wgsl" with { type: "text" };
import { activation, type FunctionSet } from "./library.ts";

const functions: FunctionSet = { code: lossCode, needs: [activation] };

/** ln x, but not below -100. */
const boundedLog = (logarithm: number) => logarithm < -100 ? -100 : logarithm;

/**
 * -(t·ln p + (1 - t)·ln(1 - p)) of a probability p and its target t, with logarithms from -100 on, as in PyTorch, so that p = 0 and 1 give a finite loss.
 * So does the gradient, (p - t) / max(p·(1 - p), 1e-12).
 */
export const binaryCrossEntropy = binary({
  name: "binaryCrossEntropy",
  wgsl: "binary_cross_entropy",
  functions,
  result: "float",
  value: (p, t) =>
    -(t * boundedLog(Math.log(p)) + (1 - t) * boundedLog(Math.log1p(-p))),
  flops: 60,
  gradient: {
    saves: { inputs: [0, 1] },
    left: ({ dy, a: p, b: t }) =>
      dy.mul(p.sub(t)).div(p.sub(p.square()).clamp({ min: 1e-12 })),
    right: ({ dy, a, b: t }) => {
      const p = t.zerosLike().add(a);
      return dy.mul(p.neg().log1p().sub(p.log()));
    },
  },
});

/** t·ln(1 + e⁻ˣ) + (1 - t)·ln(1 + eˣ): binary cross-entropy of the probability 1 / (1 + e⁻ˣ) of a score x and its target t, exact for any score. */
export const binaryCrossEntropyWithLogits = binary({
  name: "binaryCrossEntropyWithLogits",
  wgsl: "binary_cross_entropy_with_logits",
  functions,
  result: "float",
  value: (x, t) => {
    const rest = Math.log1p(Math.exp(-Math.abs(x)));
    return t * (rest + Math.max(-x, 0)) + (1 - t) * (rest + Math.max(x, 0));
  },
  flops: 100,
  gradient: {
    saves: { inputs: [0, 1] },
    left: ({ dy, a: x, b: t }) => dy.mul(x.sigmoid().sub(t)),
    right: ({ dy, a: x }) => dy.mul(x).neg(),
  },
});
