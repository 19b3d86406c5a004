/** The training loop. It has no privilege: README shows the same in a dozen lines. */
import { noGrad } from "../core/autograd.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Batch, DataLoader, type Dataset } from "./data/loader.ts";
import { crossEntropy } from "./loss.ts";
import type { Module } from "./module.ts";
import type { Optimizer } from "./optim/optimizer.ts";

/** A scalar from scores and labels. */
export type Loss = (outputs: Tensor, targets: Tensor) => Tensor;

/** Where training stands. */
export interface Progress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps that are done in this epoch, and its steps in all. */
  readonly step: number;
  readonly steps: number;
  /** Averages over this epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  /** Estimate of what is left of all epochs. */
  readonly secondsLeft: number;
}

/** One epoch's results. */
export interface EpochResult {
  /** Averages over the epoch's steps, while the weights changed. */
  readonly loss: number;
  readonly accuracy: number;
  /** On the validation data after the epoch, where there are some. */
  readonly validation?: Evaluation;
  readonly seconds: number;
}

/** What {@linkcode fit} resolves to. */
export interface History {
  /** Loss of each step. */
  readonly losses: readonly number[];
  readonly epochs: readonly EpochResult[];
}

/** Options of {@linkcode fit}. */
export interface FitOptions {
  readonly optimizer: Optimizer;
  /** @default crossEntropy */
  readonly loss?: Loss;
  /** Passes over the data. @default 1 */
  readonly epochs?: number;
  /** @default 64 */
  readonly batchSize?: number;
  /** Evaluated after each epoch. */
  readonly validation?: Dataset;
  /** Called every few steps, when the losses have been read. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Steps between reads of the losses: often enough for a progress bar, seldom enough not to stall the device. */
const READ_EVERY = 8;

/**
 * Trains a network on a dataset, in shuffled batches, and leaves it in training mode.
 *
 * Each step has a scope of its own, so memory stays where it is however long it runs.
 *
 * @throws {Error} When the loss is NaN, with the step.
 *
 * @example
 * ```ts ignore
 * const history = await nn.fit(net, await nn.fashionMnist(), {
 *   optimizer: new nn.Adam(net.parameters()),
 *   epochs: 2,
 * });
 * console.log(history.epochs.at(-1)!.accuracy);
 * ```
 */
export async function fit(
  net: Module,
  data: Dataset,
  options: FitOptions,
): Promise<History> {
  const { optimizer, loss = crossEntropy, epochs = 1 } = options;
  const { batchSize = 64, validation, onProgress } = options;
  const loader = new DataLoader(data, { batchSize, shuffle: true });
  const losses: number[] = [];
  const results: EpochResult[] = [];
  const started = performance.now();
  net.train();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const begun = performance.now();
    const meter = new Meter(losses);
    let step = 0;
    for (const batch of loader) {
      meter.add(trainStep(net, batch, loss, optimizer), batch);
      step++;
      if (step % READ_EVERY !== 0 && step !== loader.length) continue;
      await meter.update();
      const seconds = (performance.now() - begun) / 1000;
      const done = (epoch - 1) * loader.length + step;
      const elapsed = (performance.now() - started) / 1000;
      onProgress?.({
        epoch,
        epochs,
        step,
        steps: loader.length,
        loss: meter.loss,
        accuracy: meter.accuracy,
        imagesPerSecond: meter.examples / seconds,
        secondsLeft: elapsed / done * (epochs * loader.length - done),
      });
    }
    const seconds = (performance.now() - begun) / 1000;
    results.push({
      loss: meter.loss,
      accuracy: meter.accuracy,
      seconds,
      ...(validation
        ? { validation: await evaluate(net, validation, { loss }) }
        : {}),
    });
  }
  return { losses, epochs: results };
}

/** Scores of one step, on the device. */
interface StepResult {
  readonly loss: Tensor;
  readonly correct: Tensor;
}

/** Forward, backward and update. The results outlive the step's scope. */
function trainStep(
  net: Module,
  { inputs, targets }: Batch,
  loss: Loss,
  optimizer: Optimizer,
): StepResult {
  using s = scope();
  const outputs = net(inputs);
  const value = loss(outputs, targets);
  optimizer.zeroGrad();
  value.backward();
  optimizer.step();
  return s.keep({
    loss: value.detach(),
    correct: countCorrect(outputs, targets),
  });
}

/** How many examples have their highest score at the right class. */
function countCorrect(outputs: Tensor, targets: Tensor): Tensor {
  return noGrad(() => outputs.argmax(1).eq(targets.to("i32")).sum());
}

/** Averages of losses and hits that come from the device a few steps at a time. */
class Meter {
  loss = 0;
  accuracy = 0;
  examples = 0;
  readonly #losses: number[];
  #waiting: { result: StepResult; count: number }[] = [];
  #lossSum = 0;
  #correct = 0;

  /** @param losses Where the loss of each step is put down. */
  constructor(losses: number[]) {
    this.#losses = losses;
  }

  add(result: StepResult, { targets }: Batch): void {
    this.#waiting.push({ result, count: targets.size });
  }

  /** Reads what waits, in one go. */
  async update(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const values = await Promise.all(
      waiting.map(({ result: { loss, correct } }) =>
        Promise.all([loss.item(), correct.item()])
      ),
    );
    values.forEach(([loss, correct], i) => {
      const { result, count } = waiting[i];
      result.loss.dispose();
      result.correct.dispose();
      this.#losses.push(loss);
      if (Number.isNaN(loss)) {
        throw new Error(
          `Cannot go on training: the loss of step ${this.#losses.length} is NaN, try a smaller lr`,
        );
      }
      this.#lossSum += loss * count;
      this.#correct += correct;
      this.examples += count;
    });
    this.loss = this.#lossSum / this.examples;
    this.accuracy = this.#correct / this.examples;
  }
}

/** What {@linkcode evaluate} resolves to. */
export interface Evaluation {
  readonly loss: number;
  /** Part of the examples whose highest score is at the right class. */
  readonly accuracy: number;
}

/** Average loss and accuracy on a dataset, in evaluation mode and without recording. The mode is put back. */
export async function evaluate(
  net: Module,
  data: Dataset,
  options: { readonly loss?: Loss; readonly batchSize?: number } = {},
): Promise<Evaluation> {
  const { loss = crossEntropy, batchSize = 256 } = options;
  const { training } = net;
  const meter = new Meter([]);
  net.eval();
  try {
    for (const batch of new DataLoader(data, { batchSize })) {
      meter.add(testStep(net, batch, loss), batch);
    }
    await meter.update();
  } finally {
    net.train(training);
  }
  return { loss: meter.loss, accuracy: meter.accuracy };
}

function testStep(
  net: Module,
  { inputs, targets }: Batch,
  loss: Loss,
): StepResult {
  using s = scope();
  return noGrad(() => {
    const outputs = net(inputs);
    const value = loss(outputs, targets);
    return s.keep({ loss: value, correct: countCorrect(outputs, targets) });
  });
}
