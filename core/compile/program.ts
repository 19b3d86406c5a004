/**
 * A graph made ready to run: what is constant is computed once, memory is dealt out, calls are prepared. A run takes the caller's tensors and gives new ones.
 */
import type { DType, Launch } from "../../wgsl/op.ts";
import { itemBytes } from "../../wgsl/shape.ts";
import type {
  Backend,
  Block,
  Course,
  Moment,
  Prepared,
  PreparedCall,
  PreparedInfo,
} from "../backend.ts";
import { type RandomState, randomState, takeRandom } from "../runtime.ts";
import { Storage } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import {
  type Cell,
  cellsOf,
  constantCells,
  type Graph,
  type GraphCall,
  type Place,
} from "./graph.ts";
import { shareMemory } from "./memory.ts";
import { boundCells, needsOf } from "./lifetimes.ts";
import { type Told, toldOf } from "./told.ts";
import { checkInputs, type InputCheck, type RandomUse } from "./trace.ts";

/** Bytes that a program holds, by what for. */
export interface ProgramMemory {
  /** What a run computes on the way, scratch memory of kernels included. */
  readonly temporaryBytes: number;
  /** Results of what is computed once: folded and rearranged weights. */
  readonly constantBytes: number;
  /** The results of a run, which belong to the caller. */
  readonly resultBytes: number;
  /** Buffers that the temporaries share. */
  readonly buffers: number;
}

/** A weight as it was when the constants were computed from it. */
interface Seen {
  readonly storage: Storage;
  version: number;
  block: Block;
}

/** What is known of a traced function beside its graph. */
export interface ProgramOptions {
  readonly checks?: readonly InputCheck[];
  readonly random?: RandomUse;
  /** Whether kernels keep weights in the order in which they read them, as Winograd's transform leaves them. @default true */
  readonly rearranges?: boolean;
}

/** A graph that can be run. */
export class Program {
  readonly memory: ProgramMemory;
  /** The calls of each run, and what each launches. */
  readonly calls: readonly GraphCall[];
  readonly once: readonly GraphCall[];
  readonly #graph: Graph;
  readonly #backend: Backend;
  readonly #cells = new Map<Cell, number>();
  readonly #options: ProgramOptions;
  readonly #prepared: readonly PreparedCall[];
  readonly #run: Prepared;
  readonly #first: Prepared;
  /** Memory that the program owns, by cell or slot. */
  readonly #owned: Storage[] = [];
  readonly #fixed = new Map<Cell, Storage>();
  /** Constants that nothing reads after the first time. */
  readonly #passing: readonly Cell[];
  readonly #temporaries: ReadonlySet<Cell>;
  readonly #weights: readonly Cell[];
  readonly #seen: Seen[];
  readonly #results: readonly Cell[];
  readonly #checks: readonly InputCheck[];
  /** What is other at each run. */
  readonly #course: Course;
  readonly #told: Told;
  /** Weights that runs change. */
  readonly #changed: readonly Storage[];
  #constantsReady = false;
  #disposed = false;

  constructor(
    graph: Graph,
    backend: Backend,
    options: ProgramOptions = {},
  ) {
    const { checks = [], random, rearranges = true } = options;
    this.#options = options;
    this.#graph = graph;
    this.#backend = backend;
    this.#checks = checks;
    const constant = constantCells(graph);
    const isConstant = ({ cell }: Place) => constant.has(cell);
    const fixed = (call: GraphCall) =>
      !call.op.inPlace && call.outputs.every(isConstant);
    this.once = graph.calls.filter(fixed);
    this.calls = graph.calls.filter((call) => !fixed(call));
    for (const cell of cellsOf(graph)) this.#cells.set(cell, this.#cells.size);
    const prepared = (call: GraphCall): PreparedCall => ({
      op: call.op,
      attrs: call.attrs,
      inputs: call.inputs.map(({ cell, view }) => ({
        view,
        block: this.#cells.get(cell)!,
        constant: constant.has(cell),
      })),
      outputs: call.outputs.map(({ cell, view }) => ({
        view,
        block: this.#cells.get(cell)!,
      })),
    });
    const temporary = (call: GraphCall): PreparedCall => {
      const { inputs, ...rest } = prepared(call);
      return {
        ...rest,
        inputs: inputs.map((x) => ({ ...x, constant: false })),
      };
    };
    const draws = this.calls.flatMap(({ attrs }, call) => {
      const { key, counter } = attrs as Partial<RandomState>;
      if (!random || key === undefined || counter === undefined) return [];
      return [{ call, at: counter - random.start.counter }];
    });
    this.#told = toldOf(this.calls);
    const told = this.#told.parts;
    this.#course = { blocks: random?.blocks ?? 0, draws, told };
    const changed = this.calls.flatMap(({ outputs }) =>
      outputs.flatMap(({ cell: { source } }) =>
        source.kind === "weight" ? [source.storage] : []
      )
    );
    this.#changed = [...new Set(changed)];
    this.#first = backend.prepare(this.once.map(temporary));
    this.#prepared = this.calls.map(rearranges ? prepared : temporary);
    this.#run = backend.prepare(this.#prepared, this.#course);
    const all = [...this.#cells.keys()];
    this.#weights = all.filter(({ source }) => source.kind === "weight");
    for (const cell of this.#weights) storageOf(cell).retain();
    this.#results = [
      ...new Set(graph.outputs.map(({ cell }) => cell)),
    ];
    const read = boundCells(this.calls, this.#run.info);
    for (const cell of this.#results) read.add(cell);
    const computed = all.filter((cell) => cell.computed);
    const lasting = computed.filter((cell) =>
      constant.has(cell) && read.has(cell)
    );
    this.#passing = computed.filter((cell) =>
      constant.has(cell) && !read.has(cell)
    );
    const temporaries = computed.filter((cell) =>
      !constant.has(cell) && !this.#results.includes(cell)
    );
    this.#temporaries = new Set(temporaries);
    this.#seen = this.#weights.filter((cell) => constant.has(cell)).map(
      (cell) => {
        const storage = storageOf(cell);
        return { storage, version: storage.version, block: storage.block };
      },
    );
    for (const cell of lasting) this.#fixed.set(cell, this.#own(cell.meta));
    for (const cell of all) {
      const { source, meta } = cell;
      if (source.kind !== "constant") continue;
      const block = backend.upload(meta, source.data);
      this.#fixed.set(cell, this.#keep(new Storage(backend, block, meta)));
    }
    const kept = this.#run.kept.map((bytes) => this.#own(wordsOf(bytes)).block);
    const constantBytes = this.#owned.reduce((sum, x) => sum + x.bytes, 0);
    const buffers = this.#share(temporaries, kept);
    const heldBytes = this.#owned.reduce((sum, x) => sum + x.bytes, 0);
    this.memory = {
      temporaryBytes: heldBytes - constantBytes,
      constantBytes,
      resultBytes: this.#results.reduce((sum, { bytes }) => sum + bytes, 0),
      buffers,
    };
  }

  /** What each call of a run launches. */
  get info(): readonly PreparedInfo[] {
    return this.#run.info;
  }

  /** What is launched once, before the first run. */
  get onceInfo(): readonly PreparedInfo[] {
    return this.#first.info;
  }

  /** What moves counters on before the calls of each run. */
  get advance(): Launch | undefined {
    return this.#run.advance;
  }

  get backend(): Backend {
    return this.#backend;
  }

  /** Measures the kernels that its calls can run, on their real shapes. Programs that are made afterwards run the fastest. */
  async tune(): Promise<void> {
    await this.#backend.tunePrepared?.(this.#prepared);
  }

  /** The same program once more, with kernels chosen anew, other options, and other calls that come to the same. */
  again(
    changed: ProgramOptions = {},
    calls: readonly GraphCall[] = this.calls,
  ): Program {
    const options = { ...this.#options, ...changed };
    const graph = { ...this.#graph, calls: [...this.once, ...calls] };
    return new Program(graph, this.#backend, options);
  }

  /** Bytes of each piece of scratch memory that each call takes. */
  get scratch(): readonly (readonly number[])[] {
    return this.#run.scratch;
  }

  /** Whether a cell takes turns with others in the program's memory. */
  isTemporary(cell: Cell): boolean {
    return this.#temporaries.has(cell);
  }

  /** Calls that each run can be told other attributes of: the steps of optimisers. */
  get told(): readonly GraphCall[] {
    return this.#told.calls;
  }

  /** A call that changes what the program doesn't own, if there is one. */
  get changing(): GraphCall | undefined {
    return this.calls.find(({ outputs }) =>
      outputs.some(({ cell }) => !cell.computed)
    );
  }

  /** Throws for indices and labels out of range among what the caller gives, as far as they are known on the host. */
  check(given: readonly Tensor[]): void {
    checkInputs(this.#checks, this.#graph.inputs, given);
  }

  /**
   * Runs the graph on contiguous tensors of the traced shapes, with the random numbers that the function itself would draw. The results belong to the
   * current scope.
   *
   * @param steps Attributes of the calls that are `told` theirs. Left out, they are those that were traced.
   */
  run(
    inputs: readonly Tensor[],
    steps: Pick<Moment, "attrs" | "foresee"> = this.#asTraced(),
  ): Tensor[] {
    const blocks = this.#blocks();
    this.#graph.inputs.forEach((cell, i) => {
      const at = this.#cells.get(cell);
      if (at !== undefined) blocks[at] = inputs[i].storage.block;
    });
    if (!this.#constantsReady || this.#seen.some(isStale)) {
      this.#computeConstants(blocks);
    }
    const results = new Map<Cell, Storage>();
    for (const cell of this.#results) {
      const { meta } = cell;
      const block = this.#backend.allocate(meta);
      results.set(cell, new Storage(this.#backend, block, meta));
      blocks[this.#cells.get(cell)!] = block;
    }
    try {
      this.#run.run(blocks as Block[], {
        ...randomState(),
        attrs: this.#perCall(steps.attrs),
        foresee: (runs) =>
          steps.foresee(runs).map((attrs) => this.#perCall(attrs)),
      });
      takeRandom(this.#course.blocks);
    } catch (error) {
      for (const storage of results.values()) storage.discard();
      throw error;
    }
    for (const storage of this.#changed) {
      storage.version++;
      storage.host = undefined;
    }
    return this.#graph.outputs.map(({ cell, view }) =>
      new Tensor({ storage: results.get(cell)!, view, madeBy: "compile" })
    );
  }

  /** Gives its memory back. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#run.destroy();
    this.#first.destroy();
    for (const storage of this.#owned) storage.release();
    for (const cell of this.#weights) storageOf(cell).release();
  }

  /** Attributes of whole calls as those of their parts. */
  #perCall(attrs: readonly unknown[]): readonly unknown[] {
    return this.#told.partOf.map((i) => attrs[i]);
  }

  #asTraced(): Pick<Moment, "attrs" | "foresee"> {
    const attrs = this.told.map((call) => call.attrs);
    return { attrs, foresee: (runs) => Array(runs).fill(attrs) };
  }

  #blocks(): (Block | undefined)[] {
    const blocks: (Block | undefined)[] = Array.from(
      this.#cells.keys(),
      (cell) =>
        cell.source.kind === "weight"
          ? cell.source.storage.block
          : this.#fixed.get(cell)?.block,
    );
    return blocks;
  }

  #computeConstants(blocks: readonly (Block | undefined)[]): void {
    const all = [...blocks];
    const passing = this.#passing.map((cell) => {
      const block = this.#backend.allocate(cell.meta);
      all[this.#cells.get(cell)!] = block;
      return block;
    });
    const scratch = this.#first.scratch.map((sizes) =>
      sizes.map((bytes) => this.#backend.allocate(wordsOf(bytes)))
    );
    this.#first.provide(scratch, [], []);
    this.#first.run(all as Block[]);
    this.#run.runOnce(all as Block[]);
    for (const block of [...passing, ...scratch.flat()]) {
      this.#backend.release(block);
    }
    for (const seen of this.#seen) {
      seen.version = seen.storage.version;
      seen.block = seen.storage.block;
    }
    this.#constantsReady = true;
  }

  /** Deals out memory for temporaries and scratch. Returns the number of buffers. */
  #share(temporaries: readonly Cell[], kept: readonly Block[]): number {
    const needs = needsOf(this.calls, temporaries, this.#run.scratch);
    const slots = shareMemory(needs);
    const blocks: Block[] = [];
    for (const { bytes, dtype, users } of slots) {
      const storage = this.#own(metaOf(bytes, dtype));
      for (const user of users) {
        blocks[user] = storage.block;
        const cell = temporaries[user];
        if (cell) this.#fixed.set(cell, storage);
      }
    }
    let next = temporaries.length;
    const scratch = this.#run.scratch.map((sizes) =>
      sizes.map(() => blocks[next++])
    );
    this.#run.provide(scratch, kept, blocks);
    return slots.length;
  }

  #own(meta: { readonly shape: readonly number[]; readonly dtype: DType }) {
    const backend = this.#backend;
    return this.#keep(new Storage(backend, backend.allocate(meta), meta));
  }

  #keep(storage: Storage): Storage {
    storage.retain();
    this.#owned.push(storage);
    return storage;
  }
}

function storageOf({ source }: Cell): Storage {
  if (source.kind !== "weight") throw new Error("Cannot happen");
  return source.storage;
}

function isStale({ storage, version, block }: Seen): boolean {
  return storage.version !== version || storage.block !== block;
}

function metaOf(bytes: number, dtype: DType) {
  return { shape: [Math.ceil(bytes / itemBytes(dtype))], dtype };
}

function wordsOf(bytes: number) {
  return metaOf(bytes, "f32");
}
