/** The device of a session. */
import { device, init } from "../mod.ts";
import { setRuntimeFolder } from "./setup.ts";

export interface DeviceOptions {
  /** Start of the random stream. @default a random one */
  readonly seed?: number;
  /** Takes the CPU device without looking for another. */
  readonly cpu?: boolean;
  /** Takes the lines that say why it is the CPU, where it is. */
  readonly log: (line: string) => void;
}

/** Opens the WebGPU device, or the CPU device where there is none: somebody at a prompt is better served by slow than by nothing. */
export async function openDevice(
  { seed, cpu = false, log }: DeviceOptions,
): Promise<void> {
  setRuntimeFolder();
  const seeded = seed === undefined ? {} : { seed };
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
