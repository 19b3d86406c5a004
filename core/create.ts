/** Making tensors: from values on the host, filled, or random. */
import type { DType, HostData, Meta, Shape } from "../wgsl/op.ts";
import { rangeOf } from "../wgsl/move/convert.ts";
import {
  arange as arangeOp,
  eye as eyeOp,
  full as fullOp,
  linspace as linspaceOp,
} from "../wgsl/move/fill.ts";
import { blocksFor } from "../wgsl/random/philox.ts";
import { normal, randomInt, uniform } from "../wgsl/random/random.ts";
import { contiguousView, formatShape, sizeOf } from "../wgsl/shape.ts";
import { describeValue, requireList } from "./arguments.ts";
import { DTypeError, ShapeError } from "./errors.ts";
import { dtypeOf, emptyData } from "./host.ts";
import { currentBackend, takeRandom } from "./runtime.ts";
import { Storage } from "./storage.ts";
import { apply, Tensor } from "./tensor.ts";

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

/** Values that a tensor can be made from: a number, nested arrays of numbers or booleans, or a typed array. */
export type TensorLike =
  | number
  | boolean
  | readonly TensorLike[]
  | Float32Array
  | Float64Array
  | Float16Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

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

/** A tensor of zeros. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

/** A tensor with `value` everywhere. */
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

/** The identity matrix, or as much of it as fits: `[rows, columns]`. */
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

/** `length` evenly spaced values from `start` to `end`, both included. */
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

/** Uniform random numbers in [low, high), from the stream that `init({ seed })` starts. Philox4x32-10 (Salmon et al. 2011). */
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

/** Normal random numbers, by Box and Muller's transform of the same stream. */
export function randn(shape: Shape, options: NormalOptions = {}): Tensor {
  const { dtype = "f32", mean = 0, std = 1, requiresGrad = false } = options;
  checkShape(shape);
  const attrs = { shape: [...shape], ...nextRandom(shape), mean, std, dtype };
  return finish(apply(normal, [], attrs)[0], requiresGrad);
}

/** Random integers in [low, high). i32 unless `dtype` says otherwise. */
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

/** Values in row-major order, the shape of their nesting, and the dtype that they suggest. */
function flatten(
  values: TensorLike,
): { flat: ArrayLike<number>; shape: number[]; dtype: DType } {
  if (ArrayBuffer.isView(values)) {
    const array = values as unknown as ArrayLike<number>;
    return { flat: array, shape: [array.length], dtype: naturalDType(values) };
  }
  const shape: number[] = [];
  for (
    let value: TensorLike = values;
    Array.isArray(value) || ArrayBuffer.isView(value);
  ) {
    const row: readonly TensorLike[] = value as readonly TensorLike[];
    shape.push(row.length);
    value = row[0];
  }
  const flat: number[] = [];
  let booleans = 0;
  const visit = (value: TensorLike, axis: number, path: string): void => {
    const nested = Array.isArray(value) || ArrayBuffer.isView(value);
    if (nested) {
      const row = value as readonly TensorLike[];
      if (axis >= shape.length || row.length !== shape[axis]) {
        throw new ShapeError(
          `Cannot make a tensor of ragged nesting: values${path} has ${
            describeLength(row)
          }, expected ${
            axis < shape.length
              ? describeLength({ length: shape[axis] })
              : "a number"
          } as at the start`,
          [shape],
        );
      }
      for (let i = 0; i < row.length; i++) {
        visit(row[i], axis + 1, `${path}[${i}]`);
      }
      return;
    }
    if (typeof value !== "number" && typeof value !== "boolean") {
      throw new DTypeError(
        `Cannot make a tensor: values${path} is ${
          describeValue(value)
        }, expected a number`,
      );
    }
    if (axis !== shape.length) {
      throw new ShapeError(
        `Cannot make a tensor of ragged nesting: values${path} is a number, expected ${
          describeLength({ length: shape[axis] })
        } as at the start`,
        [shape],
      );
    }
    if (typeof value === "boolean") booleans++;
    flat.push(Number(value));
  };
  visit(values, 0, "");
  const dtype = booleans > 0 && booleans === flat.length ? "bool" : "f32";
  return { flat, shape, dtype };
}

function naturalDType(values: ArrayBufferView): DType {
  const dtype = dtypeOf(values);
  if (dtype === "f64" && currentBackend().info.backend === "webgpu") {
    return "f32";
  }
  if (dtype) return dtype;
  if (values instanceof Int16Array || values instanceof Int8Array) return "i32";
  if (
    values instanceof Uint16Array || values instanceof Uint8Array ||
    values instanceof Uint8ClampedArray
  ) return "u32";
  throw new DTypeError(
    `Cannot make a tensor from ${
      describeValue(values)
    }: expected an array of floats, or of integers of 32 bits or fewer`,
  );
}

/** A typed array of the dtype; `bool` holds whether values differ from 0, integers lose their fraction. */
function convert(values: ArrayLike<number>, dtype: DType): HostData {
  const data = emptyData(dtype, values.length);
  if (dtype === "bool") {
    for (let i = 0; i < data.length; i++) data[i] = Number(values[i] !== 0);
  } else {
    if (dtype === "i32" || dtype === "u32") checkRange(values, dtype);
    data.set(values);
  }
  return data;
}

/** Throws for numbers that would wrap around. */
function checkRange(values: ArrayLike<number>, dtype: "i32" | "u32"): void {
  const [least, greatest] = rangeOf(dtype);
  for (let i = 0; i < values.length; i++) {
    const value = Math.trunc(values[i]);
    if (value >= least && value <= greatest) continue;
    throw new RangeError(
      `Cannot make a tensor of ${dtype}: element ${i} is ${
        values[i]
      }, expected numbers from ${least} to ${greatest}`,
    );
  }
}

function describeLength({ length }: { readonly length: number }): string {
  return length === 1 ? "1 item" : `${length} items`;
}
