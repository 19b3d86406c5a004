/** Functions of several tensors. */
import { concat as concatOp } from "../wgsl/move/concat.ts";
import { formatShape, normalizeAxis, sameShape } from "../wgsl/shape.ts";
import { propagate } from "./autograd.ts";
import { AutogradError, ShapeError } from "./errors.ts";
import { currentScope, tidy } from "./scope.ts";
import { apply, startOf, type Tensor } from "./tensor.ts";

/**
 * Tensors one after another along an axis; their other sizes agree.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { concat, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [a, b] = [tensor([[1, 2]]), tensor([[3, 4]])];
 * assertEquals(await concat([a, b]).array(), [[1, 2], [3, 4]]);
 * assertEquals(await concat([a, b], 1).array(), [[1, 2, 3, 4]]);
 * ```
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (tensors.length === 0) {
    throw new ShapeError("Cannot concatenate: no tensors were given");
  }
  const d = normalizeAxis(axis, tensors[0].rank, "concatenate");
  return apply(concatOp, tensors, { axis: d })[0];
}

/**
 * Tensors of one shape along a new axis.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, stack, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = stack([tensor([1, 2]), tensor([3, 4])], 1);
 * assertEquals(await y.array(), [[1, 3], [2, 4]]);
 * ```
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  if (tensors.length === 0) {
    throw new ShapeError("Cannot stack: no tensors were given");
  }
  const other = tensors.find(({ shape }) =>
    !sameShape(shape, tensors[0].shape)
  );
  if (other) {
    throw new ShapeError(
      `Cannot stack ${formatShape(tensors[0].shape)} and ${
        formatShape(other.shape)
      }: expected the same shape`,
      [tensors[0].shape, other.shape],
    );
  }
  return tidy(() => concat(tensors.map((x) => x.unsqueeze(axis)), axis));
}

/**
 * `a` where the condition holds, `b` elsewhere; all three broadcast.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, tensor, where } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([-1, 2]);
 * assertEquals(await where(x.gt(0), x, 0).array(), [0, 2]);
 * ```
 */
export function where(
  condition: Tensor,
  a: Tensor | number,
  b: Tensor | number,
): Tensor {
  return condition.where(a, b);
}

/** Options of {@linkcode gradients}. */
export interface GradientOptions {
  /** ∂loss/∂output. @default 1, for an output with one element */
  readonly gradient?: Tensor;
  /** Record the computation, so that the gradients can be differentiated. @default false */
  readonly createGraph?: boolean;
  /** Keep what the graph saved. @default the same as createGraph */
  readonly retainGraph?: boolean;
}

/**
 * The gradients of `output` with respect to `inputs`, without touching any `grad`. An input that the output doesn't depend on is an error.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gradients, init, ones, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([3], { requiresGrad: true });
 * const [slope] = gradients(x.square(), [x], { gradient: ones([1]) });
 * assertEquals(await slope.array(), [6]);
 * assertEquals(x.grad, null);
 * ```
 */
export function gradients(
  output: Tensor,
  inputs: readonly Tensor[],
  options: GradientOptions = {},
): Tensor[] {
  const { gradient, ...rest } = options;
  for (const x of [output, ...inputs]) x.requireMemory();
  const { edge } = output;
  const targets = inputs.flatMap((x) => x.edge ?? []);
  if (!edge || targets.length < inputs.length) {
    throw new AutogradError(
      "Cannot compute gradients: the output and every input must require gradients",
    );
  }
  using grad = startOf(output, gradient, "compute gradients of");
  const found = propagate([{ edge, grad }], { ...rest, targets }, apply);
  const missing = found.findIndex((x) => !x);
  if (missing >= 0) {
    for (const x of found) x?.dispose();
    throw new AutogradError(
      `Cannot compute gradients: the output doesn't depend on input ${missing}`,
    );
  }
  return (found as Tensor[]).map((x) => {
    // It was made outside every scope: it belongs to the caller's.
    if (!currentScope()) return x;
    const owned = x.alias();
    x.dispose();
    return owned;
  });
}

/**
 * The derivative of a function: takes the same arguments and returns the gradient of the function's scalar result with respect to the first. Can be
 * nested. All else that the function makes is freed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { grad, init, type Tensor, tensor } from "@tessera/tessera";
 *
 * await init();
 * const cube = (x: Tensor) => x.pow(3).sum();
 * const x = tensor([2]);
 * assertEquals(await grad(cube)(x).array(), [12]); // 3x²
 * const slope = (y: Tensor) => grad(cube)(y).sum();
 * assertEquals(await grad(slope)(x).array(), [12]); // 6x
 * ```
 */
export function grad<Rest extends unknown[]>(
  f: (x: Tensor, ...rest: Rest) => Tensor,
): (x: Tensor, ...rest: Rest) => Tensor {
  return (x, ...rest) =>
    tidy(() => {
      // Inside another grad the argument is part of its graph, and must stay so; the view gives it an edge of its own, apart from other uses of x.
      const nested = x.requiresGrad;
      const input = nested ? x.reshape(x.shape) : x.detach();
      if (!nested) input.requiresGrad = true;
      const [result] = gradients(f(input, ...rest), [input], {
        createGraph: nested,
      });
      return result;
    });
}
