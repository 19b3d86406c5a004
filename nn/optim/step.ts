/** Steps of optimisers as data: what each remembers, and the op that makes it. */
import { apply, type Tensor } from "../../core/tensor.ts";
import type { AnyOp, Op } from "../../wgsl/op.ts";

/** What an optimiser remembers of a parameter. */
export interface Memory {
  /** Steps that the parameter has made. */
  readonly steps: number;
  /** Names of what is remembered of each element, in the order in which the rule takes them. */
  readonly names: readonly string[];
}

/** How parameters with the same memory make a step. */
export interface Step {
  /** What the step remembers, by PyTorch's names. */
  readonly names: readonly string[];
  /** What it is at first. @default 0 */
  readonly initial?: number;
  /** Runs it on `count` parameters: `param, grad, state, …`, without states where there are no names. */
  run(count: number, operands: readonly Tensor[]): void;
  /** The op that it runs for `count` parameters, where that is all that it does. A plan can make such steps. */
  readonly op?: (count: number) => AnyOp;
  /** The op's attributes. */
  readonly attrs?: unknown;
}

/** A call that the next step makes, as a plan sees it. */
export interface ComingCall {
  readonly op: AnyOp;
  /** Parameters, and what is remembered of them. */
  readonly operands: readonly Tensor[];
  /** Its attributes that many steps after the next one, by the options of now. */
  attrs(later: number): unknown;
}

/** A step by an op of wgsl/optim. */
export function stepBy<Attrs>(
  op: (count: number) => Op<Attrs>,
  attrs: Attrs,
  names: readonly string[],
): Step {
  return {
    names,
    op,
    attrs,
    run: (count, operands) => void apply(op(count), operands, attrs),
  };
}
