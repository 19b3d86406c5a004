/** Training on a progress line. */
import {
  duration,
  ProgressLine,
  type ProgressOptions,
  quantity,
} from "./progress.ts";

/** Where training stands, as `nn.fit` reports it. */
export interface TrainingProgress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps that are done in this epoch, of `steps`. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

/**
 * A callback for `nn.fit` that shows how training goes, with a row for each epoch.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { trainingProgress } from "./training.ts";
 *
 * let text = "";
 * const screen = { colors: "none", live: false, columns: 80, write: (row: string) => void (text += row) } as const;
 * const onProgress = trainingProgress({ screen });
 * onProgress({ epoch: 1, epochs: 3, step: 120, steps: 157, loss: 0.432, accuracy: 0.84, imagesPerSecond: 1900, secondsLeft: 12 });
 * assertEquals(text, "epoch 1/3 120/157 loss 0.432 acc 0.840 1.9k img/s ETA 0:12\n");
 * ```
 */
export function trainingProgress(
  options: ProgressOptions = {},
): (progress: TrainingProgress) => void {
  let epoch = 0;
  let line: ProgressLine | undefined;
  return (progress) => {
    if (line === undefined || progress.epoch !== epoch) {
      line = new ProgressLine(options);
      epoch = progress.epoch;
    }
    line.update({
      label: `epoch ${epoch}/${progress.epochs}`,
      done: progress.step,
      total: progress.steps,
      facts: factsOf(progress),
    });
  };
}

function factsOf(progress: TrainingProgress): string {
  return [
    `loss ${progress.loss.toFixed(3)}`,
    `acc ${progress.accuracy.toFixed(3)}`,
    `${quantity(progress.imagesPerSecond)} img/s`,
    `ETA ${duration(progress.secondsLeft)}`,
  ].join(" ");
}
