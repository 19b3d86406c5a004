/** A module's weights in a file. */
import { tensor } from "../core/create.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
} from "../core/formats/safetensors.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Module } from "./module.ts";

/**
 * Writes a module's parameters and buffers as safetensors. The file is written beside its place and then renamed, so that what stood there is whole
 * whatever happens.
 */
export async function saveWeights(net: Module, path: string): Promise<void> {
  const state = [...net.stateDict()];
  const values = await Promise.all(state.map(([, value]) => value.read()));
  const tensors = new Map(state.map(([name, { dtype, shape }], i) => [
    name,
    { dtype, shape, data: values[i] },
  ]));
  const temporary = `${path}.${crypto.randomUUID()}.part`;
  const file = await Deno.open(temporary, { write: true, createNew: true });
  try {
    const bytes = encodeSafetensors(tensors);
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
    await file.syncData();
  } finally {
    file.close();
  }
  await Deno.rename(temporary, path);
}

/**
 * Reads weights of safetensors, from a path, URL or bytes, into a module, by name. Nothing changes unless all of it fits.
 *
 * @throws {FileFormatError} For a damaged file.
 * @throws {Error} A table of names that are missing, unexpected or mis-shaped.
 */
export async function loadWeights(
  net: Module,
  source: string | URL | Uint8Array,
  options: { readonly strict?: boolean } = {},
): Promise<void> {
  using _ = scope();
  const bytes = source instanceof Uint8Array
    ? source
    : await fetchBytes(source);
  const name = source instanceof Uint8Array ? "bytes" : String(source);
  const { tensors } = decodeSafetensors(bytes, name);
  const state = new Map<string, Tensor>();
  for (const [key, { shape, data }] of tensors) {
    state.set(key, tensor(data, { shape }));
  }
  net.loadStateDict(state, options);
}

async function fetchBytes(source: string | URL): Promise<Uint8Array> {
  if (typeof source === "string" && !/^[a-z][a-z0-9+.-]+:/i.test(source)) {
    return await Deno.readFile(source);
  }
  const response = await fetch(source);
  if (!response.ok) {
    throw new Error(
      `Cannot load ${source}: the server answered ${response.status}`,
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}
