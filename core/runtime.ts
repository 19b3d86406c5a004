/** The one device in use, its random stream, and what interrupts it. */
import type { Backend, DeviceInfo } from "./backend.ts";
import { CpuBackend } from "./cpu.ts";
import { InterruptedError } from "./errors.ts";
import { openDevice } from "./gpu/adapter.ts";
import { GpuBackend } from "./gpu/backend.ts";
import { loadDefaultTuning } from "./tuning_file.ts";

/** Options of {@linkcode init}. */
export interface InitOptions {
  /** `"webgpu"`, or `"cpu"` for the float64 references on the CPU. @default "webgpu" */
  readonly device?: "webgpu" | "cpu";
  /** Start of the random stream: the same seed gives the same numbers on the same device. @default a random one */
  readonly seed?: number;
  /** Which GPU to take where there are two, when the device is opened. */
  readonly powerPreference?: GPUPowerPreference;
}

/** The device in use and the state of its random stream. */
interface Runtime {
  backend: Backend | undefined;
  /** Those that have been opened, so that going back to a device finds its tensors and memory. */
  readonly opened: Map<DeviceInfo["backend"], Promise<Backend>>;
  /** Philox key. */
  key: readonly [number, number];
  /** Counter blocks that have been used. */
  counter: number;
  interrupted: (() => boolean) | undefined;
  /** The layers whose forward is running, outermost first. */
  readonly path: string[];
}

const runtime: Runtime = {
  backend: undefined,
  opened: new Map(),
  key: [0, 0],
  counter: 0,
  interrupted: undefined,
  path: [],
};

/**
 * Opens the device. Once at the start; again after a DeviceLostError, to change the device, or to start the random stream over.
 *
 * Resolves to the same as {@linkcode device}. Rejects when there is no adapter, and says how to go on.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, randn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const first = await randn([2, 3]).array();
 * await init({ seed: 0 });
 * assertEquals(await randn([2, 3]).array(), first);
 * ```
 */
export async function init(options: InitOptions = {}): Promise<DeviceInfo> {
  const { device: kind = "webgpu", powerPreference } = options;
  const { seed = Math.floor(Math.random() * 2 ** 48) } = options;
  checkSeed(seed);
  if (kind !== "webgpu" && kind !== "cpu") {
    throw new RangeError(
      `Cannot open the device "${kind}": expected "webgpu" or "cpu"`,
    );
  }
  runtime.backend = await open(kind, powerPreference);
  seedWith(seed);
  return device();
}

/** The device that is open already, or a new one. Calls that come before it is there share it. */
async function open(
  kind: DeviceInfo["backend"],
  powerPreference: GPUPowerPreference | undefined,
): Promise<Backend> {
  const known = runtime.opened.get(kind);
  const backend = await known?.catch(() => undefined);
  if (backend && !backend.lost) return backend;
  // Another call may have opened one meanwhile.
  if (runtime.opened.get(kind) !== known) return open(kind, powerPreference);
  const opening = kind === "cpu"
    ? Promise.resolve(new CpuBackend())
    : openGpu(powerPreference);
  runtime.opened.set(kind, opening);
  return await opening;
}

function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new RangeError(
    `Cannot seed with ${seed}: expected an integer from 0 to 2^53 - 1`,
  );
}

async function openGpu(powerPreference?: GPUPowerPreference): Promise<Backend> {
  const opened = await openDevice(powerPreference);
  if (!opened) {
    throw new Error(
      'Cannot open a WebGPU device: no adapter was found, install a Vulkan driver (a software one is Debian\'s mesa-vulkan-drivers) or use init({ device: "cpu" })',
    );
  }
  const gpu = new GpuBackend(opened);
  await loadDefaultTuning(gpu.tuning, gpu.info.name);
  return gpu;
}

/**
 * What the device in use is and can do.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { device, init } from "@tessera/tessera";
 *
 * await init();
 * assert(["webgpu", "cpu"].includes(device().backend));
 * ```
 */
export function device(): DeviceInfo {
  return currentBackend().info;
}

/**
 * Starts the random stream over.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, rand, seed } from "@tessera/tessera";
 *
 * await init();
 * seed(7);
 * const first = await rand([2]).array();
 * seed(7);
 * assertEquals(await rand([2]).array(), first);
 * ```
 */
export function seedWith(seed: number): void {
  checkSeed(seed);
  runtime.key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  runtime.counter = 0;
}

/** State of the random stream, to be kept in a checkpoint and given back to {@linkcode setRandomState}. */
export interface RandomState {
  readonly key: readonly [number, number];
  readonly counter: number;
}

/**
 * The state of the random stream.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, rand, randomState, setRandomState } from "@tessera/tessera";
 *
 * await init();
 * const state = randomState();
 * const first = await rand([2]).array();
 * setRandomState(state);
 * assertEquals(await rand([2]).array(), first);
 * ```
 */
export function randomState(): RandomState {
  return { key: runtime.key, counter: runtime.counter };
}

/**
 * Goes on with the random stream from a state.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, rand, randomState, setRandomState } from "@tessera/tessera";
 *
 * await init();
 * const state = randomState();
 * rand([100]);
 * setRandomState(state);
 * assertEquals(randomState(), state);
 * ```
 */
export function setRandomState({ key, counter }: RandomState): void {
  runtime.key = [key[0], key[1]];
  runtime.counter = counter;
}

/** Takes the next counter blocks of the random stream. */
export function takeRandom(blocks: number): RandomState {
  const state = randomState();
  runtime.counter += blocks;
  return state;
}

/** The backend that new tensors are made on. */
export function currentBackend(): Backend {
  if (!runtime.backend) {
    throw new Error("Cannot use the device: call `await init()` first");
  }
  return runtime.backend;
}

/** Runs `body`, all that it calls before its first `await`, with another backend in use. */
export function withBackend<T>(backend: Backend, body: () => T): T {
  const before = runtime.backend;
  runtime.backend = backend;
  try {
    return body();
  } finally {
    runtime.backend = before;
  }
}

/** The GPU in use; undefined on the CPU device. */
export function currentGpu(): GpuBackend | undefined {
  const backend = currentBackend();
  return backend instanceof GpuBackend ? backend : undefined;
}

/** The CPU device in use; undefined on a GPU. */
export function currentCpu(): CpuBackend | undefined {
  const backend = currentBackend();
  return backend instanceof CpuBackend ? backend : undefined;
}

/** The backend, if one has been opened. */
export function openedBackend(): Backend | undefined {
  return runtime.backend;
}

/** Sets what every call of the library asks before it starts; when it says true the call throws an InterruptedError. */
export function onInterrupt(check: (() => boolean) | undefined): void {
  runtime.interrupted = check;
}

/** Whether somebody has taken interrupts on with {@linkcode onInterrupt}. */
export function hearsInterrupts(): boolean {
  return runtime.interrupted !== undefined;
}

/** Whether the line that runs has been interrupted. */
export function isInterrupted(): boolean {
  return runtime.interrupted?.() ?? false;
}

/** Calls of {@linkcode withoutInterrupts} that run. */
let shields = 0;

/** Runs `body`, all that it calls before its first `await`, to its end even when interrupted: for changes that mustn't be made by halves. */
export function withoutInterrupts<T>(body: () => T): T {
  shields++;
  try {
    return body();
  } finally {
    shields--;
  }
}

/** Throws if the line that runs has been interrupted. */
export function checkInterrupt(): void {
  if (shields === 0 && isInterrupted()) {
    throw new InterruptedError("Interrupted");
  }
}

/**
 * Waits until the device has done all that was asked of it. Rejects if any of it failed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, randn, synchronize } from "@tessera/tessera";
 *
 * await init();
 * const y = randn([64, 64]).matmul(randn([64, 64]));
 * await synchronize();
 * assertEquals(y.shape, [64, 64]); // and computed
 * ```
 */
export function synchronize(): Promise<void> {
  return currentBackend().synchronize();
}

/** The layer whose forward is running, such as "features.0 (Conv2d)". */
export function currentPath(): string | undefined {
  return runtime.path.at(-1);
}

/** Runs `body` as part of a layer. */
export function withPath<T>(path: string, body: () => T): T {
  runtime.path.push(path);
  try {
    return body();
  } finally {
    runtime.path.pop();
  }
}
