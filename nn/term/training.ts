/** Training on a progress line. */
import {
  duration,
  ProgressLine,
  type ProgressOptions,
  quantity,
} from "./progress.ts";

/** Where training stands, as `fit` reports it. */
export interface TrainingProgress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps that are done in this epoch, of `steps`, which is Infinity where it isn't known. */
  readonly step: number;
  readonly steps: number;
  /** Averages over this epoch so far; the accuracy is NaN where it isn't measured. */
  readonly loss: number;
  readonly accuracy: number;
  readonly metrics?: Readonly<Record<string, number>>;
  /** On the validation data, when the epoch has ended. */
  readonly validation?: { readonly loss: number; readonly accuracy: number };
  readonly imagesPerSecond: number;
  /** Estimate of what is left of all epochs. */
  readonly secondsLeft: number;
}

/**
 * What shows how training goes: on a terminal a row for each epoch, drawn in place at most ten times a second; elsewhere a row for every tenth of the
 * training. `fit` has one; a loop of one's own may call another.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * let text = "";
 * const screen = { colors: "none", live: false, columns: 80, write: (row: string) => void (text += row) } as const;
 * const show = nn.trainingProgress({ screen });
 * show({ epoch: 1, epochs: 3, step: 120, steps: 157, loss: 0.432, accuracy: 0.84, imagesPerSecond: 1900, secondsLeft: 12 });
 * assertEquals(text, "epoch 1/3 120/157 loss 0.432 acc 0.840 1.9k img/s ETA 0:12\n");
 * ```
 */
export function trainingProgress(
  options: ProgressOptions = {},
): (progress: TrainingProgress) => void {
  let last = { epoch: 0, step: 0 };
  let line = new ProgressLine(options);
  return (progress) => {
    const { epoch, epochs, step, steps } = progress;
    const again = epoch < last.epoch ||
      epoch === last.epoch && step < last.step;
    if (again) line = new ProgressLine(options);
    else if (epoch > last.epoch) line.next();
    last = { epoch, step };
    line.update({
      label: `epoch ${epoch}/${epochs}`,
      done: step,
      total: steps,
      fraction: (epoch - 1 + step / steps) / epochs,
      facts: factsOf(progress),
    });
  };
}

function factsOf(progress: TrainingProgress): string {
  const { loss, accuracy, metrics = {}, validation } = progress;
  const others = Object.entries(metrics).filter(([name]) =>
    name !== "accuracy"
  );
  return [
    `loss ${loss.toFixed(3)}`,
    ...(Number.isNaN(accuracy) ? [] : [`acc ${accuracy.toFixed(3)}`]),
    ...others.map(([name, value]) => `${name} ${value.toFixed(3)}`),
    ...(validation ? [`val loss ${validation.loss.toFixed(3)}`] : []),
    ...(validation && !Number.isNaN(validation.accuracy)
      ? [`val acc ${validation.accuracy.toFixed(3)}`]
      : []),
    `${quantity(progress.imagesPerSecond)} img/s`,
    `ETA ${duration(progress.secondsLeft)}`,
  ].join(" ");
}
