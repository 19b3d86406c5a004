/** Making ops of one operand: y = f(x), element by element. */
import { DTypeError } from "../errors.ts";
import { f32 } from "../launch.ts";
import { isFloat } from "../move/convert.ts";
import type { Apply, DType, Gradient, Op } from "../op.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type FunctionSet, integer } from "./library.ts";
import { eachElement } from "./loops.ts";
import { type Formula, variantsOf } from "./plan.ts";
import { floatOf, isInteger } from "./promote.ts";
import { zerosLike } from "./scalar.ts";

/** Attributes of ops that have none. */
export type NoAttrs = Readonly<Record<string, never>>;

/** How a derivative is computed, from the input or from the output: one of them is kept until backward. */
export interface UnaryGradient<Attrs> {
  readonly of: "input" | "output" | "nothing";
  /** ∂loss/∂x from ∂loss/∂y, and from x or y as `of` says. */
  rule(
    dy: Tensor,
    value: Tensor,
    attrs: Attrs,
    apply: Apply,
  ): Tensor;
}

/** How far results may be from the true values, in units in the last place (ULP). */
export interface Accuracy {
  readonly ulps: number;
  /** Whose last place is meant. @default "result" */
  readonly of?: "result" | "input";
  /** Inputs for which it holds. @default all */
  readonly from?: number;
  readonly to?: number;
}

/** What an op of one operand is made from. */
export interface UnarySpec<Attrs> {
  readonly name: string;
  /** WGSL expression of `a` and of `arg(i)`, for floats. */
  readonly wgsl: string | ((attrs: Attrs) => string);
  /** Where its functions are. */
  readonly functions: FunctionSet;
  /** Float functions make f32 of integers; "same" keeps the dtype, but refuses bool; "bool" answers yes or no. */
  readonly result: "float" | "same" | "bool";
  /** WGSL expression for integers, where the result isn't float. */
  readonly wgslInteger?: string;
  /** The same on the host. */
  readonly value: (x: number, attrs: Attrs) => number | boolean;
  /** The same for integers, where float64 arithmetic would lose digits. */
  readonly valueInteger?: (x: number) => number;
  /** The numbers behind `arg(i)`. */
  readonly numbers?: (attrs: Attrs) => readonly number[];
  /** @default exact */
  readonly accuracy?: Accuracy;
  /** Floating-point operations an element, roughly. @default 1 */
  readonly flops?: number;
  readonly gradient?: UnaryGradient<Attrs>;
}

/** An op of one operand. */
export interface UnaryOp<Attrs> extends Op<Attrs> {
  /** Attributes that stand for none given. */
  readonly defaults: Attrs;
  readonly accuracy: Accuracy;
  /** What it computes for each element of a dtype. */
  formula(dtype: DType, attrs: Attrs): Formula;
  /** The same for one number on the host. */
  readonly value: (x: number, attrs: Attrs) => number | boolean;
}

/** An op of one operand, whatever its attributes. */
// deno-lint-ignore no-explicit-any -- as AnyOp
export type AnyUnaryOp = UnaryOp<any>;

/** Makes an op of one operand and no attributes. */
export function unary(spec: UnarySpec<NoAttrs>): UnaryOp<NoAttrs> {
  return unaryWith(spec, {});
}

/** Makes an op of one operand with attributes. */
export function unaryWith<Attrs>(
  spec: UnarySpec<Attrs>,
  defaults: Attrs,
): UnaryOp<Attrs> {
  const { name, result, value, gradient } = spec;
  const resultOf = (dtype: DType): DType =>
    result === "bool" ? "bool" : result === "float" ? floatOf(dtype) : dtype;
  const formula = (dtype: DType, attrs: Attrs): Formula => {
    const float = result === "float" || isFloat(dtype);
    const call = typeof spec.wgsl === "string" ? spec.wgsl : spec.wgsl(attrs);
    return {
      call: float ? call : spec.wgslInteger ?? call,
      functions: float ? [spec.functions] : [integer],
      dtype: float ? floatOf(dtype) : dtype,
      numbers: spec.numbers?.(attrs).map(f32) ?? [],
      flops: float ? spec.flops ?? 1 : 0,
    };
  };
  return {
    name,
    strided: true,
    defaults,
    accuracy: spec.accuracy ?? { ulps: 0 },
    formula,
    elementwise: ([x], attrs) => formula(x.dtype, attrs),
    value,
    infer([x]) {
      if (x.dtype === "bool" && result === "same") {
        throw new DTypeError(
          `Cannot ${name} bool values: convert them first, for instance with to("f32")`,
          [x.dtype],
        );
      }
      return [{ shape: x.shape, dtype: resultOf(x.dtype) }];
    },
    variants: variantsOf(({ inputs: [x], attrs }) => formula(x.dtype, attrs)),
    reference([x], [y], attrs) {
      const { valueInteger } = spec;
      eachElement(
        [x],
        y,
        valueInteger && isInteger(x.dtype)
          ? valueInteger
          : (a) => value(a, attrs),
      );
    },
    ...(gradient && { gradient: gradientOf(gradient) }),
  };
}

function gradientOf<Attrs>(
  { of, rule }: UnaryGradient<Attrs>,
): Gradient<Attrs> {
  return {
    saves: of === "input"
      ? { inputs: [0] }
      : of === "output"
      ? { outputs: [0] }
      : {},
    rule: ({ grads: [dy], inputs: [x], outputs: [y], attrs, apply }) => [
      dy && rule(dy, of === "input" ? x : y, attrs, apply),
    ],
  };
}

/** A derivative in terms of the input. */
export function fromInput<Attrs>(
  rule: (dy: Tensor, x: Tensor, attrs: Attrs, apply: Apply) => Tensor,
): UnaryGradient<Attrs> {
  return { of: "input", rule };
}

/** A derivative in terms of the output. */
export function fromOutput<Attrs>(
  rule: (dy: Tensor, y: Tensor, attrs: Attrs, apply: Apply) => Tensor,
): UnaryGradient<Attrs> {
  return { of: "output", rule };
}

/** The derivative of a function made of steps: 0, as in PyTorch. */
export const flat: UnaryGradient<NoAttrs> = {
  of: "nothing",
  rule: (dy, _value, _attrs, apply) => zerosLike(dy, apply),
};
