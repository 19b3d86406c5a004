/** The ways to plan a fold over axes, shared by the ops that are one. */
import { fillPlan } from "../move/fill.ts";
import type { DType, Limits, Request, Variant } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { type Strategy, WORKGROUP } from "./deal.ts";
import type { Fold } from "./fold.ts";
import { operandOf } from "./parts.ts";
import { hasRuns, isShort, planReduction, type Reduction } from "./plan.ts";
import { isOfRows, planRows } from "./rows.ts";

/** What tells one folding op from another. */
export interface FoldRule<Attrs> {
  fold(dtype: DType): Fold;
  /** The axes to fold, ascending, and whether they stay as axes of size 1. */
  axes(attrs: Attrs): readonly number[];
  keepDims(attrs: Attrs): boolean;
  /** Result over no elements, for ops that have one. */
  readonly empty?: number;
}

/** Variants of an op with one input and one output. */
export function foldVariants<Attrs>(rule: FoldRule<Attrs>): Variant<Attrs>[] {
  return [
    variant(rule, "rows", isOfRows),
    variant(rule, "vectors", hasRuns),
    variant(rule, "chunk", () => true),
    variant(rule, "tree", ({ reduced }) => sizeOf(reduced) >= WORKGROUP),
    variant(rule, "naive", isShort),
  ];
}

function variant<Attrs>(
  rule: FoldRule<Attrs>,
  name: Strategy | "rows",
  applies: (reduction: Reduction, limits: Limits) => boolean,
): Variant<Attrs> {
  const isEmpty = ({ inputs: [x] }: Request<Attrs>) => sizeOf(x.shape) === 0;
  return {
    name,
    applies: (request) =>
      isEmpty(request) || applies(reductionOf(rule, request), request.limits),
    plan(request) {
      const { outputs: [y], limits } = request;
      if (sizeOf(y.shape) === 0) return { launches: [] };
      if (isEmpty(request)) return fillPlan(y, rule.empty ?? 0, limits);
      const reduction = reductionOf(rule, request);
      return name === "rows"
        ? planRows(reduction, limits)
        : planReduction(reduction, name, limits);
    },
  };
}

function reductionOf<Attrs>(
  rule: FoldRule<Attrs>,
  { inputs: [x], outputs: [y], attrs }: Request<Attrs>,
): Reduction {
  const axes = rule.axes(attrs).filter((d) => d < x.shape.length);
  const kept = x.shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const input = operandOf("input", 0, x, [...kept, ...axes]);
  const output = operandOf(
    "output",
    0,
    y,
    rule.keepDims(attrs) ? kept : undefined,
  );
  return {
    fold: rule.fold(x.dtype),
    kept: kept.map((d) => x.shape[d]),
    reduced: axes.map((d) => x.shape[d]),
    input,
    output: { ...output, strides: [...output.strides, ...axes.map(() => 0)] },
  };
}
