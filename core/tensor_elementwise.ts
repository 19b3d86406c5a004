/**
 * What tensors compute element by element, as methods. Each is an op of wgsl/pointwise, where its formula, its rules for special values and its
 * gradient stand.
 *
 * Two operands broadcast as in numpy and promote their dtypes as in PyTorch; a number takes the tensor's dtype, or f32 if the tensor holds integers
 * and the number isn't one.
 */
import * as ops from "../wgsl/pointwise/mod.ts";
import type { Tensor } from "./tensor.ts";
import { TensorBase } from "./tensor_base.ts";

/** Elementwise methods of {@linkcode Tensor}. */
export abstract class TensorElementwise extends TensorBase {
  /** -x. */
  neg(): Tensor {
    return this.run(ops.neg, [this], {});
  }

  /** |x|. */
  abs(): Tensor {
    return this.run(ops.abs, [this], {});
  }

  /** -1, 0 or 1 by the sign. */
  sign(): Tensor {
    return this.run(ops.sign, [this], {});
  }

  /** eˣ. */
  exp(): Tensor {
    return this.run(ops.exp, [this], {});
  }

  /** Natural logarithm. */
  log(): Tensor {
    return this.run(ops.log, [this], {});
  }

  /** Logarithm to base 2. */
  log2(): Tensor {
    return this.run(ops.log2, [this], {});
  }

  /** Logarithm to base 10. */
  log10(): Tensor {
    return this.run(ops.log10, [this], {});
  }

  /** log(1 + x), exact near 0. */
  log1p(): Tensor {
    return this.run(ops.log1p, [this], {});
  }

  /** eˣ - 1, exact near 0. */
  expm1(): Tensor {
    return this.run(ops.expm1, [this], {});
  }

  /** Square root. */
  sqrt(): Tensor {
    return this.run(ops.sqrt, [this], {});
  }

  /** 1 / √x. */
  rsqrt(): Tensor {
    return this.run(ops.rsqrt, [this], {});
  }

  /** x². */
  square(): Tensor {
    return this.run(ops.square, [this], {});
  }

  /** 1 / x. */
  reciprocal(): Tensor {
    return this.run(ops.reciprocal, [this], {});
  }

  /** Sine of radians. */
  sin(): Tensor {
    return this.run(ops.sin, [this], {});
  }

  /** Cosine of radians. */
  cos(): Tensor {
    return this.run(ops.cos, [this], {});
  }

  /** Tangent of radians. */
  tan(): Tensor {
    return this.run(ops.tan, [this], {});
  }

  /** Arc sine, in radians. */
  asin(): Tensor {
    return this.run(ops.asin, [this], {});
  }

  /** Arc cosine, in radians. */
  acos(): Tensor {
    return this.run(ops.acos, [this], {});
  }

  /** Arc tangent, in radians. */
  atan(): Tensor {
    return this.run(ops.atan, [this], {});
  }

  /** Hyperbolic sine. */
  sinh(): Tensor {
    return this.run(ops.sinh, [this], {});
  }

  /** Hyperbolic cosine. */
  cosh(): Tensor {
    return this.run(ops.cosh, [this], {});
  }

  /** Hyperbolic tangent. */
  tanh(): Tensor {
    return this.run(ops.tanh, [this], {});
  }

  /** 1 / (1 + e⁻ˣ). */
  sigmoid(): Tensor {
    return this.run(ops.sigmoid, [this], {});
  }

  /** max(x, 0). */
  relu(): Tensor {
    return this.run(ops.relu, [this], {});
  }

  /** Error function. */
  erf(): Tensor {
    return this.run(ops.erf, [this], {});
  }

  /** Largest integer not above. */
  floor(): Tensor {
    return this.run(ops.floor, [this], {});
  }

  /** Smallest integer not below. */
  ceil(): Tensor {
    return this.run(ops.ceil, [this], {});
  }

  /** Nearest integer, halves to the even one. */
  round(): Tensor {
    return this.run(ops.round, [this], {});
  }

  /** Without the fraction. */
  trunc(): Tensor {
    return this.run(ops.trunc, [this], {});
  }

  /** Whether it is NaN, as bool. */
  isNan(): Tensor {
    return this.run(ops.isNan, [this], {});
  }

  /** Whether it is infinite, as bool. */
  isInf(): Tensor {
    return this.run(ops.isInf, [this], {});
  }

  /** Whether it is neither infinite nor NaN, as bool. */
  isFinite(): Tensor {
    return this.run(ops.isFinite, [this], {});
  }

  /** Whether it is 0, as bool. */
  logicalNot(): Tensor {
    return this.run(ops.logicalNot, [this], {});
  }

  /** x, but alpha·x below 0. */
  leakyRelu(alpha = 0.01): Tensor {
    return this.run(ops.leakyRelu, [this], { alpha });
  }

  /** x, but alpha·(eˣ - 1) below 0. */
  elu(alpha = 1): Tensor {
    return this.run(ops.elu, [this], { alpha });
  }

  /** elu with the scale and alpha that keep mean 0 and variance 1. */
  selu(): Tensor {
    return this.run(ops.selu, [this], {});
  }

  /** x·Φ(x), by the error function or the tanh that approximates it. */
  gelu(approximate: "none" | "tanh" = "none"): Tensor {
    return this.run(ops.gelu, [this], { approximate });
  }

  /** x·σ(x). */
  silu(): Tensor {
    return this.run(ops.silu, [this], {});
  }

  /** log(1 + eˣ). */
  softplus(): Tensor {
    return this.run(ops.softplus, [this], {});
  }

  /** x·min(max(x + 3, 0), 6) / 6. */
  hardswish(): Tensor {
    return this.run(ops.hardswish, [this], {});
  }

  /** this + other. */
  add(other: Tensor | number): Tensor {
    return this.#binary(ops.add, other);
  }

  /** this - other. */
  sub(other: Tensor | number): Tensor {
    return this.#binary(ops.sub, other);
  }

  /** this · other. */
  mul(other: Tensor | number): Tensor {
    return this.#binary(ops.mul, other);
  }

  /** this / other; integers give f32. */
  div(other: Tensor | number): Tensor {
    return this.#binary(ops.div, other);
  }

  /** this to the power of other. */
  pow(other: Tensor | number): Tensor {
    return this.#binary(ops.pow, other);
  }

  /** The larger one; NaN wins. */
  maximum(other: Tensor | number): Tensor {
    return this.#binary(ops.maximum, other);
  }

  /** The smaller one; NaN wins. */
  minimum(other: Tensor | number): Tensor {
    return this.#binary(ops.minimum, other);
  }

  /** Remainder with the sign of other. */
  remainder(other: Tensor | number): Tensor {
    return this.#binary(ops.remainder, other);
  }

  /** Quotient rounded down. */
  floorDivide(other: Tensor | number): Tensor {
    return this.#binary(ops.floorDivide, other);
  }

  /** Angle of the point (other, this), in radians. */
  atan2(other: Tensor | number): Tensor {
    return this.#binary(ops.atan2, other);
  }

  /** Whether equal. */
  eq(other: Tensor | number): Tensor {
    return this.#binary(ops.eq, other);
  }

  /** Whether different. */
  ne(other: Tensor | number): Tensor {
    return this.#binary(ops.ne, other);
  }

  /** Whether less. */
  lt(other: Tensor | number): Tensor {
    return this.#binary(ops.lt, other);
  }

  /** Whether less or equal. */
  le(other: Tensor | number): Tensor {
    return this.#binary(ops.le, other);
  }

  /** Whether greater. */
  gt(other: Tensor | number): Tensor {
    return this.#binary(ops.gt, other);
  }

  /** Whether greater or equal. */
  ge(other: Tensor | number): Tensor {
    return this.#binary(ops.ge, other);
  }

  /** Whether both differ from 0. */
  logicalAnd(other: Tensor | number): Tensor {
    return this.#binary(ops.logicalAnd, other);
  }

  /** Whether one differs from 0. */
  logicalOr(other: Tensor | number): Tensor {
    return this.#binary(ops.logicalOr, other);
  }

  /** Whether just one differs from 0. */
  logicalXor(other: Tensor | number): Tensor {
    return this.#binary(ops.logicalXor, other);
  }

  /** Values below `min` raised to it, values above `max` lowered to it; NaN stays. */
  clamp(bounds: { readonly min?: number; readonly max?: number }): Tensor {
    return this.run(ops.clamp, [this], bounds);
  }

  /** `a` where this, a bool tensor, holds; `b` elsewhere. All three broadcast. */
  where(a: Tensor | number, b: Tensor | number): Tensor {
    const { inputs, attrs } = ops.whereCall<TensorBase>(this, a, b);
    return this.run(ops.where, inputs, attrs);
  }

  #binary(op: ops.BinaryOp, other: Tensor | number): Tensor {
    return typeof other === "number"
      ? this.run(op, [this], { scalar: other })
      : this.run(op, [this, other], {});
  }
}
