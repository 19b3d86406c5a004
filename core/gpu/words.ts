/** Elements as the GPU stores them: booleans are words. */
import type { DType, HostData } from "../../wgsl/op.ts";
import { emptyData } from "../host.ts";

/** Elements as the GPU stores them, padded to whole words. */
export function toBytes(dtype: DType, data: HostData): Uint8Array<ArrayBuffer> {
  const words = dtype === "bool" ? Uint32Array.from(data) : data;
  const bytes = new Uint8Array(
    words.buffer,
    words.byteOffset,
    words.byteLength,
  );
  if (bytes.length % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return padded;
}

/** Elements from what the GPU stores, from a byte on. */
export function fromBytes(
  dtype: DType,
  bytes: ArrayBuffer,
  offset: number,
  size: number,
): HostData {
  if (dtype === "bool") {
    return Uint8Array.from(new Uint32Array(bytes, offset, size));
  }
  const out = emptyData(dtype, size);
  new Uint8Array(out.buffer).set(
    new Uint8Array(bytes, offset, out.byteLength),
  );
  return out;
}
