/** Choosing between values, and keeping them between bounds. */
import type { Tensor } from "../../core/tensor.ts";
import { DTypeError } from "../errors.ts";
import { isFloat } from "../move/convert.ts";
import type { Apply, DType, Meta, Op } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { arithmetic, bits, integer, logical } from "./library.ts";
import { as, eachElement } from "./loops.ts";
import { type Formula, variantsOf } from "./plan.ts";
import { promote } from "./promote.ts";
import { fitTo, numberIn } from "./scalar.ts";

/** Numbers in place of the tensors that `where` chooses from. Those that are given are left out of its inputs. */
export interface WhereAttrs {
  /** Chosen where the condition holds. */
  readonly yes?: number;
  /** Chosen elsewhere. */
  readonly no?: number;
}

/**
 * One value where a condition holds, another elsewhere: y = condition ? yes : no. All broadcast.
 *
 * Inputs are the condition (bool) and those of yes and no that `attrs` doesn't give as numbers; {@linkcode whereCall} makes both. The values
 * promote as in arithmetic. Throws a DTypeError for a condition that isn't bool.
 */
export const where: Op<WhereAttrs> = {
  name: "where",
  strided: true,
  infer([condition, ...values], attrs) {
    if (condition.dtype !== "bool") {
      throw new DTypeError(
        `Cannot choose by ${condition.dtype} values: expected bool, which comparisons give, for instance ne(0)`,
        [condition.dtype],
      );
    }
    const shape = values.reduce<readonly number[]>(
      (soFar, value) => broadcastShapes(soFar, value.shape, "choose between"),
      condition.shape,
    );
    return [{ shape, dtype: chosenType(values, attrs) }];
  },
  elementwise: chosen,
  variants: variantsOf(({ inputs, attrs }) => chosen(inputs, attrs)),
  reference([condition, ...values], [y], { yes, no }) {
    const convert = (n: number) => as(n, y.dtype);
    eachElement([condition, ...values], y, (truth, ...rest) => {
      const first = yes ?? rest[0];
      const second = no ?? rest[rest.length - 1];
      return convert(truth !== 0 ? first : second);
    });
  },
  gradient: {
    saves: { inputs: [0] },
    rule({ grads: [dy], inputs: [condition], inputMetas, needs, ...context }) {
      if (!dy) return inputMetas.map(() => null);
      const { attrs: { yes, no }, apply } = context;
      const flows = [
        ...(yes === undefined ? [() => choose(apply, condition, dy, 0)] : []),
        ...(no === undefined ? [() => choose(apply, condition, 0, dy)] : []),
      ];
      return [
        null,
        ...flows.map((flow, i) =>
          needs[i + 1] ? fitTo(flow(), inputMetas[i + 1]) : null
        ),
      ];
    },
  },
};

function chosen([, ...values]: readonly Meta[], attrs: WhereAttrs): Formula {
  const dtype = chosenType(values, attrs);
  const given = [attrs.yes, attrs.no].filter((n) => n !== undefined);
  const tensors = ["b", "c"];
  const numbers = ["arg(0u)", "arg(1u)"];
  const operand = (n: number | undefined) =>
    (n === undefined ? tensors : numbers).shift();
  return {
    call: `where_(a, ${operand(attrs.yes)}, ${operand(attrs.no)})`,
    functions: [isFloat(dtype) ? bits : integer, logical],
    dtype,
    numbers: given.map((n) => numberIn(n, dtype)),
    flops: 0,
  };
}

function chosenType(values: readonly Meta[], { yes, no }: WhereAttrs): DType {
  const numbers = [yes, no].filter((n) => n !== undefined);
  return promote(values, numbers, "choose between");
}

/** The inputs and attributes of a call of {@linkcode where}. */
export function whereCall<T extends object>(
  condition: T,
  yes: T | number,
  no: T | number,
): { readonly inputs: T[]; readonly attrs: WhereAttrs } {
  const inputs = [condition];
  if (typeof yes !== "number") inputs.push(yes);
  if (typeof no !== "number") inputs.push(no);
  return {
    inputs,
    attrs: {
      ...(typeof yes === "number" && { yes }),
      ...(typeof no === "number" && { no }),
    },
  };
}

/** {@linkcode where} in gradient rules. */
export function choose(
  apply: Apply,
  condition: Tensor,
  yes: Tensor | number,
  no: Tensor | number,
): Tensor {
  const { inputs, attrs } = whereCall(condition, yes, no);
  return apply(where, inputs, attrs)[0];
}

/** Bounds of {@linkcode clamp}; at least one is given. */
export interface ClampAttrs {
  readonly min?: number;
  readonly max?: number;
}

/**
 * Values below `min` become `min`, those above `max` become `max`: y = min(max(x, min), max). NaN stays, and a bound that is NaN is none.
 *
 * `x: [...] → y: [...]`. A bound that isn't an integer makes f32 of integers. The gradient passes at the bounds too. Throws a TypeError
 * without a bound, and a DTypeError for bool.
 */
export const clamp: Op<ClampAttrs> = {
  name: "clamp",
  strided: true,
  infer([x], attrs) {
    if (attrs.min === undefined && attrs.max === undefined) {
      throw new TypeError("Cannot clamp: give min, max or both");
    }
    if (x.dtype === "bool") {
      throw new DTypeError(
        'Cannot clamp bool values: convert them first, for instance with to("f32")',
        [x.dtype],
      );
    }
    return [{ shape: x.shape, dtype: clampType(x, attrs) }];
  },
  elementwise: clamped,
  variants: variantsOf(({ inputs, attrs }) => clamped(inputs, attrs)),
  reference([x], [y], { min = NaN, max = NaN }) {
    const [low, high] = [min, max].map((n) =>
      Number.isNaN(n) ? n : as(n, y.dtype)
    );
    eachElement([x], y, (value) => {
      const raised = value < low ? low : value;
      return raised > high ? high : raised;
    });
  },
  gradient: {
    saves: { inputs: [0] },
    rule({ grads: [dy], inputs: [x], inputMetas: [meta], attrs, apply }) {
      if (!dy) return [null];
      const { min, max } = attrs;
      const above = min === undefined ? undefined : x.ge(min);
      const below = max === undefined ? undefined : x.le(max);
      const inside = above && below ? above.logicalAnd(below) : above ?? below;
      return [inside ? fitTo(choose(apply, inside, dy, 0), meta) : dy];
    },
  },
};

function boundsOf({ min, max }: ClampAttrs): number[] {
  return [min, max].filter((bound) => bound !== undefined);
}

function clampType(x: Meta, attrs: ClampAttrs): DType {
  return promote([x], boundsOf(attrs), "clamp to");
}

function clamped([x]: readonly Meta[], attrs: ClampAttrs): Formula {
  const dtype = clampType(x, attrs);
  const bounds = boundsOf(attrs);
  const side = attrs.max === undefined
    ? "low"
    : attrs.min === undefined
    ? "high"
    : "both";
  const args = bounds.map((_, i) => `arg(${i}u)`);
  return {
    call: `clamp_${side}(${["a", ...args].join(", ")})`,
    functions: [isFloat(dtype) ? arithmetic : integer],
    dtype,
    numbers: bounds.map((bound) => numberIn(bound, dtype)),
    flops: bounds.length,
  };
}
