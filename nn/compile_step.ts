/** Training steps traced once and run as a plan: forward, backward and update without the host's work. */
import type { Leaf } from "../core/autograd.ts";
import {
  attributesOf,
  type Build,
  build,
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
import { Explanation } from "./compile_explain.ts";
import { asGiven, mapTensors, tensorsIn } from "./compile_values.ts";
import type { Loss } from "./fit_meter.ts";
import { BatchNorm } from "./layers/batch_norm.ts";
import type { Module } from "./module.ts";
import { clipGradNorm, clipGradValue } from "./optim/clip.ts";
import type { Optimizer } from "./optim/optimizer.ts";

/** Any optimiser, whatever its options. */
// deno-lint-ignore no-explicit-any -- options are the optimiser's own business
type AnyOptimizer = Optimizer<any>;

/** What a step is a step of. */
interface Trained {
  readonly net: Module;
  readonly optimizer: AnyOptimizer;
  readonly passes?: PassSwitches;
}

/** A step of one set of shapes. */
interface StepPlan<Result> {
  readonly made: Build<Result>;
  readonly metas: readonly Meta[];
  /** Parameters that the step has gradients for. */
  readonly learned: readonly Tensor[];
  /** Batches that a step's forward counts. */
  readonly counted: ReadonlyMap<BatchNorm, number>;
  /** Whether the attributes are those of the next step already. */
  fresh: boolean;
}

/**
 * Runs a training step of any make: the first time as it stands, from the second time that it sees inputs of the same shapes as a plan. By then the
 * optimiser has the memory that a plan needs.
 */
export class StepPlans<Result> {
  readonly #trained: Trained;
  readonly #body: (inputs: readonly Tensor[]) => Result;
  readonly #plans = new Map<string, StepPlan<Result>>();
  readonly #seen = new Set<string>();

  /** `body` makes a whole step, from the gradients' zeroing to the optimiser's step, and returns what is to be known of it. */
  constructor(
    trained: Trained,
    body: (inputs: readonly Tensor[]) => Result,
  ) {
    this.#trained = trained;
    this.#body = body;
  }

  /** How many sets of shapes have a plan. */
  get size(): number {
    return this.#plans.size;
  }

  /** Makes a step. Its results belong to the current scope. */
  run(inputs: readonly Tensor[]): Result {
    const key = this.#keyOf(inputs);
    let plan = this.#plans.get(key);
    if (!plan && !this.#seen.has(key)) {
      this.#seen.add(key);
      return this.#body(inputs);
    }
    if (!plan) this.#plans.set(key, plan = this.#trace(inputs));
    return this.#replay(plan, inputs);
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
    for (const { made: { program: { memory } } } of this.#plans.values()) {
      bytes += memory.temporaryBytes + memory.constantBytes;
    }
    return bytes;
  }

  dispose(): void {
    for (const { made } of this.#plans.values()) made.program.dispose();
    this.#plans.clear();
    this.#seen.clear();
  }

  /** Tells apart what needs a plan of its own: shapes, the mode, and what is learned. */
  #keyOf(inputs: readonly Tensor[]): string {
    const { net, optimizer } = this.#trained;
    const shapes = inputs.map(({ dtype, shape }) =>
      `${dtype}${formatShape(shape)}`
    );
    const learned = optimizer.parameters.map((p) => Number(p.requiresGrad));
    return `${shapes} ${net.training} ${learned.join("")}`;
  }

  #trace(inputs: readonly Tensor[]): StepPlan<Result> {
    const { net, optimizer, passes } = this.#trained;
    const metas = inputs.map(metaOf);
    const norms = Array.from(net.namedModules(), ([, module]) => module)
      .filter((module) => module instanceof BatchNorm);
    const before = norms.map(({ pendingBatches }) => pendingBatches);
    let learned: Tensor[] = [];
    try {
      const made = build(
        metas,
        (given) => {
          const result = this.#body(given);
          learned = optimizer.parameters.filter((p) => p.grad !== null);
          return result;
        },
        tensorsIn,
        passes,
      );
      const counted = norms.map((norm, i) =>
        [norm, norm.pendingBatches - before[i]] as const
      );
      return {
        made,
        metas,
        learned,
        counted: new Map(counted.filter(([, count]) => count > 0)),
        fresh: true,
      };
    } catch (error) {
      // Forward has counted a batch that nobody will run.
      norms.forEach((norm, i) =>
        norm.countBatches(before[i] - norm.pendingBatches)
      );
      throw error;
    } finally {
      // They have shapes and no memory.
      for (const p of optimizer.parameters) p.grad = null;
    }
  }

  /** Lets the optimiser make its next step as far as it takes place on the host, and gives the plan the attributes of its calls. */
  #advance({ made: { program }, learned, counted }: StepPlan<Result>): void {
    const { optimizer } = this.#trained;
    const updates = attributesOf(() =>
      withGradients(learned, () => optimizer.step())
    ).filter(({ op }) => op.inPlace);
    const ops = new Set(updates.map(({ op }) => op));
    const calls = [...program.calls.keys()].filter((i) =>
      ops.has(program.calls[i].op)
    );
    if (calls.length !== updates.length) {
      throw new CompileError(
        "Cannot go on with the compiled step: the optimiser makes other calls than when it was compiled, compile it anew",
      );
    }
    calls.forEach((call, i) => program.update(call, updates[i].attrs));
    for (const [norm, count] of counted) norm.countBatches(count);
  }

  #replay(plan: StepPlan<Result>, inputs: readonly Tensor[]): Result {
    const { optimizer } = this.#trained;
    const { program, result } = plan.made;
    if (program.backend !== currentBackend()) {
      throw new CompileError(
        "Cannot go on training with what was compiled for another device: compile it anew after init()",
      );
    }
    for (const p of optimizer.parameters) if (p.grad) p.grad = null;
    if (!plan.fresh) this.#advance(plan);
    plan.fresh = false;
    const dense = inputs.map(asGiven);
    try {
      const tensors = program.run(dense);
      let next = 0;
      return mapTensors(result, () => tensors[next++]) as Result;
    } finally {
      dense.forEach((x, i) => x !== inputs[i] && x.dispose());
    }
  }
}

/** Runs `body` while parameters have gradients of their shapes, whatever those hold. */
function withGradients(parameters: readonly Tensor[], body: () => void): void {
  const leaves = parameters.map(({ edge }) => edge as Leaf);
  // Only shapes are looked at, so each parameter stands for its own gradient.
  leaves.forEach((leaf, i) => leaf.grad = parameters[i]);
  try {
    body();
  } finally {
    for (const leaf of leaves) leaf.grad = undefined;
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
  /** Passes to leave out, by name. @default all are run */
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
 * draws what it would have drawn; batch norms measure.
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
 */
export function compileStep(
  net: Module,
  options: CompileStepOptions,
): CompiledStep {
  const { loss, optimizer, clipNorm, clipValue, passes } = options;
  const plans = new StepPlans(
    { net, optimizer, ...(passes && { passes }) },
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
    return withoutInterrupts(() => plans.run([inputs, targets]));
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
