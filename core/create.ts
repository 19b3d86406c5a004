/** Making tensors: from values on the host, filled, or random. */
import type { DType, Meta, Shape } from "../wgsl/op.ts";
import {
  arange as arangeOp,
  eye as eyeOp,
  full as fullOp,
  linspace as linspaceOp,
} from "../wgsl/move/fill.ts";
import { blocksFor } from "../wgsl/random/philox.ts";
import { normal, randomInt, uniform } from "../wgsl/random/random.ts";
import { contiguousView, formatShape, sizeOf } from "../wgsl/shape.ts";
import { requireList } from "./arguments.ts";
import { ShapeError } from "./errors.ts";
import { convert, flatten, type TensorLike } from "./nested.ts";
import { currentBackend, takeRandom } from "./runtime.ts";
import { Storage } from "./storage.ts";
import { apply, Tensor } from "./tensor.ts";

export type { TensorLike } from "./nested.ts";

/** Options that every creation function takes. */
export interface TensorOptions {
  /** Element type. @default "f32" */
  readonly dtype?: DType;
  /** Whether gradients are computed for it. @default false */
  readonly requiresGrad?: boolean;
}

/** Options of {@linkcode tensor}. */
export interface FromOptions extends TensorOptions {
  /** Sizes, for values given as one flat array. @default the shape of the nesting */
  readonly shape?: Shape;
}

/** Integer tensors up to this many elements keep their host values, so that labels and indices can be checked at the call. */
const HOST_ELEMENTS = 65536;

/**
 * A tensor of the given values.
 *
 * Without `dtype`: numbers give f32, booleans bool, typed arrays their own (Float64Array gives f32 on the GPU; 8- and 16-bit integers give
 * i32 or u32).
 *
 * @throws {ShapeError} For ragged nesting, or values that don't fill `shape`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals(x.shape, [2, 3]);
 * const y = tensor(new Uint8Array(4), { shape: [2, 2], dtype: "f32" });
 * assertEquals(y.dtype, "f32");
 * ```
 */
export function tensor(values: TensorLike, options: FromOptions = {}): Tensor {
  const { requiresGrad = false } = options;
  const { flat, shape: found, dtype: natural } = flatten(values);
  const dtype = options.dtype ?? natural;
  const shape = options.shape ?? found;
  checkShape(shape);
  if (sizeOf(shape) !== flat.length) {
    throw new ShapeError(
      `Cannot make a tensor of shape ${
        formatShape(shape)
      } from ${flat.length} values: it has ${sizeOf(shape)} elements`,
      [shape, found],
    );
  }
  const backend = currentBackend();
  backend.requireDType(dtype);
  const meta: Meta = { shape: [...shape], dtype };
  const data = convert(flat, dtype);
  const storage = new Storage(backend, backend.upload(meta, data), meta);
  if ((dtype === "i32" || dtype === "u32") && data.length <= HOST_ELEMENTS) {
    storage.host = data;
  }
  const x = new Tensor({
    storage,
    view: contiguousView(meta),
    madeBy: "tensor",
  });
  return finish(x, requiresGrad);
}

/**
 * A tensor of zeros.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await zeros([2, 2]).array(), [[0, 0], [0, 0]]);
 * ```
 */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

/**
 * A tensor of ones.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, ones } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await ones([3], { dtype: "i32" }).array(), [1, 1, 1]);
 * ```
 */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

/**
 * A tensor with `value` everywhere.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { full, init } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await full([2], 0.5).array(), [0.5, 0.5]);
 * ```
 */
export function full(
  shape: Shape,
  value: number,
  options: TensorOptions = {},
): Tensor {
  const { dtype = "f32", requiresGrad = false } = options;
  checkShape(shape);
  const [x] = apply(fullOp, [], { shape: [...shape], value, dtype });
  return finish(x, requiresGrad);
}

/**
 * The identity matrix, or as much of it as fits: `[rows, columns]`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { eye, init } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await eye(2).array(), [[1, 0], [0, 1]]);
 * ```
 */
export function eye(
  rows: number,
  columns: number = rows,
  options: TensorOptions = {},
): Tensor {
  const { dtype = "f32", requiresGrad = false } = options;
  checkShape([rows, columns]);
  return finish(apply(eyeOp, [], { rows, columns, dtype })[0], requiresGrad);
}

/**
 * `start`, `start + step`, … below `end` (above it for a negative step). With one argument: 0, 1, … below it.
 *
 * Integers give i32, as in PyTorch, unless `dtype` says otherwise.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { arange, init } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await arange(3).array(), [0, 1, 2]);
 * assertEquals(await arange(1, 2, 0.5).array(), [1, 1.5]);
 * ```
 */
export function arange(
  start: number,
  end?: number,
  step = 1,
  options: TensorOptions = {},
): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (step === 0 || !Number.isFinite((to - from) / step)) {
    throw new RangeError(
      `Cannot count from ${from} to ${to} in steps of ${step}: expected finite numbers and a step other than 0`,
    );
  }
  const whole = [from, to, step].every(Number.isInteger);
  const { dtype = whole ? "i32" : "f32", requiresGrad = false } = options;
  const length = Math.max(0, Math.ceil((to - from) / step));
  const attrs = { start: from, step, length, dtype };
  return finish(apply(arangeOp, [], attrs)[0], requiresGrad);
}

/**
 * `length` evenly spaced values from `start` to `end`, both included.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, linspace } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await linspace(0, 1, 5).array(), [0, 0.25, 0.5, 0.75, 1]);
 * ```
 */
export function linspace(
  start: number,
  end: number,
  length: number,
  options: Omit<TensorOptions, "dtype"> = {},
): Tensor {
  checkShape([length]);
  const [x] = apply(linspaceOp, [], { start, end, length });
  return finish(x, options.requiresGrad ?? false);
}

/** Options of the random creation functions. */
export interface RandomOptions extends TensorOptions {
  /** Lower end, included. @default 0 */
  readonly low?: number;
  /** Upper end, not included. @default 1 */
  readonly high?: number;
}

/**
 * Uniform random numbers in [low, high), from the stream that `init({ seed })` starts. Philox4x32-10 (Salmon et al. 2011).
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, rand } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const x = rand([100], { low: -1 });
 * assert(await x.min().item() >= -1 && await x.max().item() < 1);
 * ```
 */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  const { dtype = "f32", low = 0, high = 1, requiresGrad = false } = options;
  checkShape(shape);
  const attrs = { shape: [...shape], ...nextRandom(shape), low, high, dtype };
  return finish(apply(uniform, [], attrs)[0], requiresGrad);
}

/** Options of {@linkcode randn}. */
export interface NormalOptions extends TensorOptions {
  /** @default 0 */
  readonly mean?: number;
  /** Standard deviation. @default 1 */
  readonly std?: number;
}

/**
 * Normal random numbers, by Box and Muller's transform of the same stream.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, randn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const x = randn([10_000], { mean: 3 });
 * assertAlmostEquals(await x.mean().item(), 3, 0.1);
 * ```
 */
export function randn(shape: Shape, options: NormalOptions = {}): Tensor {
  const { dtype = "f32", mean = 0, std = 1, requiresGrad = false } = options;
  checkShape(shape);
  const attrs = { shape: [...shape], ...nextRandom(shape), mean, std, dtype };
  return finish(apply(normal, [], attrs)[0], requiresGrad);
}

/**
 * Random integers in [low, high). i32 unless `dtype` says otherwise.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, randint } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const x = randint(0, 6, [100]);
 * assert([...await x.read()].every((v) => [0, 1, 2, 3, 4, 5].includes(v)));
 * ```
 */
export function randint(
  low: number,
  high: number,
  shape: Shape,
  options: Omit<TensorOptions, "requiresGrad"> = {},
): Tensor {
  const { dtype = "i32" } = options;
  checkShape(shape);
  const attrs = { shape: [...shape], ...nextRandom(shape), low, high, dtype };
  return apply(randomInt, [], attrs)[0];
}

/** The key and counter for a call that draws one word an element. */
export function nextRandom(
  shape: Shape,
): { readonly key: readonly [number, number]; readonly counter: number } {
  return takeRandom(blocksFor(sizeOf(shape)));
}

function finish(x: Tensor, requiresGrad: boolean): Tensor {
  if (requiresGrad) x.requiresGrad = true;
  return x;
}

function checkShape(shape: Shape): void {
  requireList(shape, "make a tensor of these sizes", "[2, 3]");
  const bad = shape.find((n) => !Number.isInteger(n) || n < 0);
  if (bad !== undefined) {
    throw new ShapeError(
      `Cannot make a tensor of shape ${
        formatShape(shape)
      }: ${bad} is not a size, expected integers of 0 or more`,
      [shape],
    );
  }
}
