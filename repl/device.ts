/** The device of a session. */
import { device, DeviceLostError, init } from "../mod.ts";
import { tensorsIn } from "./commands/held.ts";
import { setRuntimeFolder } from "./setup.ts";

export interface DeviceOptions {
  /** Start of the random stream. @default a random one */
  readonly seed?: number;
  /** Takes the CPU device without looking for another. */
  readonly cpu?: boolean;
  /** Takes the lines that say why it is the CPU, where it is. */
  readonly log: (line: string) => void;
}

let start: number | undefined;

/** The seed of the random stream's start; undefined where no device was opened. */
export function startSeed(): number | undefined {
  return start;
}

/** Opens the WebGPU device, or the CPU device where there is none: somebody at a prompt is better served by slow than by nothing. */
export async function openDevice(
  { seed = Math.floor(Math.random() * 2 ** 32), cpu = false, log }:
    DeviceOptions,
): Promise<void> {
  setRuntimeFolder();
  start = seed;
  const seeded = { seed };
  if (!cpu) {
    try {
      await init(seeded);
      return;
    } catch (error) {
      log((error as Error).message);
    }
  }
  log("Computing on the CPU instead, which is slow");
  await init({ ...seeded, device: "cpu" });
}

/** The device in a few words. */
export function deviceText(): string {
  const { backend, name, software } = device();
  if (backend === "cpu") return "the CPU, in float64";
  return software ? `${name}, a software adapter` : name;
}

/** How to go on after an error that says that the device was lost. */
export async function lossAdvice(
  error: unknown,
  variables: () => Promise<ReadonlyMap<string, unknown>>,
): Promise<string[]> {
  if (!(error instanceof DeviceLostError)) return [];
  const lost = [...await variables()].filter(([name, value]) =>
    tensorsIn(name, value).some(([, { storage }]) => storage.backend.lost)
  ).map(([name]) => name);
  return [
    ...lost.length === 0 ? [] : [`Lost with it: ${lost.join(", ")}`],
    "To go on: await init() opens a device; then make what is lost again, or .load a file that .save has written",
  ];
}
