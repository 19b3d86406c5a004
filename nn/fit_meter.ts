/** Averages of losses and metrics that come from the device a few steps at a time. */
import { noGrad } from "../core/autograd.ts";
import { AnomalyError } from "../core/errors.ts";
import { withoutInterrupts } from "../core/runtime.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Batch } from "./data/loader.ts";
import type { Evaluation } from "./fit_history.ts";
import { areScores, hits } from "./metrics.ts";

/** A scalar from outputs and targets. */
export type Loss = (outputs: Tensor, targets: Tensor) => Tensor;

/** A number for a batch: a scalar, which is its mean over the examples, or a value for each target. Larger ones are taken to be better. */
export type Metric = (outputs: Tensor, targets: Tensor) => Tensor;

/** Metrics by name. */
export type Metrics = Readonly<Record<string, Metric>>;

/** A metric of a batch, on the device. */
interface Measured {
  /** A scalar: a mean over the batch, or a sum over its targets, which is exact for counts. */
  readonly value: Tensor;
  /** What makes it a sum over the examples. */
  readonly factor: number;
}

/** What a step leaves on the device. */
export interface StepResult {
  readonly loss: Tensor;
  readonly metrics: Readonly<Record<string, Measured>>;
}

/** Sums over an epoch so far, as plain data. */
export interface Sums {
  readonly examples: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The metrics of a batch. Without any given, accuracy where the targets are classes. */
export function measure(
  metrics: Metrics | undefined,
  outputs: Tensor,
  targets: Tensor,
): StepResult["metrics"] {
  const chosen: Metrics = metrics ??
    (areScores(outputs, targets) ? { accuracy: hits } : {});
  return noGrad(() =>
    Object.fromEntries(
      Object.entries(chosen).map(([name, metric]) => {
        const count = countOf(targets);
        const found = metric(outputs, targets);
        const each = found.dtype === "bool" ? found.to("i32") : found;
        const measured: Measured = found.size === 1
          ? { value: each.reshape([]), factor: count }
          : { value: each.sum(), factor: count / found.size };
        return [name, measured];
      }),
    )
  );
}

/** Adds up what steps leave, and reads it when it is told to. */
export class Meter {
  /** Losses that have been read, one a step. */
  readonly losses: number[];
  #examples = 0;
  #loss = 0;
  #metrics: Record<string, number> = {};
  #waiting: { readonly result: StepResult; readonly count: number }[] = [];

  /** @param losses Where the loss of each step is put down. */
  constructor(losses: number[], sums?: Sums) {
    this.losses = losses;
    if (!sums) return;
    this.#examples = sums.examples;
    this.#loss = sums.loss;
    this.#metrics = { ...sums.metrics };
  }

  add(result: StepResult, { targets }: Batch): void {
    this.#waiting.push({ result, count: countOf(targets) });
  }

  /** Examples whose results have been read. */
  get examples(): number {
    return this.#examples;
  }

  /** Steps whose results are still on the device. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get sums(): Sums {
    const [examples, loss] = [this.#examples, this.#loss];
    return { examples, loss, metrics: { ...this.#metrics } };
  }

  /** Averages of what has been read. */
  get averages(): Evaluation {
    const mean = (sum: number) => sum / this.#examples;
    const metrics = Object.fromEntries(
      Object.entries(this.#metrics).map(([name, sum]) => [name, mean(sum)]),
    );
    const { accuracy = NaN } = metrics;
    return { loss: mean(this.#loss), accuracy, metrics };
  }

  /**
   * Reads what waits, in one go.
   *
   * @throws {AnomalyError} At a loss that is NaN.
   */
  async update(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const values = await withoutInterrupts(() =>
      Promise.all(waiting.map(({ result }) => readResult(result)))
    );
    for (const { result } of waiting) freeResult(result);
    values.forEach(({ loss, sums }, i) => {
      const { count } = waiting[i];
      this.losses.push(loss);
      const step = this.losses.length;
      if (Number.isNaN(loss)) {
        throw new AnomalyError(
          `Cannot go on training: the loss of step ${step} is NaN, try a smaller lr, or { detectAnomaly: true } to see where it comes from`,
          { step },
        );
      }
      this.#examples += count;
      this.#loss += loss * count;
      for (const [name, sum] of sums) {
        this.#metrics[name] = (this.#metrics[name] ?? 0) + sum;
      }
    });
  }

  /** Frees what waits. */
  dispose(): void {
    for (const { result } of this.#waiting) freeResult(result);
    this.#waiting = [];
  }
}

async function readResult({ loss, metrics }: StepResult) {
  const measured = Object.entries(metrics);
  const [value, ...others] = await Promise.all(
    [loss, ...measured.map(([, { value }]) => value)].map((x) => x.item()),
  );
  const sums = measured.map(([name, { factor }], i) =>
    [name, others[i] * factor] as const
  );
  return { loss: value, sums };
}

/** Examples of a batch. */
function countOf(targets: Tensor): number {
  return targets.shape[0] ?? 1;
}

/** Frees what a step left. */
export function freeResult({ loss, metrics }: StepResult): void {
  loss.dispose();
  for (const { value } of Object.values(metrics)) value.dispose();
}
