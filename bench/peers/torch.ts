/** PyTorch on the CPU, as a process of its own, where Python has it. Its rows are for orientation. */
import { dataOf, LEARNING_RATE, STEPS, type Work } from "./work.ts";

/** What PyTorch made of the work, one entry for each. */
export interface TorchRun {
  readonly version: string;
  readonly results: readonly Float32Array[];
  /** Milliseconds of one run, for each round. */
  readonly ms: readonly (readonly number[])[];
}

const SCRIPT = new URL("torch_cpu.py", import.meta.url).pathname;

/** Debian's package, and its reference BLAS, which a better one may stand in for. */
const PYTHON = "/usr/bin/python3";
const OPENBLAS = "/usr/lib/x86_64-linux-gnu/openblas-openmp";

/** Runs it all. Undefined where there is no PyTorch. */
export async function runTorch(
  work: readonly Work[],
  rounds: number,
): Promise<TorchRun | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    const listed = [];
    for (const [i, one] of work.entries()) {
      const data = dataOf(one);
      for (const [j, { data: values }] of data.entries()) {
        await Deno.writeFile(
          `${folder}/${i}_${j}.bin`,
          new Uint8Array(values.buffer),
        );
      }
      listed.push({ ...one, shapes: data.map(({ shape }) => shape) });
    }
    await Deno.writeTextFile(
      `${folder}/work.json`,
      JSON.stringify({ work: listed, rate: LEARNING_RATE, steps: STEPS }),
    );
    const output = await startPython([
      SCRIPT,
      folder,
      `${navigator.hardwareConcurrency}`,
      `${rounds}`,
    ]);
    if (!output) return undefined;
    const results = await Promise.all(work.map(async (_, i) => {
      const bytes = await Deno.readFile(`${folder}/${i}_result.bin`);
      return new Float32Array(bytes.buffer);
    }));
    return { ...JSON.parse(output), results };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function startPython(args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(PYTHON, {
      args,
      // Threads that spin while they wait would be in each other's way on few cores.
      env: { LD_LIBRARY_PATH: OPENBLAS, OMP_WAIT_POLICY: "passive" },
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
