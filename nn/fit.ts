/** The training loop. It has no privilege: README shows the same in a dozen lines. */
import type { CheckpointOptions } from "./fit_checkpoint.ts";
import type { EpochResult, History } from "./fit_history.ts";
import type { Loss, Metrics } from "./fit_meter.ts";
import type { TrainingData } from "./fit_state.ts";
import { type EarlyStopping, Interrupts } from "./fit_stop.ts";
import { Trainer } from "./fit_trainer.ts";
import type { Module } from "./module.ts";
import type { Optimizer } from "./optim/optimizer.ts";
import type { LRScheduler } from "./optim/schedule.ts";
import type { Tensor } from "../core/tensor.ts";
import type { TrainingProgress } from "./term/training.ts";

/** Where training stands. */
export type Progress = TrainingProgress;

/** What a callback may say: `"stop"` ends training after this step or epoch. */
export type CallbackResult = void | "stop" | Promise<void | "stop">;

/** A step that has been made. */
export interface StepInfo {
  /** Both from 1; the steps of all epochs. */
  readonly step: number;
  readonly epoch: number;
  /** The scalar on the device, freed after the callback. Reading it waits for the device. */
  readonly loss: Tensor;
}

/** An epoch that has been made. */
export interface EpochInfo {
  /** From 1. */
  readonly epoch: number;
  readonly result: EpochResult;
  readonly history: History;
}

/** What is called on the way. */
export interface Callbacks {
  /** After each step. */
  readonly onStep?: (info: StepInfo) => CallbackResult;
  /** After each epoch and its validation. */
  readonly onEpochEnd?: (info: EpochInfo) => CallbackResult;
}

/** Options of {@linkcode fit}. */
export interface FitOptions {
  readonly optimizer: Optimizer;
  /** @default crossEntropy */
  readonly loss?: Loss;
  /** Passes over the data, those that were made before the run goes on included. @default 1 */
  readonly epochs?: number;
  /** Of data that aren't in batches yet. @default 64 */
  readonly batchSize?: number;
  /** By name. @default accuracy, where the targets are classes */
  readonly metrics?: Metrics;
  /** Evaluated after each epoch. */
  readonly validation?: TrainingData;
  /** Changes the step size. Schedules that look at a result are given the validation's loss, or the training's without validation. */
  readonly schedule?: LRScheduler;
  /** What the schedule counts. @default "epoch" */
  readonly scheduleBy?: "epoch" | "step";
  /**
   * Whether steps are traced and run as plans: see {@linkcode compileStep}. `true` also for networks, losses and metrics that aren't the library's, whose
   * code then runs once a shape and not at every step. The history tells what was done. @default where all of it is the library's
   */
  readonly compile?: boolean;
  /**
   * Most bytes that the plan of a step may hold, as for {@linkcode compileStep}. Where steps can't be compiled, or not within so little, a CompileError says so.
   * @default no bound
   */
  readonly maxBytes?: number;
  /** Largest norm of all gradients together: see {@linkcode clipGradNorm}. */
  readonly clipNorm?: number;
  /** Largest magnitude of a gradient's elements: see {@linkcode clipGradValue}. */
  readonly clipValue?: number;
  /** Ends training when there is no more improvement. */
  readonly earlyStopping?: EarlyStopping;
  readonly callbacks?: Callbacks | readonly Callbacks[];
  /** Saves where training stands, and goes on from there. */
  readonly checkpoint?: CheckpointOptions;
  /** A run that was interrupted, to be gone on with: with the same network, optimiser, schedule and data. */
  readonly from?: History;
  /** Ends training after the step that runs, as Ctrl-C does. */
  readonly signal?: AbortSignal;
  /** Looks at every op of every step, and names the first that gives a value which isn't finite: see {@linkcode detectAnomaly}. @default false */
  readonly detectAnomaly?: boolean;
  /** Called every few steps, when the losses have been read; false for nothing. @default trainingProgress() */
  readonly onProgress?: ((progress: Progress) => void) | false;
}

/**
 * Trains a network and leaves it in training mode.
 *
 * Data that aren't in batches yet are put in random order for each epoch. Each step has a scope of its own, so memory stays where it is however long
 * it runs; losses are read a few times a second, so that the device isn't kept waiting.
 *
 * Ctrl-C (in a session, its interrupt) and `signal` end training after the step that runs: `history.stopped` says so, the network stays as that step left
 * it, and `fit` with `{ from: history }` makes the steps that are left, the same ones bit by bit. With `checkpoint`, so does calling `fit` again
 * in another process, even where this one was killed.
 *
 * To go on bit by bit, data that aren't of a {@linkcode DataLoader} must give the same batches for the same random stream; what callbacks
 * remember is their own affair.
 *
 * @throws {AnomalyError} When the loss is NaN, with the step; with `detectAnomaly`, where that comes from.
 * @throws {RangeError} For options out of range, or data without a batch.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = zoo.lenet({ variant: "small" });
 * const data = await nn.fashionMnist();
 * const history = await nn.fit(net, { ...data, count: 640 }, {
 *   optimizer: new nn.Adam(net.parameters(), { lr: 3e-3 }),
 *   epochs: 2,
 *   onProgress: false,
 * });
 * console.log(history.plot());
 * assert(history.epochs[1].loss < history.epochs[0].loss);
 * ```
 *
 * @example With everything
 * ```ts ignore
 * const optimizer = new nn.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
 * const history = await nn.fit(net, train, {
 *   optimizer,
 *   schedule: new nn.CosineAnnealingLR(optimizer, 30),
 *   epochs: 30,
 *   metrics: { accuracy: nn.accuracy, top5: (y, labels) => nn.topK(y, labels, 5) },
 *   validation: test,
 *   clipNorm: 1,
 *   earlyStopping: { patience: 3, monitor: "accuracy" },
 *   checkpoint: { path: "checkpoints/resnet", every: 500 },
 *   callbacks: { onEpochEnd: ({ epoch, result }) => console.log(epoch, result) },
 * });
 * console.log(history.plot({ metric: "accuracy" }));
 * ```
 */
export async function fit(
  net: Module,
  data: TrainingData,
  options: FitOptions,
): Promise<History> {
  const trainer = new Trainer(net, data, options);
  using interrupts = new Interrupts(options.signal);
  try {
    return await trainer.run(interrupts);
  } finally {
    trainer.dispose();
  }
}
