/**
 * The epilogue of a normalisation: a shortcut and an activation, applied where y is stored. A bias and a scale of its own a normalisation has anyway.
 *
 *     y = activation((x − mean) / √(variance + eps) · weight + bias + residual)
 */
import type { Tensor } from "../../core/tensor.ts";
import {
  checkEpilogue,
  type EpilogueCode,
  epilogueCode,
  epilogueReference,
} from "../epilogue.ts";
import { epilogueGradient, savesOutput } from "../epilogue_gradient.ts";
import type { Box } from "../launch.ts";
import type {
  DType,
  GradientContext,
  HostArray,
  Meta,
  Op,
  Saves,
} from "../op.ts";
import type { Operand } from "../reduce/parts.ts";
import { channelsOf, type NormAttrs } from "./geometry.ts";

/** How many of an op's inputs stand before its epilogue's: weight and bias are the last of these, the first of them at `first`. */
export function ownInputs({ weight, bias }: NormAttrs, first: number): number {
  return first + Number(weight) + Number(bias);
}

/** Refuses an epilogue that a normalisation can't end in, or whose operands don't fit. */
export function checkFinish(
  inputs: readonly Meta[],
  attrs: NormAttrs,
  first: number,
): void {
  const { epilogue } = attrs;
  if (!epilogue) return;
  if (epilogue.slope) {
    throw new TypeError(
      "Cannot normalise with a slope in the epilogue: expected a residual or an activation",
    );
  }
  if (epilogue.bias || epilogue.affine) {
    const part = epilogue.bias ? "a bias" : "a scale and shift";
    throw new TypeError(
      `Cannot normalise with ${part} in the epilogue: weight and bias are inputs of its own, expected a residual or an activation`,
    );
  }
  const own = ownInputs(attrs, first);
  const channels = channelsOf(attrs);
  checkEpilogue(inputs, epilogue, own, inputs[0], channels, "Cannot normalise");
}

/** The epilogue of a launch that writes a box of `y`, of this dtype. The residual lies as `y` does. */
export function finishCode(
  attrs: NormAttrs,
  first: number,
  binding: number,
  { strides, offset }: Operand,
  dtype: DType,
  box: Box,
): EpilogueCode {
  const output = { strides, offset, dtype };
  // No part of it is per channel.
  const windows = { channels: output, output, box };
  return epilogueCode(
    attrs.epilogue,
    ownInputs(attrs, first),
    binding,
    windows,
  );
}

/** The same on the host: what becomes of a normalised value at an element of y. */
export function finishReference(
  inputs: readonly HostArray[],
  attrs: NormAttrs,
  first: number,
): (value: number, at: number) => number {
  const own = ownInputs(attrs, first);
  const finish = epilogueReference(attrs.epilogue, own, inputs);
  return (value, at) => finish(value, 0, at);
}

/** What the rule of an op must keep, which itself reads `given`: for an activation that isn't told from y, all that y is made of. */
export function savesOf(
  attrs: NormAttrs,
  first: number,
  given: Required<Saves>,
): Saves {
  const { epilogue } = attrs;
  if (!epilogue?.activation) return given;
  if (savesOutput(epilogue)) {
    return { ...given, outputs: [...new Set([0, ...given.outputs])] };
  }
  const count = ownInputs(attrs, first) + Number(epilogue.residual ?? false);
  return { ...given, inputs: Array.from({ length: count }, (_, i) => i) };
}

/** The rule of an op with an epilogue, from that of the op without. */
export function throughFinish(
  op: Op<NormAttrs>,
  first: number,
  rule: (context: GradientContext<NormAttrs>) => (Tensor | null)[],
  context: GradientContext<NormAttrs>,
): (Tensor | null)[] {
  const { attrs: { epilogue, ...plain }, grads, inputs, apply } = context;
  if (!epilogue) return rule(context);
  const own = ownInputs(plain, first);
  const [dy, ...others] = grads;
  const { sum, operands } = dy
    ? epilogueGradient({
      context,
      epilogue,
      first: own,
      dy,
      axis: 0,
      again: (given, epilogue) => apply(op, given, { ...plain, epilogue })[0],
    })
    : { sum: null, operands: epilogue.residual ? [null] : [] };
  const gradients = rule({
    ...context,
    attrs: plain,
    grads: [sum, ...others],
    inputs: inputs.slice(0, own),
    inputMetas: context.inputMetas.slice(0, own),
    needs: context.needs.slice(0, own),
  });
  return [...gradients, ...operands];
}
