/** What tensors compute along axes, as methods: reductions, running sums, softmax, sorting. The ops stand in wgsl/reduce and wgsl/softmax. */
import { full } from "../wgsl/move/fill.ts";
import type { Op } from "../wgsl/op.ts";
import { type ArgAttrs, argMax, argMin } from "../wgsl/reduce/arg.ts";
import {
  all,
  any,
  max,
  mean,
  min,
  prod,
  type ReduceAttrs,
  sum,
} from "../wgsl/reduce/reduce.ts";
import { cumsum } from "../wgsl/reduce/cumsum.ts";
import { sort } from "../wgsl/reduce/sort.ts";
import { normalizeAxes, normalizeAxis } from "../wgsl/shape.ts";
import { logSoftmax, softmax } from "../wgsl/softmax/softmax.ts";
import { tidy } from "./scope.ts";
import type { Tensor } from "./tensor.ts";
import { isFloat } from "./tensor_base.ts";
import { TensorElementwise } from "./tensor_elementwise.ts";

/** One axis or several; negative ones count from the end. */
export type Axes = number | readonly number[];

/** Options of reductions. */
export interface ReduceOptions {
  /** Whether reduced axes stay, with size 1. @default false */
  readonly keepDims?: boolean;
}

/** Methods of {@linkcode Tensor} that work along axes. */
export abstract class TensorReduce extends TensorElementwise {
  /** Sum. Integers and bool give i32 (u32 for u32). */
  sum(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce(sum, "sum", axes, options);
  }

  /** Product. */
  prod(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce(prod, "multiply", axes, options);
  }

  /** Largest value; NaN wins. Equal largest ones share the gradient. */
  max(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce(max, "take the maximum", axes, options);
  }

  /** Smallest value; NaN wins. Equal smallest ones share the gradient. */
  min(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce(min, "take the minimum", axes, options);
  }

  /** Whether any value is not 0. */
  any(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce(any, "test", axes, options);
  }

  /** Whether no value is 0. */
  all(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce(all, "test", axes, options);
  }

  /** Average. Integers give f32. An empty axis gives NaN. */
  mean(axes?: Axes, options: ReduceOptions = {}): Tensor {
    if (isFloat(this.dtype)) {
      return this.#reduce(mean, "average", axes, options);
    }
    return tidy(() => this.alias().to("f32").mean(axes, options));
  }

  /** Mean squared distance from the mean, in two passes; divided by n - `correction`. */
  variance(
    axes?: Axes,
    options: ReduceOptions & {
      /** 1 for the estimate from a sample, 0 for the variance of the values themselves. @default 1 */
      readonly correction?: number;
    } = {},
  ): Tensor {
    const { correction = 1, ...rest } = options;
    const list = normalizeAxes(axes, this.rank, "take the variance");
    const count = list.reduce((n, d) => n * this.shape[d], 1);
    return tidy(() => {
      const distance = this.sub(this.mean(list, { keepDims: true }));
      const total = distance.square().sum(list, rest);
      return total.div(Math.max(0, count - correction));
    });
  }

  /** Position of the largest value along an axis as i32; the first of equal ones, and NaN wins. Without an axis, in the flattened tensor. */
  argmax(axis?: number, options: ReduceOptions = {}): Tensor {
    return this.#argument(argMax, axis, options);
  }

  /** Position of the smallest value along an axis as i32; the first of equal ones, and NaN wins. Without an axis, in the flattened tensor. */
  argmin(axis?: number, options: ReduceOptions = {}): Tensor {
    return this.#argument(argMin, axis, options);
  }

  /** Running sum along an axis. */
  cumsum(axis: number): Tensor {
    const d = normalizeAxis(axis, this.rank, "add up");
    return this.run(cumsum, [this], { axis: d, reverse: false });
  }

  /** eˣ / Σ eˣ along an axis, without overflow. */
  softmax(axis: number): Tensor {
    const d = normalizeAxis(axis, this.rank, "take the softmax");
    return this.run(softmax, [this], { axis: d });
  }

  /** log(eˣ / Σ eˣ) along an axis, without overflow. */
  logSoftmax(axis: number): Tensor {
    const d = normalizeAxis(axis, this.rank, "take the softmax");
    return this.run(logSoftmax, [this], { axis: d });
  }

  /** The last axis in ascending order (equal values keep theirs, NaN comes last), and where each value stood, as i32. */
  sort(options: { readonly descending?: boolean } = {}): {
    readonly values: Tensor;
    readonly indices: Tensor;
  } {
    const { descending = false } = options;
    const [values, indices] = this.runAll(sort, [this], { descending });
    return { values, indices };
  }

  /** The `k` largest values of the last axis, largest first, and where they stand, as i32. */
  topk(k: number, options: { readonly largest?: boolean } = {}): {
    readonly values: Tensor;
    readonly indices: Tensor;
  } {
    const n = this.shape.at(-1) ?? 1;
    if (!Number.isInteger(k) || k < 0 || k > n) {
      throw new RangeError(
        `Cannot take the top ${k} of ${n} values: expected an integer from 0 to ${n}`,
      );
    }
    const { largest = true } = options;
    return tidy(() => {
      const { values, indices } = this.sort({ descending: largest });
      return {
        values: values.slice(-1, 0, k),
        indices: indices.slice(-1, 0, k),
      };
    });
  }

  /** Zeros of the same shape and dtype. */
  zerosLike(): Tensor {
    return this.run(full, [], {
      shape: this.shape,
      value: 0,
      dtype: this.dtype,
    });
  }

  /** Ones of the same shape and dtype. */
  onesLike(): Tensor {
    return this.run(full, [], {
      shape: this.shape,
      value: 1,
      dtype: this.dtype,
    });
  }

  #reduce(
    op: Op<ReduceAttrs>,
    what: string,
    axes: Axes | undefined,
    { keepDims = false }: ReduceOptions,
  ): Tensor {
    const list = normalizeAxes(axes, this.rank, what);
    return this.run(op, [this], { axes: list, keepDims });
  }

  #argument(
    op: Op<ArgAttrs>,
    axis: number | undefined,
    { keepDims = false }: ReduceOptions,
  ): Tensor {
    if (axis === undefined) {
      return tidy(() => {
        const flat = this.alias().flatten();
        const place = this.run(op, [flat], { axis: 0, keepDims: false });
        return keepDims ? place.reshape(this.shape.map(() => 1)) : place;
      });
    }
    const d = normalizeAxis(axis, this.rank, "compare");
    return this.run(op, [this], { axis: d, keepDims });
  }
}
