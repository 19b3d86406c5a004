/** Weights on their way into a network: found, renamed, loaded. */
import { readArrays, toTensor } from "../core/formats/files.ts";
import type { FileSource } from "../core/formats/source.ts";
import { scope } from "../core/scope.ts";
import {
  download,
  DownloadError,
  type DownloadOptions,
  isDownloaded,
} from "../nn/data/download.ts";
import type { Module } from "../nn/module.ts";
import type { StateDict } from "../nn/state.ts";
import { partFor } from "../nn/weights.ts";
import type { HostArray } from "../wgsl/op.ts";
import type { NameRule, WeightsEntry, WeightsSource } from "./weights_entry.ts";

/** Counts the batches that running statistics have seen. Files from before 2018 have none. */
const COUNTER = /(^|\.)num_batches_tracked$/;

/** Loads published weights, from the cache if they are there. */
export async function loadEntry(
  net: Module,
  name: string,
  { shipped, sources, rules }: WeightsEntry,
  options: DownloadOptions,
): Promise<void> {
  const file = shipped
    ? new URL(shipped)
    : await fetched(name, sources, options);
  await loadFile(net, file, rules);
}

/** Loads a file into a network, by name. Nothing changes unless all of it fits. */
export async function loadFile(
  net: Module,
  source: FileSource,
  rules: readonly NameRule[] = [],
): Promise<void> {
  const own = net.stateDict();
  const names = [...own.keys()].filter((name) => !COUNTER.test(name));
  const arrays = renamed(partFor(names, await readArrays(source)), own, rules);
  using _ = scope();
  const state = arrays.entries().map(([name, array]) =>
    [name, toTensor(array)] as const
  );
  net.loadStateDict(new Map(state));
}

/** The path of the first source that can be had. */
async function fetched(
  name: string,
  sources: readonly WeightsSource[],
  options: DownloadOptions,
): Promise<string> {
  const plan = {
    ...options,
    kind: "weights",
    instead: `pass zoo.create("${name}", { weights: PATH })`,
  } as const;
  // One that is there is as good as one that would have to be fetched.
  for (const { file } of sources) {
    const path = await isDownloaded(file, plan);
    if (path !== undefined) return path;
  }
  const errors: DownloadError[] = [];
  for (const { file, urls, bytes, sha256 = "" } of sources) {
    try {
      return await download({ name: file, urls, bytes, sha256 }, plan);
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  throw new DownloadError(
    errors.map(({ message }) => message).join("\n"),
    errors[0].file,
    errors.flatMap(({ urls }) => urls),
    errors.flatMap(({ reasons }) => reasons),
  );
}

/** Arrays under the network's own names, as far as rules say how, and with counters of 0 where a file has none. */
export function renamed(
  arrays: ReadonlyMap<string, HostArray>,
  own: StateDict,
  rules: readonly NameRule[],
): Map<string, HostArray> {
  const found = new Map<string, HostArray>();
  for (const [name, array] of arrays) {
    const rule = own.has(name)
      ? undefined
      : rules.find(({ from }) => name.startsWith(from));
    if (!rule) found.set(name, array);
    else if (rule.to !== null) {
      const target = rule.to + name.slice(rule.from.length);
      found.set(target, rule.flatten ? flattened(array) : array);
    }
  }
  if (found.keys().some((name) => COUNTER.test(name))) return found;
  for (const [name, { shape }] of own) {
    if (!COUNTER.test(name)) continue;
    found.set(name, { shape, dtype: "i32", data: new Int32Array(1) });
  }
  return found;
}

/** `[M, C, H, W] → [M, C·H·W]` */
function flattened(array: HostArray): HostArray {
  if (array.shape.length <= 2) return array;
  const [rows, ...rest] = array.shape;
  return { ...array, shape: [rows, rest.reduce((a, b) => a * b, 1)] };
}
