/** Arrays on the host: one typed array a dtype. */
import type { DType, HostData, View } from "../wgsl/op.ts";
import { isContiguous, sizeOf } from "../wgsl/shape.ts";

/** Zeros of a dtype. */
export function emptyData(dtype: DType, length: number): HostData {
  switch (dtype) {
    case "f32":
      return new Float32Array(length);
    case "f16":
      return new Float16Array(length);
    case "f64":
      return new Float64Array(length);
    case "i32":
      return new Int32Array(length);
    case "u32":
      return new Uint32Array(length);
    case "bool":
      return new Uint8Array(length);
  }
}

/** The dtype that a typed array holds, or undefined for a kind that no tensor has. */
export function dtypeOf(data: unknown): DType | undefined {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Float64Array) return "f64";
  if (data instanceof Float16Array) return "f16";
  if (data instanceof Int32Array) return "i32";
  if (data instanceof Uint32Array) return "u32";
  return undefined;
}

/** The elements of a view of `data`, in row-major order. A copy. */
export function gather(data: HostData, view: View): HostData {
  const { shape, strides, offset, dtype } = view;
  const size = sizeOf(shape);
  if (isContiguous(view)) return data.slice(offset, offset + size);
  const out = emptyData(dtype, size);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < size; i++) {
    out[i] = data[at];
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}
