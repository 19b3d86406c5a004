/** Measuring a network without training it. */
import { noGrad } from "../core/autograd.ts";
import { scope } from "../core/scope.ts";
import type { Batch } from "./data/loader.ts";
import type { Evaluation } from "./fit_history.ts";
import {
  type Loss,
  measure,
  Meter,
  type Metrics,
  type StepResult,
} from "./fit_meter.ts";
import { Source, type TrainingData } from "./fit_state.ts";
import { crossEntropy } from "./loss.ts";
import type { Module } from "./module.ts";

/** Options of {@linkcode evaluate}. */
export interface EvaluateOptions {
  /** @default crossEntropy */
  readonly loss?: Loss;
  /** By name. @default accuracy, where the targets are classes */
  readonly metrics?: Metrics;
  /** Of data that aren't in batches yet. @default 256 */
  readonly batchSize?: number;
}

/** Batches whose results wait on the device. */
const READ_EVERY = 64;

/**
 * Average loss and metrics on data, in evaluation mode and without recording. The mode is put back.
 *
 * @throws {RangeError} For data without a batch.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const data = await nn.fashionMnist({ split: "test" });
 * const { accuracy } = await nn.evaluate(zoo.lenet(), { ...data, count: 256 });
 * assert(accuracy < 0.3); // it hasn't learned anything yet
 * ```
 */
export async function evaluate(
  net: Module,
  data: TrainingData,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { loss = crossEntropy, metrics, batchSize = 256 } = options;
  const { training } = net;
  const meter = new Meter([]);
  const source = new Source(data, batchSize, false);
  net.eval();
  try {
    for await (const batch of source.batches(source.order())) {
      meter.add(test(net, batch, loss, metrics), batch);
      if (meter.waiting >= READ_EVERY) await meter.update();
    }
    await meter.update();
  } finally {
    meter.dispose();
    net.train(training);
  }
  if (meter.examples === 0) {
    throw new RangeError("Cannot evaluate: the data have no batch");
  }
  return meter.averages;
}

function test(
  net: Module,
  { inputs, targets }: Batch,
  loss: Loss,
  metrics: Metrics | undefined,
): StepResult {
  using s = scope();
  return noGrad(() => {
    const outputs = net(inputs);
    const value = loss(outputs, targets);
    return s.keep({ loss: value, metrics: measure(metrics, outputs, targets) });
  });
}
