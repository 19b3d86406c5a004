/**
 * The same work for this library and others, in one run on one adapter: `deno task bench:peers [--rounds N] [--only TEXT] [--cpu]`.
 *
 * Each result is compared with ours before anything is timed. A round is several runs and one wait for the device; rounds alternate between the
 * libraries, so that what else the machine does falls on all of them. Libraries on the CPU come after all that is timed on the GPU, since their
 * threads would be in its way.
 */
import { parseArgs } from "@std/cli/parse-args";
import { tolerance } from "../../tests/support/tolerance.ts";
import { markdown } from "../report.ts";
import { median } from "../../core/median.ts";
import { countDispatches } from "./dispatches.ts";
import { openJax } from "./jax.ts";
import { openOrt } from "./ort.ts";
import { openOurs } from "./ours.ts";
import { openTfjs } from "./tfjs.ts";
import { runTorch, type TorchRun } from "./torch.ts";
import {
  dataOf,
  type HostTensor,
  type Peer,
  type Runner,
  sumLength,
  WORK,
  type Work,
} from "./work.ts";

/** A library with a piece of work, and what has been measured. */
interface Entry {
  readonly peer: string;
  readonly runner: Runner;
  /** Runs a round. */
  readonly times: number;
  readonly dispatches: number;
  readonly ms: number[];
}

/** One row of the table. */
interface Row {
  readonly work: string;
  readonly peer: string;
  readonly ms: readonly number[];
  readonly flops: number;
  readonly dispatches: number | undefined;
}

/** How long a round should take, and how many runs it has at most. */
const ROUND_MS = 60;
const MOST_RUNS = 64;

/** Small works are measured by their data, which Winograd's transforms round more than a plain sum does. */
const ROUNDING = 4;

async function open(
  what: string,
  opening: () => Promise<Peer>,
): Promise<Peer[]> {
  try {
    return [await opening()];
  } catch (error) {
    console.log(`Left out: ${what} (${(error as Error).message})`);
    return [];
  }
}

/** Prepares, compares and counts. Undefined for work that a library can't do, or does wrong. */
async function enter(
  peer: Peer,
  work: Work,
  data: readonly HostTensor[],
  want: Float32Array | undefined,
): Promise<{ entry: Entry; got: Float32Array } | undefined> {
  let runner: Runner | undefined;
  try {
    runner = await peer.prepare(work, data);
    if (!runner) return undefined;
    const got = await runner.result();
    if (want) compare(got, want, work, peer.name);
    await runner.run(1);
    const { dispatches, ms } = await countDispatches(() => runner!.run(1));
    if (peer.device === "webgpu" && dispatches === 0) {
      throw new Error("nothing was dispatched");
    }
    const times = Math.min(Math.max(Math.round(ROUND_MS / ms), 1), MOST_RUNS);
    const entry = { peer: peer.name, runner, times, dispatches, ms: [] };
    return { entry, got };
  } catch (error) {
    runner?.dispose();
    console.log(
      `Left out: ${peer.name}, ${work.name}: ${(error as Error).message}`,
    );
    return undefined;
  }
}

/** Throws where a result is further from ours than rounding explains. */
function compare(
  got: Float32Array,
  want: Float32Array,
  work: Work,
  peer: string,
): void {
  if (got.length !== want.length) {
    throw new Error(
      `${peer} gives ${got.length} numbers where ${want.length} are due`,
    );
  }
  const scale = want.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const allowed = ROUNDING * tolerance(sumLength(work), scale);
  const worst = want.reduce(
    (most, v, i) => Math.max(most, Math.abs(v - got[i])),
    0,
  );
  if (!(worst <= allowed)) {
    throw new Error(
      `the result is off by ${worst.toExponential(1)}, allowed are ${
        allowed.toExponential(1)
      }`,
    );
  }
}

/** Times a piece of work on all libraries that can do it. Returns our result, to compare others with. */
async function contest(
  peers: readonly Peer[],
  work: Work,
  rounds: number,
  known: Float32Array | undefined,
): Promise<{ rows: Row[]; want: Float32Array | undefined }> {
  const data = dataOf(work);
  const entries: Entry[] = [];
  let want = known;
  for (const peer of peers) {
    const entered = await enter(peer, work, data, want);
    if (!entered) continue;
    entries.push(entered.entry);
    want ??= entered.got;
  }
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const { runner, times, ms } = entries[(round + i) % entries.length];
      const start = performance.now();
      await runner.run(times);
      ms.push((performance.now() - start) / times);
    }
  }
  entries.forEach(({ runner }) => runner.dispose());
  const rows = entries.map(({ peer, ms, dispatches }) => ({
    work: work.name,
    peer,
    ms,
    flops: work.flops,
    dispatches: dispatches || undefined,
  }));
  return { rows, want };
}

function torchRows(
  { version, results, ms }: TorchRun,
  work: readonly Work[],
  wanted: ReadonlyMap<Work, Float32Array>,
): Row[] {
  return work.map((one, i) => {
    const want = wanted.get(one);
    if (want) compare(results[i], want, one, "PyTorch");
    return {
      work: one.name,
      peer: `PyTorch ${version} CPU`,
      ms: ms[i],
      flops: one.flops,
      dispatches: undefined,
    };
  });
}

function table(rows: readonly Row[]): string {
  const ours = new Map(
    rows.filter(({ peer }) => peer === "Tessera")
      .map(({ work, ms }) => [work, median(ms)]),
  );
  const head = [
    "work",
    "library",
    "ms, median",
    "least–most",
    "GFLOP/s",
    "dispatches",
    "Tessera is",
  ];
  return markdown(
    head,
    rows.map(({ work, peer, ms, flops, dispatches }) => {
      const middle = median(ms);
      const own = ours.get(work);
      return [
        work,
        peer,
        middle.toFixed(2),
        `${Math.min(...ms).toFixed(2)}–${Math.max(...ms).toFixed(2)}`,
        (flops / middle / 1e6).toFixed(1),
        dispatches?.toString() ?? "–",
        own && peer !== "Tessera" ? `${(middle / own).toFixed(2)}×` : "",
      ];
    }),
  );
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["rounds", "only"],
    boolean: ["cpu"],
  });
  const rounds = Number(flags.rounds ?? 9);
  const only = String(flags.only ?? "");
  const work = WORK.filter(({ name }) => name.includes(only));
  const wanted = new Map<Work, Float32Array>();
  const rows: Row[] = [];
  const timeAll = async (peers: readonly Peer[], count: number) => {
    for (const one of work) {
      const known = wanted.get(one);
      const { rows: more, want } = await contest(peers, one, count, known);
      rows.push(...more);
      if (want) wanted.set(one, want);
      console.error(`${one.name}: done`);
    }
  };
  const ours = await openOurs();
  await timeAll([
    ours,
    ...await open("TensorFlow.js", () => openTfjs("webgpu")),
    ...await open("jax-js", () => openJax("webgpu")),
    ...await open("ONNX Runtime Web", () => openOrt("webgpu")),
  ], rounds);
  if (flags.cpu) {
    // One after the other, as they would be in each other's way.
    const few = Math.min(rounds, 3);
    await timeAll(await open("TensorFlow.js", () => openTfjs("wasm")), few);
    await timeAll(await open("jax-js", () => openJax("wasm")), few);
    await timeAll(await open("ONNX Runtime Web", () => openOrt("wasm")), few);
    const torch = await runTorch(work, rounds);
    if (torch) rows.push(...torchRows(torch, work, wanted));
    else console.log("Left out: PyTorch (no python3 with torch)");
  }
  rows.sort((a, b) => order(work, a) - order(work, b));
  console.log(table(rows));
  Deno.exit();
}

function order(work: readonly Work[], row: Row): number {
  return work.findIndex(({ name }) => name === row.work);
}

await main();
