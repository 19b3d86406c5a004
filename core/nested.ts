/** Values on the host as tensors take them: nested, flat or typed arrays. */
import { rangeOf } from "../wgsl/move/convert.ts";
import type { DType, HostData } from "../wgsl/op.ts";
import { describeValue } from "./arguments.ts";
import { DTypeError, ShapeError } from "./errors.ts";
import { dtypeOf, emptyData } from "./host.ts";
import { currentBackend } from "./runtime.ts";

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

/** Values in row-major order, the shape of their nesting, and the dtype that they suggest. */
export function flatten(
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
export function convert(values: ArrayLike<number>, dtype: DType): HostData {
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
