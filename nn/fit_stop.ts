/** What ends training before its last epoch: no more improvement, or an interrupt. */
import { noGrad } from "../core/autograd.ts";
import { hearsInterrupts, isInterrupted } from "../core/runtime.ts";
import { outsideScopes } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import type { EpochResult } from "./fit_history.ts";
import type { Module } from "./module.ts";

/** Options of early stopping. */
export interface EarlyStopping {
  /** Epochs without improvement that are put up with. */
  readonly patience: number;
  /** By how much a value has to be better to count. @default 0 */
  readonly minDelta?: number;
  /** `"loss"` or the name of a metric: the validation's where there are validation data, else the training's. @default "loss" */
  readonly monitor?: string;
  /** Whether smaller or larger is better. @default "min" for the loss, else "max" */
  readonly mode?: "min" | "max";
  /** Whether the network gets the weights of its best epoch back in the end. @default true */
  readonly restoreBest?: boolean;
}

/** The best epoch so far, as plain data. */
export interface BestState {
  readonly value: number | undefined;
  /** Epochs since. */
  readonly bad: number;
}

/** Watches for improvement and keeps the best weights. */
export class Patience {
  /** The weights of the best epoch; empty before the first, or where they aren't to be restored. */
  readonly weights = new Map<string, Tensor>();
  readonly #options: Required<EarlyStopping>;
  readonly #net: Module;
  #best: number | undefined;
  #bad = 0;

  /** Throws a RangeError for a patience that isn't a count, or a negative `minDelta`. */
  constructor(net: Module, options: EarlyStopping) {
    const { patience, minDelta = 0, monitor = "loss" } = options;
    const { mode = monitor === "loss" ? "min" : "max" } = options;
    const { restoreBest = true } = options;
    if (!Number.isInteger(patience) || patience < 0) {
      throw new RangeError(
        `Cannot stop early with patience ${patience}: expected an integer of 0 or more`,
      );
    }
    if (!(minDelta >= 0)) {
      throw new RangeError(
        `Cannot stop early with minDelta ${minDelta}: expected a number of 0 or more`,
      );
    }
    this.#net = net;
    this.#options = { patience, minDelta, monitor, mode, restoreBest };
  }

  get state(): BestState {
    return { value: this.#best, bad: this.#bad };
  }

  /** Goes on where another stood. The weights are put into {@linkcode weights}. */
  set state({ value, bad }: BestState) {
    this.#best = value;
    this.#bad = bad;
  }

  /** Takes an epoch's result in, and tells whether training is to stop. */
  update(result: EpochResult): boolean {
    const { minDelta, mode, restoreBest } = this.#options;
    const value = this.#valueOf(result);
    const gain = this.#best === undefined
      ? (Number.isNaN(value) ? NaN : Infinity)
      : (value - this.#best) * (mode === "min" ? -1 : 1);
    // NaN is no improvement.
    if (gain > minDelta) {
      this.#best = value;
      this.#bad = 0;
      if (restoreBest) this.keep(this.#net.stateDict());
      return false;
    }
    this.#bad++;
    return this.exhausted;
  }

  /** Whether there was no improvement for too long. */
  get exhausted(): boolean {
    return this.#bad > this.#options.patience;
  }

  #valueOf(result: EpochResult): number {
    const { monitor } = this.#options;
    const from = result.validation ?? result;
    if (monitor === "loss") return from.loss;
    if (monitor in from.metrics) return from.metrics[monitor];
    throw new RangeError(
      `Cannot stop early by ${monitor}: expected one of ${
        ["loss", ...Object.keys(from.metrics)].join(", ")
      }`,
    );
  }

  /** Copies weights, in the place of those of the best epoch before. */
  keep(weights: ReadonlyMap<string, Tensor>): void {
    this.dispose();
    for (const [name, value] of weights) {
      const copy = outsideScopes(() => noGrad(() => value.clone()));
      this.weights.set(name, copy);
    }
  }

  /** Gives the network the best weights back. */
  restore(): void {
    if (this.weights.size > 0) this.#net.loadStateDict(this.weights);
  }

  dispose(): void {
    for (const value of this.weights.values()) value.dispose();
    this.weights.clear();
  }
}

/**
 * Hears what interrupts training: a signal of the caller's, what the session or another host of the library says, and where there is none Ctrl-C,
 * which ends the process only at the second time.
 */
export class Interrupts implements Disposable {
  readonly #signal: AbortSignal | undefined;
  #pressed = false;
  readonly #press = () => {
    this.#pressed = true;
    this.#ignore();
  };
  #listens = false;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (hearsInterrupts()) return;
    Deno.addSignalListener("SIGINT", this.#press);
    this.#listens = true;
  }

  /** Whether training is to stop after this step. */
  get raised(): boolean {
    return this.#pressed || (this.#signal?.aborted ?? false) || isInterrupted();
  }

  #ignore(): void {
    if (this.#listens) Deno.removeSignalListener("SIGINT", this.#press);
    this.#listens = false;
  }

  [Symbol.dispose](): void {
    this.#ignore();
  }
}
