/** Checkpoints: a network with all that training needs to go on as if it had never stopped, in one file. */
import { FileFormatError } from "../core/errors.ts";
import {
  type NamedTensors,
  saveSafetensors,
  toTensor,
} from "../core/formats/files.ts";
import { decodeSafetensors } from "../core/formats/safetensors.ts";
import { type FileSource, readSource } from "../core/formats/source.ts";
import {
  type RandomState,
  randomState,
  setRandomState,
} from "../core/runtime.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Module } from "./module.ts";
import type { Optimizer } from "./optim/optimizer.ts";
import type { LRScheduler, ScheduleState } from "./optim/schedule.ts";
import type { GroupState, ParameterState } from "./optim/state.ts";

/** What a checkpoint is made of, and what it is loaded into. */
export interface CheckpointParts {
  readonly net: Module;
  readonly optimizer?: Optimizer | undefined;
  readonly schedule?: LRScheduler | undefined;
}

/** What else is kept in a checkpoint. */
export interface CheckpointExtras {
  /** Plain data: whatever JSON can hold, and numbers that aren't finite. */
  readonly data?: unknown;
  readonly tensors?: NamedTensors;
}

/** What a checkpoint kept besides the parts, and {@linkcode loadCheckpoint} resolves to. Its tensors belong to the caller. */
export interface Checkpoint {
  readonly data: unknown;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** The text that stands in the file beside the tensors. */
interface Header {
  readonly version: 1;
  readonly random: RandomState;
  readonly optimizer?: {
    readonly steps: readonly (readonly [number, number])[];
    readonly paramGroups: readonly GroupState[];
  };
  readonly schedule?: ScheduleState;
  readonly data?: unknown;
}

/** The name of the text in the file's metadata. */
const KEY = "tessera.checkpoint";

/**
 * Writes a network, its optimiser, its schedule and the state of the random stream to a safetensors file: the network's tensors under `net.`, the
 * optimiser's under `optimizer.`, the rest as JSON in the file's metadata. The file is written beside its place, flushed to the disk and renamed, so that
 * what stood there is whole whatever happens.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, ones } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * const net = new nn.Linear(2, 1);
 * const optimizer = new nn.Adam(net.parameters());
 * const step = () => {
 *   optimizer.zeroGrad();
 *   net(ones([1, 2])).sum().backward();
 *   optimizer.step();
 * };
 * step();
 * await nn.saveCheckpoint(path, { net, optimizer }, { data: { step: 1 } });
 * step();
 * const after = await net.weight.array();
 *
 * const { data } = await nn.loadCheckpoint(path, { net, optimizer });
 * assertEquals(data, { step: 1 });
 * step();
 * assertEquals(await net.weight.array(), after);
 * await Deno.remove(path);
 * ```
 */
export async function saveCheckpoint(
  path: string,
  { net, optimizer, schedule }: CheckpointParts,
  { data, tensors = new Map() }: CheckpointExtras = {},
): Promise<void> {
  const kept = scope();
  let writing: Promise<void>;
  try {
    const all = new Map<string, Tensor>();
    for (const [name, x] of net.stateDict()) all.set(`net.${name}`, x);
    for (const [name, x] of tensors) all.set(`other.${name}`, x);
    const state = optimizer?.stateDict();
    for (const [i, { tensors }] of state?.state ?? []) {
      for (const [name, x] of tensors) all.set(`optimizer.${i}.${name}`, x);
    }
    const header: Header = {
      version: 1,
      random: randomState(),
      ...(state && {
        optimizer: {
          steps: Array.from(state.state, ([i, { step }]) => [i, step]),
          paramGroups: state.paramGroups,
        },
      }),
      ...(schedule && { schedule: schedule.stateDict() }),
      ...(data !== undefined && { data }),
    };
    // The values are on their way when this returns: what happens to the tensors then doesn't show in the file.
    writing = saveSafetensors(path, all, {
      metadata: { [KEY]: JSON.stringify(header, toPlain) },
    });
  } finally {
    kept.dispose();
  }
  await writing;
}

/**
 * Loads what {@linkcode saveCheckpoint} wrote: into the network, the optimiser and the schedule that are given, and the random stream. Nothing is
 * changed unless all of it fits.
 *
 * @throws {FileFormatError} For a damaged file, or one that isn't a checkpoint.
 * @throws {Error} Where the file has no state for a part that is given, or one that doesn't fit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * const [net, twin] = [new nn.Linear(2, 1), new nn.Linear(2, 1)];
 * const tensors = new Map([["mean", tensor([0.3])]]);
 * await nn.saveCheckpoint(path, { net }, { data: { epoch: 7 }, tensors });
 * const loaded = await nn.loadCheckpoint(path, { net: twin });
 * assertEquals(loaded.data, { epoch: 7 });
 * assertEquals(loaded.tensors.get("mean")!.shape, [1]);
 * assertEquals(await twin.weight.array(), await net.weight.array());
 * await Deno.remove(path);
 * ```
 */
export async function loadCheckpoint(
  source: FileSource,
  { net, optimizer, schedule }: CheckpointParts,
): Promise<Checkpoint> {
  const { bytes, file } = await readSource(source);
  const decoded = decodeSafetensors(bytes, file);
  const text = decoded.metadata.get(KEY);
  if (text === undefined) {
    throw new FileFormatError(
      `Cannot load ${file} as a checkpoint: its metadata have no "${KEY}", load a file of weights with loadWeights`,
      file,
      0,
      `metadata "${KEY}"`,
    );
  }
  const header: Header = JSON.parse(text, fromPlain);
  for (const [name, part] of Object.entries({ optimizer, schedule })) {
    if (part && !(name in header)) {
      throw new Error(
        `Cannot load the checkpoint ${file}: it has no ${name}, leave that out to load the rest`,
      );
    }
  }
  using kept = scope();
  const arrays = new Map(
    decoded.tensors.entries().map(([name, x]) => [name, toTensor(x)]),
  );
  restore(header, arrays, { net, optimizer, schedule });
  setRandomState(header.random);
  const tensors = below("other.", arrays);
  kept.keep(tensors);
  return { data: header.data, tensors };
}

/** Loads the parts, or none of them. */
function restore(
  header: Header,
  arrays: NamedTensors,
  { net, optimizer, schedule }: CheckpointParts,
): void {
  if (schedule && header.schedule) schedule.checkState(header.schedule);
  const before = optimizer?.stateDict();
  if (optimizer && header.optimizer) {
    const own = below("optimizer.", arrays);
    const state = header.optimizer.steps.map(([i, step]) =>
      [i, { step, tensors: below(`${i}.`, own) }] as [number, ParameterState]
    );
    const { paramGroups } = header.optimizer;
    optimizer.loadStateDict({ state: new Map(state), paramGroups });
  }
  try {
    net.loadStateDict(below("net.", arrays));
  } catch (error) {
    if (before) optimizer?.loadStateDict(before);
    throw error;
  }
  if (schedule && header.schedule) schedule.loadStateDict(header.schedule);
}

/** The tensors whose names begin with a prefix, without it. */
function below(prefix: string, tensors: NamedTensors): Map<string, Tensor> {
  const own = tensors.entries().filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, x]) => [name.slice(prefix.length), x]));
}

/** JSON has no NaN and no infinity: they are kept as texts with a mark. */
function toPlain(_key: string, value: unknown): unknown {
  const odd = typeof value === "number" && !Number.isFinite(value);
  return odd ? `#${value}` : value;
}

function fromPlain(_key: string, value: unknown): unknown {
  const odd = typeof value === "string" && /^#(NaN|-?Infinity)$/.test(value);
  return odd ? Number(value.slice(1)) : value;
}
