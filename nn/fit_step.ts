/** The steps of {@linkcode fit}: as plans where that can be, else call by call. */
import { CompileError } from "../core/errors.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { StepPlans } from "./compile_step.ts";
import type { Batch } from "./data/loader.ts";
import type { FitOptions } from "./fit.ts";
import type { History } from "./fit_history.ts";
import { measure, type StepResult } from "./fit_meter.ts";
import { crossEntropy } from "./loss.ts";
import type { Module } from "./module.ts";
import { clipGradNorm, clipGradValue } from "./optim/clip.ts";
import { doubtOf, isKnown } from "./traceable.ts";

/** Makes steps, and tells the history how. */
export class StepMaker {
  readonly #net: Module;
  readonly #options: FitOptions;
  readonly #history: History;
  #plans: StepPlans<StepResult> | undefined;

  constructor(net: Module, options: FitOptions, history: History) {
    this.#net = net;
    this.#options = options;
    this.#history = history;
    history.notCompiled = doubtAbout(net, options);
    const { optimizer, schedule, scheduleBy, maxBytes } = options;
    if (history.notCompiled !== undefined) {
      if (maxBytes === undefined) return;
      throw new CompileError(
        `Cannot train within ${maxBytes} bytes call by call, and steps aren't compiled: ${history.notCompiled}`,
      );
    }
    this.#plans = new StepPlans(
      {
        net,
        optimizer,
        ...(schedule && scheduleBy === "step" && { schedule }),
        ...(maxBytes !== undefined && { maxBytes }),
      },
      (given) => this.#compute(given),
    );
  }

  /** Forward, backward and update for a batch. The result belongs to the current scope. */
  make({ inputs, targets }: Batch): StepResult {
    const { lr } = this.#options.optimizer;
    const result = this.#planned([inputs, targets]) ??
      this.#compute([inputs, targets]);
    this.#history.lrs.push(lr);
    return result;
  }

  /** Gives the plans' memory back. */
  dispose(): void {
    this.#plans?.dispose();
    this.#plans = undefined;
  }

  /** A step by its plan; undefined where there can't be one. */
  #planned(given: readonly Tensor[]): StepResult | undefined {
    if (!this.#plans) return undefined;
    try {
      const result = this.#plans.run(given);
      this.#history.compiled = this.#plans.size > 0;
      return result;
    } catch (error) {
      const bound = this.#options.maxBytes !== undefined;
      if (bound || !(error instanceof CompileError)) throw error;
      this.dispose();
      this.#history.compiled = false;
      this.#history.notCompiled = error.message;
    }
  }

  /** A step call by call. */
  #compute([inputs, targets]: readonly Tensor[]): StepResult {
    using s = scope();
    const { optimizer, loss = crossEntropy, metrics } = this.#options;
    const { clipNorm, clipValue } = this.#options;
    const outputs = this.#net(inputs);
    const value = loss(outputs, targets);
    optimizer.zeroGrad();
    value.backward();
    const { parameters } = optimizer;
    if (clipValue !== undefined) clipGradValue(parameters, clipValue);
    if (clipNorm !== undefined) clipGradNorm(parameters, clipNorm);
    optimizer.step();
    return s.keep({
      loss: value.detach(),
      metrics: measure(metrics, outputs, targets),
    });
  }
}

/** Why steps can't be compiled, if so. */
function doubtAbout(
  net: Module,
  { compile, detectAnomaly, loss, metrics = {} }: FitOptions,
): string | undefined {
  if (compile === false) return "compile is false";
  if (detectAnomaly) return "detectAnomaly looks at every op";
  if (compile) return undefined;
  const functions = Object.entries({ loss, ...metrics });
  const strange = functions.find(([, f]) => f && !isKnown(f));
  return strange ? `${strange[0]} isn't the library's` : doubtOf(net);
}
