/** A run of {@linkcode fit}. */
import { detectAnomaly } from "../core/anomaly.ts";
import { AnomalyError, InterruptedError } from "../core/errors.ts";
import {
  type RandomState,
  randomState,
  setRandomState,
  withoutInterrupts,
} from "../core/runtime.ts";
import type { Batch } from "./data/loader.ts";
import { evaluate } from "./evaluate.ts";
import type { CallbackResult, Callbacks, FitOptions } from "./fit.ts";
import { CheckpointFolder } from "./fit_checkpoint.ts";
import { type EpochResult, History, type StopReason } from "./fit_history.ts";
import { freeResult, Meter, type StepResult } from "./fit_meter.ts";
import { Pace } from "./fit_pace.ts";
import { StepMaker } from "./fit_step.ts";
import { Source, type TrainingData, type TrainingState } from "./fit_state.ts";
import { type Interrupts, Patience } from "./fit_stop.ts";
import type { Module } from "./module.ts";

/** The patience of runs that were interrupted, with the weights of their best epochs. */
const interrupted = new WeakMap<History, Patience>();

/** What a checkpoint of a run keeps beside the network and its optimiser. */
interface RunData {
  readonly state: TrainingState;
  readonly losses: readonly number[];
  readonly lrs: readonly number[];
  readonly epochs: readonly EpochResult[];
}

/** Makes the steps of a run, and knows where it stands. */
export class Trainer {
  readonly #net: Module;
  readonly #options: FitOptions;
  readonly #epochs: number;
  readonly #source: Source;
  readonly #callbacks: readonly Callbacks[];
  readonly #folder: CheckpointFolder | undefined;
  readonly #pace: Pace;
  #history: History;
  #patience: Patience | undefined;
  #meter: Meter;
  #epoch = 0;
  #step = 0;
  /** Steps of an epoch, where that is known. */
  #stepsPerEpoch: number | undefined;
  #order: Uint32Array | undefined;
  #epochRandom: RandomState = randomState();
  /** The random stream as the last step left it. */
  #random: RandomState = randomState();
  /** Seconds of the epoch before the run was interrupted. */
  #seconds = 0;
  #stop: StopReason | undefined;
  readonly #maker: StepMaker;

  constructor(net: Module, data: TrainingData, options: FitOptions) {
    const { epochs = 1, batchSize = 64, callbacks = [], from } = options;
    const { checkpoint, earlyStopping } = options;
    requireCount("epochs", epochs, 0);
    if (checkpoint?.every !== undefined) {
      requireCount("steps between checkpoints", checkpoint.every, 1);
    }
    this.#net = net;
    this.#options = options;
    this.#epochs = epochs;
    this.#source = new Source(data, batchSize, true);
    this.#stepsPerEpoch = this.#source.length;
    this.#callbacks = [callbacks].flat();
    this.#folder = checkpoint && new CheckpointFolder(checkpoint.path);
    this.#history = from ?? new History();
    this.#meter = new Meter(this.#history.losses);
    this.#patience = (from && interrupted.get(from)) ??
      (earlyStopping && new Patience(net, earlyStopping));
    this.#pace = new Pace(epochs, options.onProgress);
    this.#maker = new StepMaker(net, options, this.#history);
  }

  /** Makes the epochs that are left. */
  async run(interrupts: Interrupts): Promise<History> {
    let state = await this.#begin();
    this.#net.train();
    this.#pace.begin(this.#history.steps);
    while (this.#epoch < this.#epochs && !this.#stop) {
      if (interrupts.raised) this.#stop = "interrupted";
      else if (this.#patience?.exhausted) this.#stop = "early";
      else await this.#runEpoch(interrupts, state);
      state = undefined;
    }
    this.#history.stopped = this.#stop ?? "finished";
    await this.#save();
    this.#history.state = this.#state();
    if (this.#stop === "interrupted") {
      if (this.#patience) interrupted.set(this.#history, this.#patience);
      this.#patience = undefined;
    } else {
      const patience = this.#patience;
      withoutInterrupts(() => patience?.restore());
    }
    return this.#history;
  }

  /** Frees what the run still holds. */
  dispose(): void {
    this.#maker.dispose();
    this.#meter.dispose();
    this.#patience?.dispose();
  }

  /** Goes back to where an earlier run was, if there is one, and returns its state. */
  async #begin(): Promise<TrainingState | undefined> {
    const { checkpoint, from } = this.#options;
    await this.#folder?.open();
    if (from) return from.state && this.#goOn(from.state);
    if (!checkpoint || !this.#folder) return undefined;
    if (checkpoint.resume === false) {
      await this.#folder.requireEmpty();
      return undefined;
    }
    const { optimizer, schedule } = this.#options;
    const parts = { net: this.#net, optimizer, schedule };
    const loaded = await this.#folder.load(parts);
    if (!loaded) return undefined;
    const { state, losses, lrs, epochs } = loaded.data as RunData;
    const history = this.#history;
    for (const loss of losses) history.losses.push(loss);
    for (const lr of lrs) history.lrs.push(lr);
    history.epochs.push(...epochs);
    this.#patience?.keep(loaded.tensors);
    for (const x of loaded.tensors.values()) x.dispose();
    return this.#goOn(state);
  }

  #goOn(state: TrainingState): TrainingState {
    const { stepsPerEpoch: before } = state;
    const now = this.#stepsPerEpoch;
    if (before !== undefined && now !== undefined && before !== now) {
      throw new RangeError(
        `Cannot go on training: an epoch had ${before} steps and has ${now} now, give the same data in batches of the same size`,
      );
    }
    this.#source.catchUp(state.epoch + (state.step > 0 ? 1 : 0));
    this.#epoch = state.epoch;
    this.#step = state.step;
    this.#stepsPerEpoch ??= state.stepsPerEpoch;
    this.#order = state.order && Uint32Array.from(state.order);
    this.#epochRandom = state.epochRandom;
    this.#seconds = state.seconds;
    this.#meter = new Meter(this.#history.losses, state.sums);
    if (this.#patience && state.best) this.#patience.state = state.best;
    this.#random = state.random;
    setRandomState(state.random);
    return state;
  }

  /** Makes the steps of an epoch that are left, and what comes at its end. */
  async #runEpoch(
    interrupts: Interrupts,
    state: TrainingState | undefined,
  ): Promise<void> {
    const begun = performance.now() - 1000 * this.#seconds;
    const seconds = () => (performance.now() - begun) / 1000;
    let batches: AsyncIterable<Batch>;
    if (state && this.#step > 0) {
      batches = this.#source.rest(state);
    } else {
      this.#epochRandom = this.#random = randomState();
      this.#order = this.#source.order();
      this.#meter = new Meter(this.#history.losses);
      batches = this.#source.batches(this.#order);
    }
    await this.#stopping(() => this.#walk(batches, interrupts, seconds));
    await this.#meter.update();
    if (this.#step === 0) {
      throw new RangeError("Cannot train: the data have no batch");
    }
    const whole = !this.#stop || this.#step === this.#stepsPerEpoch;
    if (!whole) return;
    this.#stepsPerEpoch = this.#step;
    await this.#stopping(() => this.#endEpoch(seconds()));
  }

  /** Runs what a host of the library may interrupt. */
  async #stopping(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
      this.#stop = "interrupted";
    }
  }

  async #walk(
    batches: AsyncIterable<Batch>,
    interrupts: Interrupts,
    seconds: () => number,
  ): Promise<void> {
    for await (const batch of batches) {
      await this.#makeStep(batch);
      this.#random = randomState();
      this.#seconds = seconds();
      const last = this.#step === this.#stepsPerEpoch;
      if (this.#pace.due && !last) {
        await this.#meter.update();
        this.#report();
        await this.#pace.rest();
      }
      if (interrupts.raised) this.#stop = "interrupted";
      if (this.#stop) break;
      if (this.#isSaveDue() && !last) await this.#save();
    }
  }

  /** Forward, backward and update for a batch. */
  async #makeStep(batch: Batch): Promise<void> {
    const result = this.#options.detectAnomaly
      ? await this.#trainWatched(batch)
      : this.#train(batch);
    this.#meter.add(result, batch);
    this.#step++;
    this.#pace.count();
    const { schedule, scheduleBy } = this.#options;
    if (scheduleBy === "step") schedule?.step();
    const info = {
      step: this.#history.lrs.length,
      epoch: this.#epoch + 1,
      loss: result.loss,
    };
    await this.#call(({ onStep }) => onStep?.(info));
  }

  async #trainWatched(batch: Batch): Promise<StepResult> {
    let result: StepResult | undefined;
    try {
      return await detectAnomaly(() => result = this.#train(batch));
    } catch (error) {
      if (result) freeResult(result);
      throw inStep(
        error,
        this.#history.losses.length + this.#meter.waiting + 1,
      );
    }
  }

  #train(batch: Batch): StepResult {
    // Half a step would leave the network where no run has ever been.
    return withoutInterrupts(() => this.#maker.make(batch));
  }

  /** Validates, steps the schedule, and looks whether it is enough. */
  async #endEpoch(seconds: number): Promise<void> {
    const { optimizer, validation, loss, metrics } = this.#options;
    const { schedule, scheduleBy = "epoch" } = this.#options;
    const averages = this.#meter.averages;
    const result: EpochResult = {
      ...averages,
      ...(validation && {
        validation: await evaluate(this.#net, validation, {
          ...(loss && { loss }),
          ...(metrics && { metrics }),
        }),
      }),
      lr: optimizer.lr,
      seconds,
    };
    this.#report(result);
    this.#history.epochs.push(result);
    this.#epoch++;
    this.#step = 0;
    this.#seconds = 0;
    if (scheduleBy === "epoch") {
      schedule?.step((result.validation ?? result).loss);
    }
    if (this.#patience?.update(result)) this.#stop ??= "early";
    const info = { epoch: this.#epoch, result, history: this.#history };
    await this.#call(({ onEpochEnd }) => onEpochEnd?.(info));
    this.#random = randomState();
    if (this.#isSaveDue()) await this.#save();
  }

  async #call(run: (callbacks: Callbacks) => CallbackResult): Promise<void> {
    for (const callbacks of this.#callbacks) {
      if (await run(callbacks) === "stop") this.#stop ??= "callback";
    }
  }

  #report(result?: EpochResult): void {
    this.#pace.report({
      epoch: this.#epoch + 1,
      step: this.#step,
      steps: this.#stepsPerEpoch ?? Infinity,
      done: this.#history.steps,
      examples: this.#meter.examples,
      seconds: this.#seconds,
      averages: result ?? this.#meter.averages,
      ...(result?.validation && { validation: result.validation }),
    });
  }

  #isSaveDue(): boolean {
    const { checkpoint } = this.#options;
    if (!checkpoint) return false;
    const { every } = checkpoint;
    return every === undefined
      ? this.#step === 0
      : this.#history.lrs.length % every === 0;
  }

  async #save(): Promise<void> {
    const folder = this.#folder;
    if (!folder) return;
    await this.#meter.update();
    const { optimizer, schedule } = this.#options;
    const { losses, lrs, epochs } = this.#history;
    const data: RunData = { state: this.#state(), losses, lrs, epochs };
    const tensors = this.#patience?.weights ?? new Map();
    const parts = { net: this.#net, optimizer, schedule };
    await withoutInterrupts(() =>
      folder.save(losses.length, parts, { data, tensors })
    );
  }

  #state(): TrainingState {
    return {
      epoch: this.#epoch,
      step: this.#step,
      stepsPerEpoch: this.#stepsPerEpoch,
      epochRandom: this.#epochRandom,
      random: this.#random,
      order: this.#step > 0 && this.#order ? [...this.#order] : undefined,
      sums: this.#meter.sums,
      seconds: this.#seconds,
      best: this.#patience?.state,
    };
  }
}

/** Names the step of an anomaly. */
function inStep(error: unknown, step: number): unknown {
  if (!(error instanceof AnomalyError)) return error;
  const { op, path, gradientOf, operand } = error;
  const text = error.message.replace("Cannot trust the result: ", "");
  return new AnomalyError(
    `Cannot go on training: in step ${step} ${text}`,
    { ...(op !== undefined && { op }), path, gradientOf, operand, step },
  );
}

function requireCount(what: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot train with ${value} ${what}: expected an integer from ${least}`,
  );
}
