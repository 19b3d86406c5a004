/**
 * Time as a prepared sequence has it, kept on the GPU. A launch before the others of each run writes their place in the random stream and the words of the
 * optimisers' present step into their params, and moves on: a run needs nothing from the host.
 *
 * What the host knows of runs to come stands in a table, and may turn out wrong: somebody sets a step size, draws random numbers, or loads a state.
 * So each run is compared with what the GPU is about to use, number by number, and what differs is written anew. Writes come between submissions,
 * so that runs in flight keep what they began with.
 */
import {
  advance,
  drawMove,
  STATE_WORDS,
  stateWords,
  tableMove,
} from "../../wgsl/clock/advance.ts";
import type { AnyOp, Limits, View } from "../../wgsl/op.ts";
import type { Stream } from "../../wgsl/random/philox.ts";
import { contiguousView, sizeOf } from "../../wgsl/shape.ts";
import type { Course, Moment, PreparedCall } from "../backend.ts";
import { LaunchError } from "../errors.ts";
import type { BoundLaunch, CommandQueue } from "./batch.ts";
import type { PipelineCache } from "./pipelines.ts";
import { GpuBlock } from "./pool.ts";

/** Most steps that the table holds. */
const ROWS = 256;

/** Uniform and storage bindings start at multiples of this on every adapter. */
const ALIGN = 256;

/** What a clock needs of its backend. */
export interface ClockHost {
  readonly device: GPUDevice;
  readonly limits: Limits;
  readonly pipelines: PipelineCache;
  readonly queue: CommandQueue;
}

/** A launch's params, and where they stand in the sequence's buffer, in bytes. */
export interface Placed {
  readonly params: Uint32Array;
  readonly offset: number;
}

/** A sequence with its params. */
export interface Timed {
  readonly calls: readonly PreparedCall[];
  /** By call. */
  readonly params: readonly (readonly Placed[])[];
  readonly buffer: GPUBuffer;
  readonly course: Course;
}

/** A call that is told its attributes, and where its words begin in a row. */
interface Told {
  readonly op: AnyOp;
  readonly start: number;
  readonly length: number;
}

/** The state as the host has it. */
interface State extends Stream {
  readonly step: number;
}

/** Moves a sequence on. */
export class Clock {
  /** Comes before the others of a run. */
  readonly launch: BoundLaunch;
  /** What the launch takes over from the run before. */
  readonly block: GpuBlock;
  readonly #device: GPUDevice;
  readonly #queue: CommandQueue;
  /** Blocks of the random stream that a run draws. */
  readonly #blocks: number;
  readonly #told: readonly Told[];
  readonly #draws: boolean;
  /** Words of a row. */
  readonly #width: number;
  /** Its own params, then the moves. */
  readonly #fixed: GPUBuffer;
  readonly #table: GPUBuffer;
  readonly #mirror: Uint32Array<ArrayBuffer>;
  /** The present run's row. */
  readonly #now: Uint32Array<ArrayBuffer>;
  /** Rows of the table that are filled. */
  #rows = 0;
  /** What the GPU's state is when all that was asked for is done; undefined where that isn't known. */
  #state: State | undefined;
  /** What it is after the run that is being recorded. */
  #next: State | undefined;

  private constructor(
    { device, limits, pipelines, queue }: ClockHost,
    { buffer, course }: Timed,
    draws: readonly number[][],
    copies: readonly number[][],
    told: readonly Told[],
  ) {
    this.#device = device;
    this.#queue = queue;
    this.#blocks = course.blocks;
    this.#told = told;
    this.#draws = draws.length > 0;
    this.#width = told.reduce((sum, { length }) => sum + length, 0);
    this.#now = new Uint32Array(this.#width);
    this.#mirror = new Uint32Array(ROWS * this.#width);
    const moves = new Uint32Array([...draws, ...copies].flat());
    const vectors = Math.max(this.#width / 4, 1);
    const u32 = (...shape: number[]): View =>
      contiguousView({ shape, dtype: "u32" });
    const inputs = [
      u32(moves.length / 4, 4),
      u32(ROWS, vectors, 4),
      u32(STATE_WORDS),
      u32(buffer.size / 16, 4),
    ];
    const outputs = advance.inPlace!.map((i) => inputs[i]);
    const attrs = { draws: draws.length, blocks: course.blocks };
    const [variant] = advance.variants;
    const request = { inputs, outputs, attrs, limits };
    const { launches: [launch] } = variant.plan(request);
    // Made-up values would lead it anywhere, so that no edited kernel can be tried in its place.
    const pipeline = pipelines.get(launch, advance.name, true);
    const make = (label: string, bytes: number, usage = 0) =>
      device.createBuffer({
        label: `${label} of a plan`,
        size: Math.ceil(bytes / ALIGN) * ALIGN,
        usage: usage | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
      });
    this.#fixed = make(
      "moves",
      ALIGN + moves.byteLength,
      GPUBufferUsage.UNIFORM,
    );
    device.queue.writeBuffer(this.#fixed, 0, launch.params!);
    device.queue.writeBuffer(this.#fixed, ALIGN, moves);
    this.#table = make("coming steps", 4 * sizeOf(inputs[1].shape));
    const state = make("state", 4 * STATE_WORDS);
    this.block = new GpuBlock(state, state.size);
    const resources: GPUBufferBinding[] = [
      { buffer: this.#fixed, offset: ALIGN, size: moves.byteLength },
      { buffer: this.#table },
      { buffer: state },
      { buffer },
      { buffer: this.#fixed, size: launch.params!.byteLength },
    ];
    this.launch = {
      prepared: {
        call: { op: advance as AnyOp, inputs, outputs, attrs },
        op: advance.name,
        variant: variant.name,
        step: 0,
        launch,
        pipeline,
      },
      bindGroup: device.createBindGroup({
        layout: pipeline.layout,
        entries: resources.map((resource, binding) => ({ binding, resource })),
      }),
    };
  }

  /** The clock of a sequence; undefined where nothing changes from run to run. */
  static of(host: ClockHost, timed: Timed): Clock | undefined {
    const { calls, params, course } = timed;
    const draws = course.draws.flatMap(({ call, at }) =>
      params[call].map((one) => drawOf(calls[call], one, at))
    );
    const copies: number[][] = [];
    const told: Told[] = [];
    let start = 0;
    for (const call of course.told) {
      const { op, attrs } = calls[call];
      const { length } = op.tail!(attrs);
      for (const { params: { length: all }, offset } of params[call]) {
        const place = offset / 16 + (all - length) / 4;
        for (let v = 0; v < length / 4; v++) {
          copies.push(tableMove(place + v, start / 4 + v));
        }
      }
      told.push({ op, start, length });
      start += length;
    }
    if (draws.length + copies.length === 0) return undefined;
    return new Clock(host, timed, draws, copies, told);
  }

  /** Sees to it that the run that is recorded next takes place at this moment. */
  set({ key, counter, attrs, foresee }: Moment): void {
    this.#told.forEach(({ op, start, length }, i) => {
      const tail = op.tail!(attrs[i]);
      if (tail.length !== length) throw otherLaunches(op);
      this.#now.set(tail, start);
    });
    const { block: { writer } } = this;
    // What a failed run has done to the state nobody knows.
    const state = writer?.failed ? undefined : this.#state;
    // And nobody knows whether this one will be recorded.
    this.#state = undefined;
    // What was recorded of a run that threw mustn't come after what is written now.
    if (!state) this.#queue.submit();
    const goesOn = state !== undefined &&
      (!this.#draws || state.counter === counter &&
          state.key[0] === key[0] && state.key[1] === key[1]);
    const step = this.#stepOf(state?.step, foresee);
    if (!goesOn || step !== state.step) {
      const words = new Uint32Array(stateWords(key, counter, step));
      this.#device.queue.writeBuffer(this.block.buffer, 0, words);
      this.block.writer = undefined;
    }
    this.#next = { key, counter: counter + this.#blocks, step: step + 1 };
  }

  /** Takes note that the run was recorded. */
  moveOn(): void {
    this.#state = this.#next;
  }

  destroy(): void {
    // What was submitted keeps them for as long as it needs them.
    this.#fixed.destroy();
    this.#table.destroy();
    this.block.buffer.destroy();
  }

  /** The row of the table that holds the present run's words, after filling it anew if none does. `next` is the one that comes. */
  #stepOf(next: number | undefined, foresee: Moment["foresee"]): number {
    if (this.#width === 0) return next ?? 0;
    const usedUp = next === this.#rows;
    if (!usedUp) {
      if (next !== undefined && this.#holds(next)) return next;
      // Another plan may have made steps, or an earlier state was loaded.
      for (let row = 0; row < this.#rows; row++) {
        if (this.#holds(row)) return row;
      }
    }
    // Who changes options by hand after each step has one row written for each.
    const count = usedUp ? Math.max(1, Math.min(2 * next, ROWS)) : 1;
    this.#fill(count, foresee);
    return 0;
  }

  #holds(row: number): boolean {
    const from = row * this.#width;
    return this.#now.every((word, i) => word === this.#mirror[from + i]);
  }

  #fill(count: number, foresee: Moment["foresee"]): void {
    const rows = count > 1 ? foresee(count) : [];
    const width = this.#width;
    rows.forEach((attrs, row) =>
      this.#told.forEach(({ op, start, length }, i) => {
        const tail = op.tail!(attrs[i]);
        if (tail.length !== length) throw otherLaunches(op);
        this.#mirror.set(tail, row * width + start);
      })
    );
    this.#mirror.set(this.#now);
    this.#rows = Math.max(rows.length, 1);
    this.#device.queue.writeBuffer(
      this.#table,
      0,
      this.#mirror,
      0,
      this.#rows * width,
    );
  }
}

/** The move that gives a launch its place in the random stream. */
function drawOf(
  { op, attrs }: PreparedCall,
  { params, offset }: Placed,
  at: number,
): number[] {
  const { key, counter } = attrs as Stream;
  const [k0, k1, low, high] = params;
  // A call that is cut has launches that begin further on.
  const further = low + high * 2 ** 32 - counter;
  if (k0 !== key[0] || k1 !== key[1] || further < 0) {
    throw new LaunchError(
      `Cannot prepare ${op.name}: its params don't begin with its place in the random stream`,
      [op.name],
    );
  }
  return drawMove(offset / 16, at + further);
}

function otherLaunches({ name }: AnyOp): LaunchError {
  return new LaunchError(
    `Cannot run ${name} again: other attributes need other launches, compile it anew`,
    [name],
  );
}
