/** Making ops of two operands that broadcast: y = f(a, b), element by element. */
import type { Tensor } from "../../core/tensor.ts";
import { DTypeError } from "../errors.ts";
import { isFloat } from "../move/convert.ts";
import type { Apply, DType, Gradient, Meta, Op, Saves } from "../op.ts";
import { broadcastShapes } from "../shape.ts";
import { type FunctionSet, integer } from "./library.ts";
import { as, eachElement } from "./loops.ts";
import { type Formula, variantsOf } from "./plan.ts";
import { floatOf, isInteger, promote } from "./promote.ts";
import { fitTo, numberIn } from "./scalar.ts";
import type { Accuracy } from "./unary.ts";

/** A number in place of one operand. With it the op has one input. */
export interface BinaryAttrs {
  readonly scalar?: number;
  /** The operand that the number stands for. @default "right" */
  readonly side?: "left" | "right";
}

/** What the derivative by one operand is computed from. The other operand may be a number. */
export interface Operands<A, B> {
  /** ∂loss/∂y. */
  readonly dy: Tensor;
  readonly a: A;
  readonly b: B;
  readonly y: Tensor;
  readonly apply: Apply;
}

/** Derivatives by both operands, in the shape of the result. */
export interface BinaryGradient {
  /** What the rules read of two tensors. */
  readonly saves: Saves;
  /** What the rule of the one tensor reads, which is at position 0, where a number stands on the given side of it. @default the same */
  savesBeside?(side: "left" | "right", scalar: number): Saves;
  left(operands: Operands<Tensor, Tensor | number>): Tensor;
  right(operands: Operands<Tensor | number, Tensor>): Tensor;
}

/** What an op of two operands is made from. */
export interface BinarySpec {
  readonly name: string;
  /** WGSL function for floats; also for integers, unless the result is float. */
  readonly wgsl: string;
  /** Where it is, for floats. */
  readonly functions: FunctionSet;
  /** And for integers. @default `[integer]` */
  readonly integerFunctions?: readonly FunctionSet[];
  /** Float functions make f32 of integers; "same" gives the dtype that the operands meet in; "bool" answers yes or no. */
  readonly result: "float" | "same" | "bool";
  /** Whether two bool operands are refused. @default false */
  readonly refusesBool?: boolean;
  /** The same on the host. */
  readonly value: (a: number, b: number) => number | boolean;
  /** The same for integers, where it differs. */
  readonly valueInteger?: (a: number, b: number) => number;
  /** Why a number can't be the right operand of integers, if it can't. */
  readonly refusesInteger?: (b: number) => string | undefined;
  /** @default exact */
  readonly accuracy?: Accuracy;
  /** Floating-point operations an element, roughly. @default 1 */
  readonly flops?: number;
  /** Most loop iterations an element. @default 0 */
  readonly trips?: number;
  readonly gradient?: BinaryGradient;
}

/** An op of two operands. */
export interface BinaryOp extends Op<BinaryAttrs> {
  readonly accuracy: Accuracy;
}

/** Makes an op of two operands. */
export function binary(spec: BinarySpec): BinaryOp {
  const { name, result, value, valueInteger, gradient } = spec;
  return {
    name,
    strided: true,
    accuracy: spec.accuracy ?? { ulps: 0 },
    infer(inputs, attrs) {
      const dtype = dtypeOf(spec, inputs, attrs);
      const [{ shape }, second] = inputs;
      return [{
        shape: second ? broadcastShapes(shape, second.shape, name) : shape,
        dtype: result === "bool" ? "bool" : dtype,
      }];
    },
    elementwise: (inputs, attrs) => formulaOf(spec, inputs, attrs),
    variants: variantsOf(({ inputs, attrs }) => formulaOf(spec, inputs, attrs)),
    reference(inputs, [y], attrs) {
      const dtype = dtypeOf(spec, inputs, attrs);
      const compute = valueInteger && isInteger(dtype) ? valueInteger : value;
      const { scalar, side = "right" } = attrs;
      if (scalar === undefined) {
        eachElement(
          inputs,
          y,
          (a, b) => compute(as(a, dtype), as(b, dtype)),
        );
        return;
      }
      const n = as(scalar, dtype);
      eachElement(
        inputs,
        y,
        side === "right"
          ? (a) => compute(as(a, dtype), n)
          : (b) => compute(n, as(b, dtype)),
      );
    },
    ...(gradient && { gradient: gradientOf(gradient) }),
  };
}

/** The dtype that the operands are converted to. */
function dtypeOf(
  { name, result, refusesBool, refusesInteger }: BinarySpec,
  inputs: readonly Meta[],
  { scalar, side = "right" }: BinaryAttrs,
): DType {
  const numbers = scalar === undefined ? [] : [scalar];
  const met = promote(inputs, numbers, name);
  if (met === "bool" && refusesBool) {
    throw new DTypeError(
      `Cannot ${name} bool values: convert them first, for instance with to("i32")`,
      inputs.map(({ dtype }) => dtype),
    );
  }
  const dtype = result === "float" ? floatOf(met) : met;
  if (scalar !== undefined && side === "right" && isInteger(dtype)) {
    const reason = refusesInteger?.(scalar);
    if (reason) {
      throw new DTypeError(
        `Cannot ${name} ${dtype} values and ${scalar}: ${reason}, convert the tensor with to("f32") first`,
        [dtype],
      );
    }
  }
  return dtype;
}

function formulaOf(
  spec: BinarySpec,
  inputs: readonly Meta[],
  attrs: BinaryAttrs,
): Formula {
  const { wgsl, functions, integerFunctions = [integer] } = spec;
  const dtype = dtypeOf(spec, inputs, attrs);
  const { scalar, side = "right" } = attrs;
  const operands = scalar === undefined
    ? "a, b"
    : side === "right"
    ? "a, arg(0u)"
    : "arg(0u), a";
  const float = isFloat(dtype);
  return {
    call: `${wgsl}(${operands})`,
    functions: float ? [functions] : integerFunctions,
    dtype,
    numbers: scalar === undefined ? [] : [numberIn(scalar, dtype)],
    flops: float ? spec.flops ?? 1 : 0,
    trips: spec.trips ?? 0,
  };
}

function gradientOf(
  { saves, savesBeside, left, right }: BinaryGradient,
): Gradient<BinaryAttrs> {
  return {
    saves: ({ scalar, side = "right" }) =>
      scalar === undefined ? saves : savesBeside?.(side, scalar) ?? saves,
    rule({ grads, inputs, outputs: [y], inputMetas, needs, attrs, apply }) {
      const [dy] = grads;
      if (!dy) return inputMetas.map(() => null);
      const { scalar, side = "right" } = attrs;
      const fit = (gradient: Tensor, i: number) =>
        fitTo(gradient, inputMetas[i]);
      const [first, second] = inputs;
      if (scalar !== undefined) {
        return side === "right"
          ? [fit(left({ dy, a: first, b: scalar, y, apply }), 0)]
          : [fit(right({ dy, a: scalar, b: first, y, apply }), 0)];
      }
      const operands = { dy, a: first, b: second, y, apply };
      return [
        needs[0] ? fit(left(operands), 0) : null,
        needs[1] ? fit(right(operands), 1) : null,
      ];
    },
  };
}
