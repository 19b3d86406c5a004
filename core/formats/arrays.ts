/** Files of arrays of whatever format, told apart by their bytes. */
import type { HostArray } from "../../wgsl/op.ts";
import { decodeNpy } from "./npy.ts";
import { isNpy } from "./npy_header.ts";
import { decodeNpz } from "./npz.ts";
import { refuser } from "./refuse.ts";
import { decodeSafetensors } from "./safetensors.ts";
import {
  decodeTorch,
  isLegacyTorch,
  isTorchArchive,
  namedTensors,
} from "./torch.ts";
import { readZip } from "./zip.ts";

/** The name of an array that is alone in its file. */
const LONE = "array";

/**
 * The arrays of a safetensors, npy, npz or PyTorch file by name. What PyTorch nested is named by its path, such as `state_dict.fc.weight`; an
 * array that is alone in its file is called `array`.
 *
 * @throws {FileFormatError} when the bytes are none of these formats or break a rule of theirs
 */
export async function decodeArrays(
  bytes: Uint8Array,
  file: string,
): Promise<Map<string, HostArray>> {
  if (isNpy(bytes)) return new Map([[LONE, decodeNpy(bytes, file)]]);
  const zip = startsWith(bytes, "PK\x03\x04") ||
    startsWith(bytes, "PK\x05\x06");
  const refuse = refuser(file);
  if (isLegacyTorch(bytes) || zip && isTorchZip(bytes, file)) {
    const tree = await decodeTorch(bytes, file);
    const named = namedTensors(tree, (rule) => refuse(0, rule));
    return new Map(
      named.entries().map(([path, array]) => [path || LONE, array]),
    );
  }
  if (zip) return await decodeNpz(bytes, file);
  // The header of a safetensors file starts after its length.
  if (bytes[8] === 0x7b) return decodeSafetensors(bytes, file).tensors;
  const start = String.fromCharCode(...bytes.subarray(0, 8));
  return refuse(
    0,
    `it starts with ${
      JSON.stringify(start)
    }, expected safetensors, npy, npz or PyTorch's format`,
  );
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((char, i) => bytes[i] === char.charCodeAt(0));
}

function isTorchZip(bytes: Uint8Array, file: string): boolean {
  return isTorchArchive(readZip(bytes, refuser(file)).keys());
}
