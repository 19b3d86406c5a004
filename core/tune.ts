/** Choosing kernels by measurement, and keeping the choices in a file an adapter. */
import type { TuneResult } from "./gpu/tuner.ts";
import { currentGpu } from "./runtime.ts";
import { defaultPath, readChoices, writeChoices } from "./tuning_file.ts";

export type { TuneResult } from "./gpu/tuner.ts";

/** Options of {@linkcode tune}. */
export interface TuneOptions {
  /** Called after each call's variants have been measured. */
  readonly onMeasured?: (result: TuneResult) => void;
}

/**
 * Measures the kernels that `body` uses and runs the fastest variant of each from then on, for all calls of the same op with sizes within a factor
 * of two. `body` makes the calls whose shapes matter, such as a training step; it runs once, and each variant is then measured on made-up values.
 *
 * Nothing is measured on the CPU device. The choices last until the program ends; {@linkcode saveTuning} keeps them.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, noGrad, randn, tune, zoo } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = zoo.lenet({ variant: "small" });
 * const x = randn([4, 1, 28, 28]);
 * const results = await tune(() => noGrad(() => net(x)));
 * assert(results.some(({ shapeClass }) => shapeClass.startsWith("conv2d ")));
 * ```
 */
export async function tune(
  body: () => unknown,
  { onMeasured }: TuneOptions = {},
): Promise<TuneResult[]> {
  return await currentGpu()?.tune(body, onMeasured) ?? [];
}

/**
 * Writes the measured choices of the device in use to a file that may be shared or shipped: to `path`, or to the one that `init` reads, in
 * `$XDG_CACHE_HOME/tessera` or `~/.cache/tessera`. Resolves to the path. Choices that the file has for this adapter already are kept.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, randn, saveTuning, tune } from "@tessera/tessera";
 *
 * await init();
 * await tune(() => randn([8, 8]).matmul(randn([8, 8])));
 * const folder = await Deno.makeTempDir();
 * const path = await saveTuning(`${folder}/tuning.json`);
 * assert((await Deno.readTextFile(path)).length > 0);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function saveTuning(path?: string): Promise<string> {
  const gpu = currentGpu();
  if (!gpu) {
    throw new Error(
      "Cannot save tuning: the CPU device has no kernels to tune",
    );
  }
  const target = path ?? defaultPath(gpu.info.name);
  if (!target) {
    throw new Error(
      "Cannot save tuning: no cache folder is known, set XDG_CACHE_HOME or HOME, or pass a path",
    );
  }
  await writeChoices(gpu.tuning, gpu.info.name, target);
  return target;
}

/**
 * Reads choices that {@linkcode saveTuning} wrote. Those for kernels that have been edited since are passed over when they would be used.
 *
 * @throws {FileFormatError} For a file that isn't one, or of another version.
 *
 * @example
 * ```ts
 * import { init, loadTuning, saveTuning } from "@tessera/tessera";
 *
 * await init();
 * const folder = await Deno.makeTempDir();
 * const path = await saveTuning(`${folder}/tuning.json`);
 * await loadTuning(path);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function loadTuning(path: string | URL): Promise<void> {
  const gpu = currentGpu();
  if (gpu) readChoices(gpu.tuning, await Deno.readTextFile(path), String(path));
}
