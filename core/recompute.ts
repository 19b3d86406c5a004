/**
 * Activation checkpointing: what a part of a network keeps for backward is computed again when backward comes to it.
 *
 * The graph is recorded as ever, so that gradients flow along the same edges in the same order and are the same bit for bit. Only what its nodes would have
 * saved is missing: a place without a value stands for each. When backward asks for the first, the function runs again, and what it saves then fills the
 * places in order; each is emptied as soon as its node is done.
 */
import type { DType, Shape } from "../wgsl/op.ts";
import { formatShape, sameShape } from "../wgsl/shape.ts";
import { describeValue } from "./arguments.ts";
import {
  type Edge,
  isRecording,
  type Saved,
  withRecording,
} from "./autograd.ts";
import { AutogradError } from "./errors.ts";
import { randomState, setRandomState } from "./runtime.ts";
import { scope, tidy } from "./scope.ts";
import { type Storage, storagesMade } from "./storage.ts";
import type { Tensor } from "./tensor.ts";
import { TensorBase } from "./tensor_base.ts";

/** What stands for a value until the function runs again. */
interface Place {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly edge: Edge | undefined;
  /** Whether its node may still ask for it. */
  open: boolean;
  value: Saved | undefined;
}

/** The checkpointed functions that run, outermost first. */
let running: Recomputed[] = [];

/**
 * Keeps a value for backward: its memory or, for what a checkpointed function computed, its place there. Undefined where that function runs again: its
 * nodes then are nobody's.
 */
export function keep(x: TensorBase): Saved | undefined {
  const call = running.findLast(({ start }) => x.storage.id > start);
  return call ? call.take(x) : x.save();
}

/** Notes what an op reads: a checkpointed function must find it unchanged when it runs again. */
export function noteOperands(inputs: readonly TensorBase[]): void {
  if (!isRecording()) return;
  for (const call of running) call.note(inputs);
}

/**
 * Whether a checkpointed function is running again. What a layer does besides computing its output, such as moving running statistics, it has
 * done already then.
 */
export function isRecomputing(): boolean {
  return running.some(({ replaying }) => replaying);
}

/** A call of a checkpointed function. */
class Recomputed {
  /** Memory with a greater number was made by the function. */
  start = storagesMade();
  /** Whether the function runs again. */
  replaying = false;
  readonly #random = randomState();
  readonly #inputs: readonly Saved[];
  readonly #places: Place[] = [];
  /** Memory from outside that it read, with the versions that it found. */
  readonly #operands = new Map<Storage, number>();
  #returned = false;
  #filled = false;
  /** The place that is filled next. */
  #next = 0;
  /** How many places are open. */
  #waiting = 0;

  constructor(
    readonly body: (...inputs: Tensor[]) => Tensor,
    inputs: readonly Tensor[],
  ) {
    this.#inputs = inputs.map((x) => keep(x) ?? x.save());
  }

  /** Runs the function for the first time. */
  run(inputs: readonly Tensor[]): Tensor {
    running.push(this);
    try {
      return tidy(() => this.body(...inputs));
    } finally {
      running.pop();
      this.#returned = true;
      this.#releaseInputs();
    }
  }

  note(inputs: readonly TensorBase[]): void {
    if (this.replaying) return;
    for (const { storage } of inputs) {
      if (storage.id > this.start || this.#operands.has(storage)) continue;
      this.#operands.set(storage, storage.version);
    }
  }

  /** A place for a value or, when the function runs again, the value for a place. */
  take(x: TensorBase): Saved | undefined {
    if (this.replaying) {
      this.#fill(x);
      return undefined;
    }
    const { shape, dtype, edge } = x;
    const place: Place = { shape, dtype, edge, open: true, value: undefined };
    this.#places.push(place);
    this.#waiting++;
    return {
      check: (title) => this.#check(title),
      revive: () => this.#valueOf(place).revive(),
      release: () => this.#close(place),
    };
  }

  #fill(x: TensorBase): void {
    const place = this.#places[this.#next++];
    if (!place) return;
    if (!sameShape(place.shape, x.shape) || place.dtype !== x.dtype) {
      throw new AutogradError(
        `Cannot run backward through a checkpoint: value ${this.#next} that its function keeps was ${place.dtype}${
          formatShape(place.shape)
        } and is ${x.dtype}${
          formatShape(x.shape)
        } now, it has to compute the same each time`,
      );
    }
    if (place.open) place.value = x.save(place.edge);
  }

  #check(title: string): void {
    if (!this.#returned) {
      throw new AutogradError(
        `Cannot run backward through ${title}: its checkpoint's function hasn't returned yet`,
      );
    }
    if (this.#filled) return;
    for (const input of this.#inputs) input.check(title);
    for (const [storage, version] of this.#operands) {
      if (storage.version === version) continue;
      throw new AutogradError(
        `Cannot run backward through ${title}: a tensor that its checkpoint's function reads has been changed in place since`,
      );
    }
  }

  #valueOf(place: Place): Saved {
    if (!this.#filled) this.#replay();
    return place.value!;
  }

  /** Runs the function again. */
  #replay(): void {
    using _ = scope();
    const inputs = this.#inputs.map((input) => input.revive());
    const around = { running, random: randomState() };
    running = [this];
    setRandomState(this.#random);
    this.replaying = true;
    this.start = storagesMade();
    this.#next = 0;
    try {
      withRecording(true, () => this.body(...inputs));
      if (this.#next !== this.#places.length) {
        throw new AutogradError(
          `Cannot run backward through a checkpoint: its function kept ${this.#places.length} values and keeps ${this.#next} now, it has to compute the same each time`,
        );
      }
      this.#filled = true;
    } finally {
      this.replaying = false;
      running = around.running;
      setRandomState(around.random);
      if (!this.#filled) { for (const place of this.#places) empty(place); }
    }
  }

  #close(place: Place): void {
    empty(place);
    place.open = false;
    this.#waiting--;
    this.#releaseInputs();
  }

  /** Frees the inputs once nobody will need them. */
  #releaseInputs(): void {
    if (!this.#returned || this.#waiting > 0) return;
    for (const input of this.#inputs) input.release();
  }
}

function empty(place: Place): void {
  place.value?.release();
  place.value = undefined;
}

/**
 * Runs a module, or any function of tensors, without keeping what it computes for backward: of what lies between its inputs and its output nothing is
 * kept, and the function runs again when backward gets there (Chen et al. 2016, arXiv:1604.06174). That costs about a third more time for a whole
 * network, and saves the memory of all values inside.
 *
 * Gradients are those of the plain call, bit for bit. Dropout draws the same numbers again and batch norm moves its running statistics once. Calls
 * may be nested, and backward takes all its options. The function should compute the same each time, and have no effect of its own. A tensor that it uses
 * and that isn't made by it has to be an input, a parameter or buffer, or live until backward.
 *
 * @throws {AutogradError} In backward: if the function computes other values than the first time, or if a tensor that it reads has been changed in
 * place since.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, randn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const block = new nn.Sequential(new nn.Linear(4, 64), new nn.Tanh(), new nn.Linear(64, 1));
 * const x = randn([8, 4]);
 * block(x).sum().backward();
 * const plain = await block.parameters()[0].grad!.array();
 * block.zeroGrad();
 * nn.checkpoint(block, x).sum().backward();
 * assertEquals(await block.parameters()[0].grad!.array(), plain);
 * ```
 */
export function checkpoint(
  body: (...inputs: Tensor[]) => Tensor,
  ...inputs: Tensor[]
): Tensor {
  const stranger = inputs.findIndex((x) => !(x instanceof TensorBase));
  if (stranger >= 0) {
    throw new TypeError(
      `Cannot checkpoint a function: its input ${stranger} is ${
        describeValue(inputs[stranger])
      }, expected a tensor`,
    );
  }
  if (!isRecording()) return tidy(() => body(...inputs));
  return new Recomputed(body, inputs).run(inputs);
}
