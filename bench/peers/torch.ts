/** PyTorch on the CPU, as a process of its own, where Python has it. Its rows are for orientation. */
import { folded } from "./fold.ts";
import {
  dataOf,
  type HostTensor,
  isTrained,
  STEPS,
  type Work,
} from "./work.ts";

/** What PyTorch made of a row. */
export interface TorchRun {
  readonly version: string;
  readonly result: Float32Array;
  /** Milliseconds of one run, for each round. */
  readonly ms: readonly number[];
}

const SCRIPT = new URL("torch_cpu.py", import.meta.url).pathname;

/** Debian's package, and its reference BLAS, which a better one may stand in for. */
const PYTHON = "/usr/bin/python3";
const OPENBLAS = "/usr/lib/x86_64-linux-gnu/openblas-openmp";

/** Runs a row. Undefined where there is no PyTorch. */
export async function runTorch(
  work: Work,
  rounds: number,
): Promise<TorchRun | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    const [row, data] = rowFor(work, dataOf(work));
    for (const [i, { data: values }] of data.entries()) {
      await Deno.writeFile(`${folder}/${i}.bin`, bytesOf(values));
    }
    const shapes = data.map(({ shape }) => shape);
    await Deno.writeTextFile(
      `${folder}/work.json`,
      JSON.stringify({ ...row, shapes, losses: STEPS }),
    );
    const output = await startPython([
      SCRIPT,
      folder,
      `${navigator.hardwareConcurrency}`,
      `${rounds}`,
    ]);
    if (!output) return undefined;
    const { buffer } = await Deno.readFile(`${folder}/result.bin`);
    return { ...JSON.parse(output), result: new Float32Array(buffer) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The row as the script is given it: networks with batch norms folded, and for training with what is trained. */
function rowFor(
  work: Work,
  data: readonly HostTensor[],
): [row: Work, data: readonly HostTensor[]] {
  if (work.kind === "network") {
    const [pictures, ...values] = data;
    const { network, parameters } = folded({
      network: work,
      parameters: values,
    });
    return [{ ...work, ...network }, [pictures, ...parameters]];
  }
  if (work.kind === "training") {
    const [pictures, labels, ...values] = data;
    const trained = values.filter((_, i) => isTrained(work, i));
    return [work, [pictures, labels, ...trained]];
  }
  return [work, data];
}

function bytesOf({ buffer, byteOffset, byteLength }: HostTensor["data"]) {
  return new Uint8Array(buffer, byteOffset, byteLength);
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
