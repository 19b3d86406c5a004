/** Tensors in files: safetensors, numpy's npy and npz, and PyTorch's. */
import type { HostArray } from "../../wgsl/op.ts";
import { tensor } from "../create.ts";
import { currentBackend } from "../runtime.ts";
import { tidy } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { decodeArrays } from "./arrays.ts";
import type { WrittenTypes } from "./elements_write.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { decodeNpz, encodeNpz } from "./npz.ts";
import {
  decodeMetadata,
  decodeSafetensors,
  encodeSafetensors,
} from "./safetensors.ts";
import { type FileSource, readSource, writeWhole } from "./source.ts";
import { decodeTorch, mapTree, type TorchTree } from "./torch.ts";

export type { ElementType } from "./elements.ts";
export type { FileSource, WrittenTypes };

/** Options of the functions that save tensors. */
export interface SaveOptions {
  /**
   * Element types to write instead of a tensor's own: `{ f32: "BF16" }` halves the file, `{ i32: "I64" }` is what PyTorch has for labels. Floats
   * are rounded to the nearest value, ties to even; an integer that doesn't fit is an error.
   */
  readonly types?: WrittenTypes;
}

/** Options of {@linkcode saveSafetensors}. */
export interface SaveSafetensorsOptions extends SaveOptions {
  /** Texts to keep with the tensors. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Options of {@linkcode saveNpz}. */
export interface SaveNpzOptions extends SaveOptions {
  /** Deflate the arrays. @default false */
  readonly compress?: boolean;
}

/** A value of a PyTorch file: tensors in dicts (maps), lists and tuples (arrays), numbers (a bigint beyond 2^53), texts, booleans and `null`. */
export type TorchValue = TorchTree<Tensor>;

/** Tensors by name. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/**
 * Reads the tensors of a safetensors, npy, npz or PyTorch file, which is told by its bytes, not by its name.
 *
 * Types that tensors have are kept. BF16 becomes f32; 8- and 16-bit integers become i32 and u32, as do 64-bit ones if every value fits, else
 * the file is refused. f64 is rounded to f32 on the GPU (to infinity beyond its range) and kept on the CPU device; f16 becomes f32 where the
 * adapter has none. What PyTorch nested is named by its path, such as `state_dict.fc.weight`; a tensor that is alone in its file is called
 * `array`.
 *
 * @throws {FileFormatError} For a damaged file, or one of another kind: with the file, the byte and the rule.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadTensors, saveNpz, tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * await saveNpz(path, new Map([["x", tensor([1, 2, 3])]]));
 * const tensors = await loadTensors(path);
 * assertEquals(await tensors.get("x")!.array(), [1, 2, 3]);
 * await Deno.remove(path);
 * ```
 */
export async function loadTensors(
  source: FileSource,
): Promise<Map<string, Tensor>> {
  return toTensors(await readArrays(source));
}

/** As {@linkcode loadTensors}, on the host. */
export async function readArrays(
  source: FileSource,
): Promise<Map<string, HostArray>> {
  const { bytes, file } = await readSource(source);
  return await decodeArrays(bytes, file);
}

/**
 * Reads a safetensors file: its tensors by name, in the order of their bytes. Types become those that {@linkcode loadTensors} tells.
 *
 * Format: https://github.com/huggingface/safetensors, every rule of which is checked.
 *
 * @throws {FileFormatError} For a damaged file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadSafetensors, saveSafetensors, tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * const tensors = new Map([["bias", tensor([0.5, -1])]]);
 * await saveSafetensors(path, tensors, { types: { f32: "BF16" } });
 * const bias = (await loadSafetensors(path)).get("bias")!;
 * assertEquals(await bias.array(), [0.5, -1]);
 * await Deno.remove(path);
 * ```
 */
export async function loadSafetensors(
  source: FileSource,
): Promise<Map<string, Tensor>> {
  const { bytes, file } = await readSource(source);
  return toTensors(decodeSafetensors(bytes, file).tensors);
}

/**
 * Reads the texts that a safetensors file keeps with its tensors, by name.
 *
 * @throws {FileFormatError} For a damaged file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadSafetensorsMetadata, saveSafetensors, tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * const tensors = new Map([["x", tensor([1])]]);
 * await saveSafetensors(path, tensors, { metadata: { epoch: "3" } });
 * assertEquals((await loadSafetensorsMetadata(path)).get("epoch"), "3");
 * await Deno.remove(path);
 * ```
 */
export async function loadSafetensorsMetadata(
  source: FileSource,
): Promise<Map<string, string>> {
  const { bytes, file } = await readSource(source);
  return decodeMetadata(bytes, file);
}

/**
 * Writes tensors as a safetensors file, in whole or not at all.
 *
 * @throws {TypeError} For a type that a tensor can't be written as, or the name `__metadata__`.
 * @throws {RangeError} For an integer that doesn't fit the type asked for.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadTensors, saveSafetensors, tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * const labels = tensor([3, 1], { dtype: "i32" });
 * await saveSafetensors(path, new Map([["labels", labels]]), {
 *   types: { i32: "I64" }, // as PyTorch has them
 *   metadata: { format: "pt" },
 * });
 * assertEquals((await loadTensors(path)).get("labels")!.dtype, "i32");
 * await Deno.remove(path);
 * ```
 */
export async function saveSafetensors(
  path: string | URL,
  tensors: NamedTensors,
  options: SaveSafetensorsOptions = {},
): Promise<void> {
  const metadata = new Map(Object.entries(options.metadata ?? {}));
  const arrays = await toArrays(tensors);
  await writeWhole(path, encodeSafetensors(arrays, metadata, options.types));
}

/**
 * Reads an npy file, in which numpy keeps one array. Types become those that {@linkcode loadTensors} tells. Arrays of Python objects, which
 * numpy would unpickle, are refused.
 *
 * @throws {FileFormatError} For a damaged file, or a type that no tensor has.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadNpy, saveNpy, tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * await saveNpy(path, tensor([[1, 2], [3, 4]]));
 * assertEquals(await (await loadNpy(path)).array(), [[1, 2], [3, 4]]);
 * await Deno.remove(path);
 * ```
 */
export async function loadNpy(source: FileSource): Promise<Tensor> {
  const { bytes, file } = await readSource(source);
  return toTensor(decodeNpy(bytes, file));
}

/**
 * Writes a tensor as an npy file, in whole or not at all.
 *
 * @throws {TypeError} For a type that a tensor can't be written as; numpy has no BF16.
 * @throws {RangeError} For an integer that doesn't fit the type asked for, or more than 64 axes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadNpy, saveNpy, tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * await saveNpy(path, tensor([0.5, 2]), { types: { f32: "F16" } });
 * assertEquals(await (await loadNpy(path)).array(), [0.5, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function saveNpy(
  path: string | URL,
  x: Tensor,
  options: SaveOptions = {},
): Promise<void> {
  await writeWhole(path, encodeNpy(await toArray(x), options.types));
}

/**
 * Reads an npz file, compressed or not: numpy's arrays by name, in the file's order. Types become those that {@linkcode loadTensors} tells.
 *
 * @throws {FileFormatError} For a damaged or encrypted file, or a type that no tensor has.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadNpz, ones, saveNpz } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * await saveNpz(path, new Map([["w", ones([2, 2])]]), { compress: true });
 * assertEquals((await loadNpz(path)).get("w")!.shape, [2, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function loadNpz(
  source: FileSource,
): Promise<Map<string, Tensor>> {
  const { bytes, file } = await readSource(source);
  return toTensors(await decodeNpz(bytes, file));
}

/**
 * Writes tensors as an npz file, in whole or not at all.
 *
 * @throws {TypeError} For a type that a tensor can't be written as; numpy has no BF16.
 * @throws {RangeError} For an integer that doesn't fit the type asked for, or more than 4 GiB.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadNpz, saveNpz, zeros } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * const state = new Map([["w", zeros([100, 100])]]);
 * await saveNpz(path, state, { compress: true });
 * assertEquals((await Deno.stat(path)).size < 1000, true);
 * assertEquals((await loadNpz(path)).get("w")!.shape, [100, 100]);
 * await Deno.remove(path);
 * ```
 */
export async function saveNpz(
  path: string | URL,
  tensors: NamedTensors,
  options: SaveNpzOptions = {},
): Promise<void> {
  await writeWhole(path, await encodeNpz(await toArrays(tensors), options));
}

/**
 * Reads a file that `torch.save` wrote, of any version: tensors and plain values, nested as they were. Nothing that the file names is called:
 * a pickle that needs anything else than tensors and plain values is refused with that name.
 *
 * Types become those that {@linkcode loadTensors} tells. Tensors that shared memory each get a copy.
 *
 * @throws {FileFormatError} For a damaged file, or one that holds something else.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, loadTorch, Tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = new URL("../../tests/fixtures/formats/plain.pth", import.meta.url);
 * const checkpoint = await loadTorch(path);
 * if (!(checkpoint instanceof Map)) throw new Error("expected a dict");
 * assertEquals(checkpoint.get("epoch"), 3);
 * const weight = checkpoint.get("weight");
 * if (!(weight instanceof Tensor)) throw new Error("expected a tensor");
 * assertEquals(await weight.array(), [[1, 2, 3], [4, 5, 6]]);
 * ```
 */
export async function loadTorch(source: FileSource): Promise<TorchValue> {
  const { bytes, file } = await readSource(source);
  const tree = await decodeTorch(bytes, file);
  return tidy(() => mapTree(tree, toTensor));
}

/** Puts an array on the device, as the nearest type that this has. */
export function toTensor({ shape, dtype, data }: HostArray): Tensor {
  const { backend, features } = currentBackend().info;
  const absent = backend === "webgpu" &&
    (dtype === "f64" || dtype === "f16" && !features.includes("shader-f16"));
  return tensor(data, { shape, dtype: absent ? "f32" : dtype });
}

function toTensors(
  arrays: ReadonlyMap<string, HostArray>,
): Map<string, Tensor> {
  return tidy(() =>
    new Map(arrays.entries().map(([name, array]) => [name, toTensor(array)]))
  );
}

async function toArray(x: Tensor): Promise<HostArray> {
  const { shape, dtype } = x;
  return { shape, dtype, data: await x.read() };
}

/** Reads tensors from the device, all in one wait. */
async function toArrays(
  tensors: NamedTensors,
): Promise<Map<string, HostArray>> {
  const entries = [...tensors].map(async ([name, x]) =>
    [name, await toArray(x)] as const
  );
  return new Map(await Promise.all(entries));
}
