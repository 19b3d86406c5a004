/** The tensor: what wgsl/ computes, as methods, with autograd. */
import { matmul } from "../wgsl/matmul/matmul.ts";
import { copy } from "../wgsl/move/copy.ts";
import { gather, oneHot } from "../wgsl/move/gather.ts";
import {
  expand,
  permute,
  reshape,
  reshapedStrides,
  resolveShape,
  slice,
} from "../wgsl/move/view.ts";
import {
  type DType,
  type Op,
  savesOf,
  type Shape,
  type ViewOp,
} from "../wgsl/op.ts";
import {
  formatShape,
  isContiguous,
  normalizeAxis,
  sameShape,
} from "../wgsl/shape.ts";
import { edgeOf, execute, record } from "./apply.ts";
import { requireList } from "./arguments.ts";
import { type BackwardOptions, noGrad, propagate } from "./autograd.ts";
import { AutogradError, ShapeError } from "./errors.ts";
import { checkIndices } from "./indices.ts";
import { keep, noteOperands } from "./recompute.ts";
import { outsideScopes, tidy } from "./scope.ts";
import type { TensorBase, TensorInit } from "./tensor_base.ts";
import { TensorReduce } from "./tensor_reduce.ts";
import { isWatched, showOp } from "./watch.ts";

/**
 * An n-dimensional array on the device.
 *
 * Calls return at once; the values are there when `read`, `array` or `item` resolve. Views (`reshape`, `permute`, `slice`, …) share memory with
 * the tensor that they were made from.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const w = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * const y = w.matmul(w).sum();
 * y.backward();
 * assertEquals(await y.item(), 54);
 * assertEquals(await w.grad?.array(), [[7, 11], [9, 13]]);
 * ```
 */
export class Tensor extends TensorReduce {
  protected override runAll<Attrs>(
    op: Op<Attrs>,
    inputs: readonly TensorBase[],
    attrs: Attrs,
  ): Tensor[] {
    return apply(op, inputs, attrs);
  }

  protected override sibling(init: TensorInit): Tensor {
    return new Tensor(init);
  }

  /**
   * Computes the gradients of this tensor with respect to every leaf that it depends on and adds them to the leaves' `grad`. What the graph had
   * saved is freed.
   *
   * @param gradient ∂loss/∂this. May be left out for a tensor with one element, where it is 1.
   */
  backward(gradient?: Tensor, options: BackwardOptions = {}): void {
    this.requireMemory();
    const { edge } = this;
    if (!edge) {
      throw new AutogradError(
        "Cannot run backward: this tensor doesn't depend on any that requires gradients",
      );
    }
    using grad = startOf(this, gradient, "run backward on");
    propagate([{ edge, grad }], options, apply);
  }

  /** A contiguous tensor of the same values: of the same memory where it is contiguous already. */
  contiguous(): Tensor {
    return isContiguous(this.view) ? this.alias() : this.clone();
  }

  /** A copy with memory of its own. Gradients flow through it. */
  clone(): Tensor {
    return this.run(copy, [this], { dtype: this.dtype });
  }

  /** The values as another dtype. Floats lose their fraction on the way to integers; anything but 0 is true. */
  to(dtype: DType): Tensor {
    return dtype === this.dtype
      ? this.alias()
      : this.run(copy, [this], { dtype });
  }

  /**
   * Takes over the values of `source`, which has the same shape, in place: parameters keep their identity when weights are loaded. Not recorded.
   */
  assign(source: Tensor): void {
    if (!sameShape(source.shape, this.shape)) {
      throw new ShapeError(
        `Cannot assign a tensor of shape ${
          formatShape(source.shape)
        } to one of ${formatShape(this.shape)}: expected the same shape`,
        [source.shape, this.shape],
      );
    }
    if (!this.coversStorage) {
      throw new ShapeError(
        `Cannot assign to a view of shape ${
          formatShape(this.shape)
        }: only to a tensor that covers its memory`,
        [this.shape],
      );
    }
    const dtype = this.dtype;
    const values = outsideScopes(() =>
      noGrad(() => this.run(copy, [source], { dtype }))
    );
    try {
      this.storage.swap(values.storage);
    } finally {
      values.dispose();
    }
  }

  /**
   * The same values in another shape; one size may be -1 and follows from the others. `[4, 6]` → `reshape([2, -1])` → `[2, 12]`
   *
   * No copy, unless this is a view whose elements lie too far apart.
   */
  reshape(shape: Shape): Tensor {
    requireList(shape, "reshape", "[2, -1]");
    const target = resolveShape(this.shape, shape);
    if (reshapedStrides(this.view, target)) {
      return applyView(reshape, this, { shape: target });
    }
    const dense = this.clone();
    const view = applyView(reshape, dense, { shape: target });
    dense.dispose();
    return view;
  }

  /** The axes in another order: axis `d` of the result is axis `axes[d]` of this. No copy. */
  permute(axes: readonly number[]): Tensor {
    requireList(axes, "permute", "[0, 2, 1]");
    return applyView(permute, this, {
      axes: axes.map((axis) => normalizeAxis(axis, this.rank, "permute")),
    });
  }

  /** Two axes swapped. No copy. */
  transpose(a = -2, b = -1): Tensor {
    const axes = this.shape.map((_, d) => d);
    const first = normalizeAxis(a, this.rank, "transpose");
    const second = normalizeAxis(b, this.rank, "transpose");
    [axes[first], axes[second]] = [second, first];
    return this.permute(axes);
  }

  /** Axes of size 1, or new ones in front, repeated to `shape`. -1 leaves a size as it is. No copy. */
  expand(shape: Shape): Tensor {
    requireList(shape, "expand", "[4, -1]");
    const lead = shape.length - this.rank;
    const target = shape.map((n, d) =>
      n === -1 ? this.shape[d - lead] ?? n : n
    );
    return applyView(expand, this, { shape: target });
  }

  /** The sum over the axes in which `shape` was broadcast to this tensor's. */
  sumTo(shape: Shape): Tensor {
    if (sameShape(shape, this.shape)) return this.alias();
    const lead = this.rank - shape.length;
    const axes = this.shape.flatMap((n, d) =>
      d < lead || (shape[d - lead] === 1 && n !== 1) ? [d] : []
    );
    return tidy(() => this.sum(axes, { keepDims: true }).reshape(shape));
  }

  /** Positions `start` to `end` (not included) of an axis, in steps; negative ones count from the end. No copy. */
  slice(axis: number, start = 0, end?: number, step = 1): Tensor {
    const d = axisOf(this, axis, "slice");
    const n = this.shape[d];
    const place = (at: number) =>
      Math.min(Math.max(at < 0 ? at + n : at, 0), n);
    if (!Number.isInteger(step) || step < 1) {
      throw new RangeError(
        `Cannot slice in steps of ${step}: expected an integer of 1 or more`,
      );
    }
    const from = place(start);
    const to = Math.max(from, place(end ?? n));
    const starts = this.shape.map((_, i) => i === d ? from : 0);
    const ends = this.shape.map((size, i) => i === d ? to : size);
    const steps = this.shape.map((_, i) => i === d ? step : 1);
    return applyView(slice, this, { starts, ends, steps });
  }

  /** One position of an axis, which goes away. No copy. */
  select(axis: number, index: number): Tensor {
    const d = axisOf(this, axis, "select");
    const n = this.shape[d];
    if (!Number.isInteger(index) || index < -n || index >= n) {
      throw new RangeError(
        `Cannot select ${index} of axis ${d}: it has ${n} positions`,
      );
    }
    const at = index < 0 ? index + n : index;
    return tidy(() => this.slice(d, at, at + 1).squeeze(d));
  }

  /** Without the axes of size 1, or without the one that is named, which must have size 1. */
  squeeze(axis?: number): Tensor {
    if (axis === undefined) {
      return this.reshape(this.shape.filter((n) => n !== 1));
    }
    const d = axisOf(this, axis, "squeeze");
    if (this.shape[d] !== 1) {
      throw new ShapeError(
        `Cannot squeeze axis ${d} of ${formatShape(this.shape)}: its size is ${
          this.shape[d]
        }, not 1`,
        [this.shape],
      );
    }
    return this.reshape(this.shape.filter((_, i) => i !== d));
  }

  /** A new axis of size 1 at `axis` of the result. */
  unsqueeze(axis: number): Tensor {
    const d = normalizeAxis(axis, this.rank + 1, "unsqueeze");
    return this.reshape([...this.shape.slice(0, d), 1, ...this.shape.slice(d)]);
  }

  /** The axes from `start` on as one. `[n, c, h, w]` → `flatten(1)` → `[n, c·h·w]` */
  flatten(start = 0): Tensor {
    const d = this.rank === 0 ? 0 : normalizeAxis(start, this.rank, "flatten");
    const size = this.shape.slice(d).reduce((a, b) => a * b, 1);
    return this.reshape([...this.shape.slice(0, d), size]);
  }

  /** Parts of `size` positions along an axis (the last may be smaller), or of the sizes that are given. No copy. */
  split(size: number | readonly number[], axis = 0): Tensor[] {
    const d = axisOf(this, axis, "split");
    const n = this.shape[d];
    const even = typeof size === "number";
    const bad = even
      ? !(Number.isInteger(size) && size > 0)
      : !size.every((part) => Number.isInteger(part) && part >= 0) ||
        size.reduce((a, b) => a + b, 0) !== n;
    if (bad) {
      throw new ShapeError(
        `Cannot split axis ${d} of ${
          formatShape(this.shape)
        } into parts of ${size}: expected ${
          even ? "a whole number from 1" : `whole numbers that add up to ${n}`
        }`,
        [this.shape],
      );
    }
    const sizes = even
      ? Array.from(
        { length: Math.ceil(n / size) },
        (_, i) => Math.min(size, n - i * size),
      )
      : size;
    let start = 0;
    return sizes.map((part) => this.slice(d, start, start += part));
  }

  /**
   * Matrix product over the last two axes; the others broadcast. Transposed operands cost no copy.
   *
   * `[…, m, k] · […, k, n] → […, m, n]`. A vector on the left is a row, on the right a column, and its axis goes away.
   */
  matmul(other: Tensor): Tensor {
    if (this.rank === 0 || other.rank === 0) {
      throw new ShapeError(
        `Cannot multiply ${formatShape(this.shape)} by ${
          formatShape(other.shape)
        } as matrices: a scalar is not a matrix, use mul()`,
        [this.shape, other.shape],
      );
    }
    if (this.rank > 1 && other.rank > 1) {
      return this.run(matmul, [this, other], {});
    }
    return tidy(() => {
      const a = this.rank === 1 ? this.unsqueeze(0) : this;
      const b = other.rank === 1 ? other.unsqueeze(1) : other;
      const product = this.run(matmul, [a, b], {});
      const rows = this.rank === 1 ? product.squeeze(-2) : product;
      return other.rank === 1 ? rows.squeeze(-1) : rows;
    });
  }

  /** Values at `index` along an axis: `result[i][j] = this[index[i][j]][j]` for axis 0. The index has this tensor's rank. */
  gather(axis: number, index: Tensor): Tensor {
    const d = axisOf(this, axis, "gather");
    checkIndices("gather", index, this.shape[d]);
    return this.run(gather, [this, index], { axis: d });
  }

  /** Ones at the positions that these integers name, zeros elsewhere: `[…] → […, classes]`. */
  oneHot(classes: number, dtype: DType = "f32"): Tensor {
    checkIndices("make one-hot vectors", this, classes);
    return this.run(oneHot, [this], { classes, dtype });
  }
}

/** Runs an op on tensors and records it. Ops that write in place return nothing. */
export function apply<Attrs>(
  op: Op<Attrs>,
  inputs: readonly TensorBase[],
  attrs: Attrs,
): Tensor[] {
  const results = execute(op, inputs, attrs);
  const { name, gradient } = op;
  if (results.length === 0) {
    if (isWatched()) {
      const given = inputs as readonly Tensor[];
      showOp(name, given, given.filter((_, i) => op.inPlace?.includes(i)));
    }
    return [];
  }
  noteOperands(inputs);
  const metas = results.map(({ view }) => view);
  const node = record({ name, gradient, inputs, outputs: metas, attrs }, apply);
  const outputs = results.map(({ storage, view }, i) =>
    new Tensor({ storage, view, edge: edgeOf(node, i, view), madeBy: name })
  );
  if (node) {
    const saved = savesOf(gradient, attrs).outputs ?? [];
    node.savedOutputs = outputs.map((y, i) =>
      saved.includes(i) ? keep(y) : undefined
    );
  }
  if (isWatched()) showOp(name, inputs as readonly Tensor[], outputs);
  return outputs;
}

/** An axis counted from the start; a scalar has none. */
function axisOf(x: TensorBase, axis: number, what: string): number {
  if (x.rank > 0) return normalizeAxis(axis, x.rank, what);
  throw new ShapeError(
    `Cannot ${what} along axis ${axis}: a scalar has no axes`,
    [x.shape],
  );
}

/** Looks at a tensor another way, and records it. */
export function applyView<Attrs>(
  op: ViewOp<Attrs>,
  x: TensorBase,
  attrs: Attrs,
): Tensor {
  const view = op.view(x.view, attrs);
  const { name, gradient } = op;
  const node = record(
    { name, gradient, inputs: [x], outputs: [view], attrs },
    apply,
  );
  const edge = edgeOf(node, 0, view);
  return new Tensor({ storage: x.storage, view, edge, madeBy: name });
}

/** The gradient that backward starts from, as a tensor of the caller's own. `what` names the call in errors. */
export function startOf(
  y: Tensor,
  gradient: Tensor | undefined,
  what: string,
): Tensor {
  const call = `Cannot ${what} a tensor of shape ${formatShape(y.shape)}`;
  if (gradient) {
    if (sameShape(gradient.shape, y.shape)) return gradient.to(y.dtype);
    throw new ShapeError(
      `${call} with a gradient of shape ${
        formatShape(gradient.shape)
      }: expected the same shape`,
      [gradient.shape, y.shape],
    );
  }
  if (y.size !== 1) {
    throw new AutogradError(
      `${call} without a gradient: only a scalar has an obvious one, reduce it with sum() or mean(), or pass a gradient of that shape`,
    );
  }
  return y.onesLike();
}
