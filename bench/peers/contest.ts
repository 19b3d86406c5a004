/** Rows in the hands of one library after another: comparing, then timing by turns. */
import { tolerance } from "../../tests/support/tolerance.ts";
import {
  type Answers,
  type Library,
  LibraryError,
  LibraryProcess,
  ON_CPU,
  ON_GPU,
} from "./process.ts";
import type { Row } from "./tables.ts";
import { runTorch } from "./torch.ts";
import { sumLength, type Work } from "./work.ts";

/** How long a library runs before a round, how long a round should take, and how many runs it has at most. */
const WARM_MS = 1000;
const ROUND_MS = 1000;
const MOST_RUNS = 64;

/** Rounds of libraries on the CPU: a few, as they are there for orientation. */
const CPU_ROUNDS = 3;

/** Seconds that measuring the arithmetic peak may take. */
const PEAK_SECONDS = 300;

/** Small works are measured by their data, which Winograd's transforms round more than a plain sum does. */
const ROUNDING = 4;

/** How far results of networks and losses of steps may differ, as a part of the largest. */
const NETWORK_ROUNDING = 1e-4;

/** A library that has done a row and may be timed on it. */
interface Entry {
  readonly library: Library;
  readonly process: LibraryProcess;
  readonly prepared: Answers["prepare"];
  readonly off: number;
  readonly ms: number[];
}

/** How the contest is held. */
export interface ContestOptions {
  readonly rounds: number;
  /** Seconds that a library may take to get ready for a row, or for one round of it. */
  readonly limit: number;
  /** Which libraries take part besides ours. @default all */
  readonly libraries?: readonly Row["library"][];
}

/** What a library can't do, and why. */
export interface Note {
  readonly work: Work;
  readonly library: Row["library"];
  readonly reason: string;
}

/** All that was measured. */
export class Contest implements Disposable {
  readonly rows: Row[] = [];
  readonly notes: Note[] = [];
  readonly #options: ContestOptions;
  readonly #folder = Deno.makeTempDirSync();
  /** Our results, which those of others are held against. */
  readonly #wanted = new Map<Work, Float32Array>();

  constructor(options: ContestOptions) {
    this.#options = options;
  }

  /** Times a row on all libraries that use WebGPU, by turns. */
  async onGpu(work: Work): Promise<void> {
    const { rounds } = this.#options;
    const whole = work.kind === "network" || work.kind === "training";
    const libraries = ON_GPU.filter((one) =>
      one === "tessera" ||
      (this.#takesPart(one) && (whole || one !== "tessera-compiled"))
    );
    await using entries = await this.#enterAll(work, libraries);
    await this.#time(work, entries.list, rounds);
  }

  /** Times a row on the CPU, one library after another. */
  async onCpu(work: Work): Promise<void> {
    if (!this.#wanted.has(work)) return;
    const rounds = Math.min(this.#options.rounds, CPU_ROUNDS);
    for (const library of ON_CPU.filter((one) => this.#takesPart(one))) {
      await using entries = await this.#enterAll(work, [library]);
      await this.#time(work, entries.list, rounds);
    }
    if (!this.#takesPart("torch")) return;
    try {
      const run = await runTorch(work, this.#options.rounds);
      if (!run) throw new LibraryError("there is no python3 with torch");
      this.rows.push({
        work,
        library: "torch",
        name: `PyTorch ${run.version} CPU`,
        ms: run.ms,
        dispatches: undefined,
        off: this.#compare(run.result, work),
      });
    } catch (error) {
      this.#leaveOut("torch", work, error);
    }
  }

  #takesPart(library: Row["library"]): boolean {
    return this.#options.libraries?.includes(library) ?? true;
  }

  async #enterAll(
    work: Work,
    libraries: readonly Library[],
  ): Promise<AsyncDisposable & { readonly list: Entry[] }> {
    const list: Entry[] = [];
    for (const library of libraries) {
      const entry = await this.#enter(work, library);
      if (entry) list.push(entry);
      // Without a result of ours there is nothing to compare with.
      if (!this.#wanted.has(work)) break;
    }
    return {
      list,
      async [Symbol.asyncDispose]() {
        for (const { process } of list) await process[Symbol.asyncDispose]();
      },
    };
  }

  /** Undefined for work that a library can't do, or does wrong. */
  async #enter(work: Work, library: Library): Promise<Entry | undefined> {
    const process = new LibraryProcess(library);
    try {
      const file = `${this.#folder}/result.bin`;
      const prepared = await process.ask(
        { ask: "prepare", work: work.id, file },
        this.#options.limit,
      );
      const { buffer } = await Deno.readFile(file);
      const got = new Float32Array(buffer);
      if (library === "tessera") this.#wanted.set(work, got);
      const off = this.#compare(got, work);
      const { name, ms } = prepared;
      console.error(
        `${work.name}, ${name}: ${ms.toFixed(1)} ms, off by ${
          off.toExponential(1)
        }`,
      );
      return { library, process, prepared, off, ms: [] };
    } catch (error) {
      await process[Symbol.asyncDispose]();
      this.#leaveOut(library, work, error);
      return undefined;
    }
  }

  async #time(
    work: Work,
    entries: readonly Entry[],
    rounds: number,
  ): Promise<void> {
    const failed = new Set<Entry>();
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[(round + i) % entries.length];
        if (failed.has(entry)) continue;
        try {
          entry.ms.push(await this.#round(entry));
        } catch (error) {
          failed.add(entry);
          this.#leaveOut(entry.library, work, error);
        }
      }
    }
    for (const entry of entries) {
      if (failed.has(entry)) continue;
      const { library, prepared: { name, dispatches }, ms, off } = entry;
      this.rows.push({
        work,
        library,
        name,
        ms,
        dispatches: dispatches || undefined,
        off,
      });
    }
  }

  async #round({ process, prepared }: Entry): Promise<number> {
    const runs = Math.round(ROUND_MS / prepared.ms);
    const times = Math.min(Math.max(runs, 1), MOST_RUNS);
    const { limit } = this.#options;
    // The caches are full of what the library before had, and a machine that has been idle may be slow for a second.
    for (
      const start = performance.now();
      performance.now() - start < WARM_MS;
    ) {
      await process.ask({ ask: "run", times }, limit);
    }
    const { ms } = await process.ask({ ask: "run", times }, limit);
    return ms / times;
  }

  /** How far a result is from ours. Throws where that is more than rounding explains. */
  #compare(got: Float32Array, work: Work): number {
    const want = this.#wanted.get(work)!;
    if (got.length !== want.length) {
      throw new LibraryError(
        `it gives ${got.length} numbers where ${want.length} are due`,
      );
    }
    const scale = want.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    // A NaN stays one, and is more than is allowed.
    const off = want.reduce(
      (most, v, i) => Math.max(most, Math.abs(v - got[i])),
      0,
    ) / scale;
    const allowed = allowedFor(work);
    if (!(off <= allowed)) {
      throw new LibraryError(
        `its result is off by ${off.toExponential(1)} of the largest value, ${
          allowed.toExponential(1)
        } are allowed`,
      );
    }
    return off;
  }

  #leaveOut(library: Row["library"], work: Work, error: unknown): void {
    if (!(error instanceof LibraryError)) throw error;
    const reason = error.message;
    this.notes.push({ work, library, reason });
    console.error(`Left out: ${work.name}, ${library}: ${reason}`);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** How far a result may be off, as a part of the largest value. */
function allowedFor(work: Work): number {
  return work.kind === "network" || work.kind === "training"
    ? NETWORK_ROUNDING
    : ROUNDING * tolerance(sumLength(work), 1);
}

/** Operations a second that the adapter reaches at best. */
export async function peakOf(): Promise<number> {
  await using process = new LibraryProcess("tessera");
  return (await process.ask({ ask: "peak" }, PEAK_SECONDS)).flops;
}
