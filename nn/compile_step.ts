/** Training steps traced once and run as a plan: forward, backward and update without the host's work. */
import {
  type Build,
  build,
  heldBytes,
  type PassSwitches,
} from "../core/compile/mod.ts";
import { CompileError } from "../core/errors.ts";
import {
  checkInterrupt,
  currentBackend,
  withoutInterrupts,
} from "../core/runtime.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { metaOf } from "../core/tensor_base.ts";
import type { Meta } from "../wgsl/op.ts";
import { formatShape } from "../wgsl/shape.ts";
import { bounded } from "./compile_bound.ts";
import { Explanation } from "./compile_explain.ts";
import {
  forecast,
  requireSchedule,
  requireTold,
  sameCalls,
} from "./compile_forecast.ts";
import { withoutGradients } from "./compile_leaves.ts";
import { asGiven, mapTensors, tensorsIn } from "./compile_values.ts";
import type { Loss } from "./fit_meter.ts";
import { BatchNorm } from "./layers/batch_norm.ts";
import type { Module } from "./module.ts";
import { clipGradNorm, clipGradValue } from "./optim/clip.ts";
import type { Optimizer } from "./optim/optimizer.ts";
import type { LRScheduler } from "./optim/schedule.ts";
import type { ComingCall } from "./optim/step.ts";

/** Any optimiser, whatever its options. */
// deno-lint-ignore no-explicit-any -- options are the optimiser's own business
type AnyOptimizer = Optimizer<any>;

/** What a step is a step of. */
interface Trained {
  readonly net: Module;
  readonly optimizer: AnyOptimizer;
  readonly passes?: PassSwitches;
  readonly maxBytes?: number;
  /** Whoever has steps made steps it after each. What it will do is foreseen. */
  readonly schedule?: LRScheduler;
}

/** A step of one set of shapes. */
interface StepPlan<Result> {
  readonly made: Build<Result>;
  readonly metas: readonly Meta[];
  /** Parameters that the step has gradients for. */
  readonly learned: ReadonlySet<Tensor>;
  /** The optimiser's calls, in its own order. */
  readonly calls: readonly ComingCall[];
  /** Batches that a step's forward counts. */
  readonly counted: ReadonlyMap<BatchNorm, number>;
}

/**
 * Runs a training step of any make: the first time as it stands, from the second time that it sees inputs of the same shapes as a plan. By then the
 * optimiser has the memory that a plan needs. Whatever changes what is to be run (layers that are frozen or put into another mode, an optimiser that
 * was loaded or works by other options) begins anew.
 */
export class StepPlans<Result> {
  readonly #trained: Trained;
  readonly #body: (inputs: readonly Tensor[]) => Result;
  readonly #plans = new Map<string, StepPlan<Result>>();
  /** Parameters that a step of these shapes had gradients for. */
  readonly #seen = new Map<string, ReadonlySet<Tensor>>();
  /** The network's layers, listed once: to walk through them takes long. */
  readonly #modules: readonly Module[];
  #mode = "";

  /** `body` makes a whole step, from the gradients' zeroing to the optimiser's step, and returns what is to be known of it. */
  constructor(
    trained: Trained,
    body: (inputs: readonly Tensor[]) => Result,
  ) {
    this.#trained = trained;
    this.#body = body;
    const { net } = trained;
    this.#modules = Array.from(net.namedModules(), ([, module]) => module);
  }

  /** How many sets of shapes have a plan. */
  get size(): number {
    return this.#plans.size;
  }

  /** Makes a step. Its results belong to the current scope. */
  run(inputs: readonly Tensor[]): Result {
    const mode = this.#modeOf();
    if (mode !== this.#mode) this.dispose();
    this.#mode = mode;
    const key = inputs.map(({ dtype, shape }) =>
      `${dtype}${formatShape(shape)}`
    ).join();
    const known = this.#plans.get(key);
    if (known && known.made.program.backend !== currentBackend()) {
      throw new CompileError(
        "Cannot go on training with what was compiled for another device: compile it anew after init()",
      );
    }
    const learned = known?.learned ?? this.#seen.get(key);
    const calls = learned && this.#trained.optimizer.comingCalls(learned);
    if (!learned || !calls) return this.#runEager(key, inputs);
    let plan = known;
    if (!plan || !sameCalls(plan.calls, calls)) {
      plan = this.#renew(key, inputs, calls);
    }
    plan.made.program.check(inputs);
    return this.#replay(plan, inputs, calls);
  }

  /** What the plan of some shapes runs; the first plan without any. */
  explain(): Explanation {
    const [plan] = this.#plans.values();
    if (!plan) {
      throw new CompileError(
        "Cannot explain the step: it is compiled when it meets a shape for the second time",
      );
    }
    const { net } = this.#trained;
    const name = `Training step of ${net.constructor.name}`;
    return new Explanation(name, plan.metas, plan.made);
  }

  /** Bytes that the plans hold. */
  get bytes(): number {
    let bytes = 0;
    for (const { made } of this.#plans.values()) {
      bytes += heldBytes(made.program);
    }
    return bytes;
  }

  dispose(): void {
    for (const { made } of this.#plans.values()) made.program.dispose();
    this.#plans.clear();
    this.#seen.clear();
  }

  /** What a plan takes for granted beside shapes: each layer's mode, and which parameters are learned. */
  #modeOf(): string {
    const { optimizer } = this.#trained;
    let mode = "";
    for (const { training } of this.#modules) mode += training ? 1 : 0;
    mode += " ";
    for (const p of optimizer.parameters) mode += p.requiresGrad ? 1 : 0;
    return mode;
  }

  #runEager(key: string, inputs: readonly Tensor[]): Result {
    const { optimizer } = this.#trained;
    this.#drop(key);
    const result = this.#body(inputs);
    const learned = optimizer.parameters.filter((p) => p.grad !== null);
    this.#seen.set(key, new Set(learned));
    for (const p of learned) p.grad = null;
    return result;
  }

  #drop(key: string): void {
    this.#plans.get(key)?.made.program.dispose();
    this.#plans.delete(key);
  }

  #renew(
    key: string,
    inputs: readonly Tensor[],
    calls: readonly ComingCall[],
  ): StepPlan<Result> {
    this.#drop(key);
    const plan = this.#trace(inputs, calls);
    this.#plans.set(key, plan);
    return plan;
  }

  /** Makes a plan. Nothing is changed by it. */
  #trace(
    inputs: readonly Tensor[],
    calls: readonly ComingCall[],
  ): StepPlan<Result> {
    const { net, optimizer, passes, maxBytes = Infinity } = this.#trained;
    const metas = inputs.map(metaOf);
    const norms = this.#modules.filter((module) => module instanceof BatchNorm);
    const before = norms.map(({ pendingBatches }) => pendingBatches);
    let learned = new Set<Tensor>();
    const body = (given: readonly Tensor[]) => {
      const result = this.#body(given);
      learned = new Set(optimizer.parameters.filter((p) => p.grad !== null));
      return result;
    };
    const counted = new Map<BatchNorm, number>();
    // What is traced has shapes and no memory: gradients of that kind mustn't stay.
    const leaves = [...net.parameters(), ...optimizer.parameters];
    try {
      const whole = withoutGradients(
        leaves,
        // Planes in another order would be summed in another order: a step's numbers are those of call by call.
        () => build(metas, body, tensorsIn, { layout: false, ...passes }),
      );
      const made = bounded(whole, maxBytes, metas, "train by smaller batches");
      requireTold(made.program, calls, optimizer);
      return { made, metas, learned, calls, counted };
    } finally {
      // No batch has been seen and no step made yet.
      norms.forEach((norm, i) => {
        const count = norm.pendingBatches - before[i];
        if (count > 0) counted.set(norm, count);
        norm.countBatches(-count);
      });
      optimizer.countSteps(learned, -1);
    }
  }

  #replay(
    { made: { program, result }, learned, counted }: StepPlan<Result>,
    inputs: readonly Tensor[],
    calls: readonly ComingCall[],
  ): Result {
    const { optimizer, schedule } = this.#trained;
    const dense = inputs.map(asGiven);
    try {
      const tensors = program.run(dense, {
        attrs: calls.map((call) => call.attrs(0)),
        foresee: (runs) => forecast(calls, schedule, runs),
      });
      optimizer.countSteps(learned, 1);
      for (const [norm, count] of counted) norm.countBatches(count);
      let next = 0;
      return mapTensors(result, () => tensors[next++]) as Result;
    } finally {
      dense.forEach((x, i) => x !== inputs[i] && x.dispose());
    }
  }
}

/** Options of {@linkcode compileStep}. */
export interface CompileStepOptions {
  /** A scalar from outputs and targets, such as `nn.crossEntropy`. */
  readonly loss: Loss;
  readonly optimizer: AnyOptimizer;
  /** Largest norm of all gradients together: see {@linkcode clipGradNorm}. */
  readonly clipNorm?: number;
  /** Largest magnitude of a gradient's elements: see {@linkcode clipGradValue}. */
  readonly clipValue?: number;
  /**
   * Most bytes that a plan may hold beside parameters and the optimiser's memory: what forward leaves for backward, gradients, kernels' scratch memory. Where they
   * are more, what lies idle for long is freed and computed again, with the same numbers. @default no bound
   */
  readonly maxBytes?: number;
  /**
   * A schedule that counts steps: it is stepped after each, and its coming step sizes wait on the GPU. One that counts epochs, or looks at a metric, is stepped
   * by its owner.
   */
  readonly schedule?: LRScheduler;
  /**
   * Passes to leave out, by name: `{ concat: false }`. One has to be asked for here, `{ layout: true }`: gradients are then summed in another order than call by
   * call, and what was learned drifts from it by rounding. It took 0.9 of the time for GoogLeNet on small pictures. @default all but `layout` are run
   */
  readonly passes?: PassSwitches;
}

/**
 * A compiled training step. What {@linkcode compileStep} returns.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, randn, tensor } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = new nn.Linear(4, 2);
 * const optimizer = new nn.SGD(net.parameters(), { lr: 0.1 });
 * const step: nn.CompiledStep = nn.compileStep(net, { loss: nn.crossEntropy, optimizer });
 * const loss = step(randn([3, 4]), tensor([0, 1, 0], { dtype: "i32" }));
 * assertEquals(loss.shape, []);
 * step.dispose();
 * ```
 */
export interface CompiledStep extends Disposable {
  /** Makes a step with a batch and gives its loss, a scalar of the current scope. Parameters have no `grad` afterwards. */
  (inputs: Tensor, targets: Tensor): Tensor;
  /** What is run. Only after a shape was met for the second time. */
  explain(): Explanation;
  /** Bytes that its plans hold. */
  readonly bytes: number;
  dispose(): void;
}

/**
 * Makes a function that trains a network by a batch: forward, loss, backward and update as one plan. The first step with inputs of a shape runs call by
 * call; the second is traced, and from then on the plan is run. Schedules and whatever else changes the optimiser's options between steps are heard; dropout
 * draws what it would have drawn; batch norms measure. All of that waits on the GPU: a step uploads nothing, as long as options change by `schedule` alone.
 *
 * The same numbers as call by call come out, up to the rounding of what was fused. What `forward` does besides calling ops happens while it is traced and not
 * again.
 *
 * @throws {CompileError} For networks that can't be traced, such as those whose batch norms average all batches (`momentum: null`).
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn, randn, scope, tensor, zoo } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = zoo.lenet({ activation: "relu" });
 * const optimizer = new nn.Adam(net.parameters());
 * const step = nn.compileStep(net, { loss: nn.crossEntropy, optimizer });
 * const x = randn([8, 1, 28, 28]);
 * const y = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: "i32" });
 * const first = await step(x, y).item();
 * for (let i = 0; i < 20; i++) {
 *   using _ = scope();
 *   step(x, y);
 * }
 * assert(await step(x, y).item() < first);
 * step.dispose();
 * ```
 *
 * @example With a schedule of steps
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, randn, scope } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = new nn.Linear(4, 2);
 * const optimizer = new nn.SGD(net.parameters(), { lr: 0.1 });
 * const schedule = new nn.CosineAnnealingLR(optimizer, 10);
 * using step = nn.compileStep(net, { loss: nn.mseLoss, optimizer, schedule });
 * for (let i = 0; i < 5; i++) {
 *   using _ = scope();
 *   step(randn([3, 4]), randn([3, 2]));
 * }
 * assertAlmostEquals(optimizer.lr, 0.05);
 * ```
 */
export function compileStep(
  net: Module,
  options: CompileStepOptions,
): CompiledStep {
  const { loss, optimizer, clipNorm, clipValue, passes, schedule } = options;
  const { maxBytes } = options;
  if (schedule) requireSchedule(schedule, optimizer);
  const plans = new StepPlans(
    {
      net,
      optimizer,
      ...(passes && { passes }),
      ...(maxBytes !== undefined && { maxBytes }),
      ...(schedule && { schedule }),
    },
    ([inputs, targets]) =>
      tidy(() => {
        const value = loss(net(inputs), targets);
        optimizer.zeroGrad();
        value.backward();
        const { parameters } = optimizer;
        if (clipValue !== undefined) clipGradValue(parameters, clipValue);
        if (clipNorm !== undefined) clipGradNorm(parameters, clipNorm);
        optimizer.step();
        return value.detach();
      }),
  );
  const step = (inputs: Tensor, targets: Tensor): Tensor => {
    checkInterrupt();
    // Half a step would leave the network where no training has ever been.
    return withoutInterrupts(() => {
      const value = plans.run([inputs, targets]);
      try {
        schedule?.step();
      } catch (error) {
        value.dispose();
        throw error;
      }
      return value;
    });
  };
  const dispose = () => plans.dispose();
  Object.defineProperty(step, "bytes", { get: () => plans.bytes });
  return Object.assign(step, {
    explain: () => plans.explain(),
    dispose,
    [Symbol.dispose]: dispose,
    [Symbol.for("Deno.customInspect")]: () =>
      `Compiled training step of ${net.constructor.name}`,
  }) as unknown as CompiledStep;
}
