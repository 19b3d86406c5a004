/** A module's weights in a file. */
import {
  readArrays,
  saveSafetensors,
  toTensor,
} from "../core/formats/files.ts";
import type { FileSource } from "../core/formats/source.ts";
import { scope } from "../core/scope.ts";
import type { Module } from "./module.ts";

/**
 * Writes a module's parameters and buffers as safetensors. The file is written beside its place and then renamed, so that what stood there is whole
 * whatever happens.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * const [net, twin] = [new nn.Linear(3, 2), new nn.Linear(3, 2)];
 * await nn.saveWeights(net, path);
 * await nn.loadWeights(twin, path);
 * assertEquals(await twin.weight.array(), await net.weight.array());
 * await Deno.remove(path);
 * ```
 */
export async function saveWeights(net: Module, path: string): Promise<void> {
  await saveSafetensors(path, net.stateDict());
}

/**
 * Reads weights from a path, URL or bytes into a module, by name: a safetensors, npz or PyTorch file, told by its bytes. Nothing changes unless
 * all of it fits.
 *
 * Where a file keeps the weights in a part of it, such as a checkpoint's `state_dict` or a `module` around them, that part is taken: the one in
 * which all names of the module are found, if they aren't at the top.
 *
 * @throws {FileFormatError} For a damaged file.
 * @throws {Error} A table of names that are missing, unexpected or mis-shaped.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, saveNpz, tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile();
 * const checkpoint = { "state_dict.weight": tensor([[1, 2]]), step: tensor(7) };
 * await saveNpz(path, new Map(Object.entries(checkpoint)));
 * const net = new nn.Linear(2, 1, { bias: false });
 * await nn.loadWeights(net, path);
 * assertEquals(await net.weight.array(), [[1, 2]]);
 * await Deno.remove(path);
 * ```
 */
export async function loadWeights(
  net: Module,
  source: FileSource,
  options: { readonly strict?: boolean } = {},
): Promise<void> {
  const arrays = partFor([...net.stateDict().keys()], await readArrays(source));
  using _ = scope();
  const state = arrays.entries().map(([name, array]) =>
    [name, toTensor(array)] as const
  );
  net.loadStateDict(new Map(state), options);
}

/** The entries under the first prefix that has all of these names, without it; all entries where there is none. */
export function partFor<T>(
  names: readonly string[],
  entries: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  if (names.length === 0 || names.every((name) => entries.has(name))) {
    return entries;
  }
  for (const key of entries.keys()) {
    const prefix = key.slice(0, key.length - names[0].length);
    const found = prefix.endsWith(".") &&
      names.every((name) => entries.has(prefix + name));
    if (!found) continue;
    const part = entries.entries().filter(([name]) => name.startsWith(prefix));
    return new Map(
      part.map(([name, value]) => [name.slice(prefix.length), value]),
    );
  }
  return entries;
}
