/** How often training looks up: to read losses, to tell how it goes, to hear an interrupt. */
import type { Evaluation } from "./fit_history.ts";
import { type TrainingProgress, trainingProgress } from "./term/training.ts";

/** Milliseconds between two looks. Each of them waits for the device, which costs some 10 ms. */
const LOOK_MS = 200;

/** Most steps between two looks, so that the results that wait on the device are few. */
const MOST_STEPS = 64;

/** What is told. */
export interface Report {
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  /** Steps of all epochs. */
  readonly done: number;
  /** Examples of this epoch, and its seconds. */
  readonly examples: number;
  readonly seconds: number;
  readonly averages: Evaluation;
  readonly validation?: Evaluation;
}

/** Counts steps, learns how long they take, and tells how training goes. */
export class Pace {
  readonly #epochs: number;
  readonly #tell: ((progress: TrainingProgress) => void) | undefined;
  #started = 0;
  #startedWith = 0;
  #lookedAt = 0;
  #steps = 0;
  /** The first step is looked at: it tells how long others may take. */
  #every = 1;

  constructor(
    epochs: number,
    tell: ((progress: TrainingProgress) => void) | false = trainingProgress(),
  ) {
    this.#epochs = epochs;
    this.#tell = tell || undefined;
  }

  /** Starts the clock after `done` steps of an earlier run. */
  begin(done: number): void {
    this.#startedWith = done;
    this.#started = this.#lookedAt = performance.now();
  }

  count(): void {
    this.#steps++;
  }

  /** Whether it is time for a look. */
  get due(): boolean {
    return this.#steps >= this.#every;
  }

  /** Ends a look: lets signals and timers in, and settles when the next one is due. */
  async rest(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    const now = performance.now();
    const perStep = (now - this.#lookedAt) / this.#steps;
    this.#every = Math.max(
      1,
      Math.min(MOST_STEPS, Math.floor(LOOK_MS / perStep)),
    );
    this.#lookedAt = now;
    this.#steps = 0;
  }

  report(at: Report): void {
    if (!this.#tell) return;
    const { epoch, step, steps, done, examples, seconds } = at;
    const { loss, accuracy, metrics } = at.averages;
    const elapsed = (performance.now() - this.#started) / 1000;
    const left = (this.#epochs - epoch + 1) * steps - step;
    this.#tell({
      epoch,
      epochs: this.#epochs,
      step,
      steps,
      loss,
      accuracy,
      metrics,
      ...(at.validation && { validation: at.validation }),
      imagesPerSecond: examples / seconds,
      secondsLeft: elapsed / (done - this.#startedWith) * left,
    });
  }
}
