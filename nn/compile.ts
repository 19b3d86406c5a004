/** Networks traced once and run as a plan. */
import { isRecording, noGrad } from "../core/autograd.ts";
import {
  type Build,
  build,
  heldBytes,
  type PassSwitches,
} from "../core/compile/mod.ts";
import type { GraphCall } from "../core/compile/graph.ts";
import { describeValue } from "../core/arguments.ts";
import { zeros } from "../core/create.ts";
import { concat } from "../core/join.ts";
import { CompileError, ShapeError } from "../core/errors.ts";
import {
  checkInterrupt,
  currentBackend,
  randomState,
  setRandomState,
  synchronize,
} from "../core/runtime.ts";
import { scope } from "../core/scope.ts";
import { Tensor } from "../core/tensor.ts";
import { metaOf } from "../core/tensor_base.ts";
import type { Meta, Shape } from "../wgsl/op.ts";
import { formatShape, sameShape } from "../wgsl/shape.ts";
import { bounded, listOf } from "./compile_bound.ts";
import { Explanation } from "./compile_explain.ts";
import { tuned } from "./compile_tune.ts";
import { asGiven, mapTensors, tensorsIn } from "./compile_values.ts";
import { Module } from "./module.ts";

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /** Further shapes of the input, each of which gets a plan of its own. For functions of one input. */
  readonly shapes?: readonly Shape[];
  /** Whether smaller batches may be given too: they are run as a part of a whole one. For functions of one input, whose results have the batch in front. @default false */
  readonly maxBatch?: boolean;
  /**
   * Whether to measure the kernels that each call can run, on its real shapes, before they are chosen, and for batches the order in which planes lie. Takes seconds;
   * `saveTuning` keeps what was found of kernels. @default false
   */
  readonly tune?: boolean;
  /**
   * Most bytes that a plan may hold beside the network's own weights: temporaries and rearranged weights. Where they are more, kernels read weights as they are
   * at every run instead, and what lies idle for long is freed and computed again. @default no bound
   */
  readonly maxBytes?: number;
  /** Passes to leave out, by name: `{ concat: false }`. The page core/compile/README.md lists them. @default all are run */
  readonly passes?: PassSwitches;
}

/** What an input looks like: a tensor as an example, or the shape of an f32 one. */
export type Example = Tensor | Shape;

/**
 * A compiled function: called like the one that it was made from. What {@linkcode compile} resolves to.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, ones } from "@tessera/tessera";
 *
 * await init();
 * const run: nn.Compiled = await nn.compile((x) => x.mul(2).relu(), [3]);
 * assertEquals(await run(ones([3])).array(), [2, 2, 2]);
 * run.dispose();
 * ```
 */
export interface Compiled<Result = Tensor> extends Disposable {
  /** Runs the plan of the inputs' shapes. The results are new tensors of the current scope; no gradient flows through them. */
  (...inputs: Tensor[]): Result;
  /** What is run: every launch, what was put into it, and the memory that it takes. Without a shape, of the first plan. */
  explain(shape?: Shape): Explanation;
  /** Bytes that its plans hold: temporaries and rearranged weights. */
  readonly bytes: number;
  /** Gives the plans' memory back. */
  dispose(): void;
}

/** A plan for inputs of some shapes. */
interface Plan<Result> {
  readonly metas: readonly Meta[];
  made: Build<Result>;
}

/**
 * Traces a network in evaluation, or any function of tensors, and makes a plan that runs it with hardly any work on the host: batch norms are folded into
 * weights, residuals and activations into the launch before them, concatenations written in place, constants computed once, buffers shared.
 *
 * The plan holds for inputs of the example's shape, and for further `shapes`. Weights may change afterwards, by `loadStateDict` or training: what was
 * computed from them is computed anew. What can't change is the function's way: it is followed once, whatever the values are.
 *
 * @throws {CompileError} For a network in training mode, and for functions that wait for values or replace tensors' memory. The compiled function
 * throws one for other shapes than it was compiled for.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { compile, init, noGrad, randn, zoo } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = zoo.lenet().eval();
 * const run = await compile(net, [1, 1, 28, 28]);
 * const x = randn([1, 1, 28, 28]);
 * const [a, b] = [await run(x).read(), await noGrad(() => net(x)).read()];
 * a.forEach((v, i) => assertAlmostEquals(v, b[i], 1e-5));
 * run.dispose();
 * ```
 */
export async function compile<Result = Tensor>(
  net: (...inputs: Tensor[]) => Result,
  example: Example | readonly Example[],
  options: CompileOptions = {},
): Promise<Compiled<Result>> {
  const { shapes = [], maxBatch = false, passes = {} } = options;
  const { tune = false, maxBytes = Infinity } = options;
  const first = metasOf(example);
  if (first.length !== 1 && (shapes.length > 0 || maxBatch)) {
    throw new CompileError(
      `Cannot compile for several shapes: the function has ${first.length} inputs, expected one`,
    );
  }
  const plans: Plan<Result>[] = [];
  try {
    requireEvaluation(net);
    for (const metas of [first, ...shapes.map((shape) => metasOf(shape))]) {
      plans.push({ metas, made: follow(net, metas, passes) });
    }
    for (const plan of plans) {
      const { metas } = plan;
      if (tune) {
        const plain = () => follow(net, metas, { ...passes, layout: false });
        plan.made = await tuned(plan.made, metas, plain);
      }
      const instead = "compile it for a smaller batch";
      plan.made = bounded(plan.made, maxBytes, metas, instead);
      warmUp(plan);
    }
    await synchronize();
  } catch (error) {
    for (const { made } of plans) made.program.dispose();
    throw error;
  }
  return compiled(nameOf(net), plans, maxBatch);
}

/** The function and its methods. */
function compiled<Result>(
  name: string,
  plans: readonly Plan<Result>[],
  maxBatch: boolean,
): Compiled<Result> {
  let open = true;
  const run = (...inputs: Tensor[]): Result => {
    checkInterrupt();
    if (!open) {
      throw new CompileError(
        `Cannot run the compiled ${name}: it was disposed of`,
      );
    }
    inputs.forEach((x, i) => requireInput(name, x, i));
    const plan = plans.find(({ metas }) => fits(metas, inputs));
    if (plan) return resultOf(plan, runPlan(plan, inputs));
    const larger = maxBatch
      ? plans.find(({ metas }) => holds(metas, inputs))
      : undefined;
    if (!larger) throw wrongShape(name, plans, inputs, maxBatch);
    return runPart(larger, inputs[0]);
  };
  const dispose = () => {
    if (open) { for (const { made } of plans) made.program.dispose(); }
    open = false;
  };
  const properties = {
    explain: (shape?: Shape) => {
      const plan = shape === undefined
        ? plans[0]
        : plans.find(({ metas }) => sameShape(metas[0].shape, shape));
      if (plan) return new Explanation(name, plan.metas, plan.made);
      throw new CompileError(
        `Cannot explain the plan for ${formatShape(shape!)}: ${
          shapesOf(plans)
        }`,
      );
    },
    dispose,
    [Symbol.dispose]: dispose,
    [Symbol.for("Deno.customInspect")]: () =>
      `Compiled ${name} for ${
        plans.map(({ metas }) => listOf(metas)).join(" and ")
      }`,
  };
  Object.defineProperty(run, "bytes", {
    get: () => open ? bytesOf(plans) : 0,
  });
  return Object.assign(run, properties) as unknown as Compiled<Result>;
}

function follow<Result>(
  net: (...inputs: Tensor[]) => Result,
  metas: readonly Meta[],
  passes: PassSwitches,
): Build<Result> {
  const body = (inputs: readonly Tensor[]) => net(...inputs);
  const made = noGrad(() => build(metas, body, tensorsIn, passes));
  const { changing } = made.program;
  const empty = tensorsIn(made.result).length === 0;
  if (!changing && !empty) return made;
  made.program.dispose();
  throw new CompileError(
    `Cannot compile ${nameOf(net)}: ${
      changing ? reasonOf(changing) : "it returned no tensor"
    }`,
  );
}

/** Runs a plan on zeros, so that its kernels are compiled before the first real call. */
function warmUp<Result>(plan: Plan<Result>): void {
  using _ = scope();
  const random = randomState();
  runPlan(
    plan,
    plan.metas.map(({ shape, dtype }) => zeros(shape, { dtype })),
  );
  setRandomState(random);
}

/** Why a function with such a call isn't compiled. */
function reasonOf({ op, path }: GraphCall): string {
  const where = path === undefined ? "" : ` of ${path}`;
  return `${op.name}${where} would change a tensor at each run, call eval() first, or use compileStep to train`;
}

function runPlan<Result>(
  { made: { program } }: Plan<Result>,
  inputs: readonly Tensor[],
  given = inputs,
): Tensor[] {
  const backend = currentBackend();
  if (backend.virtual) {
    throw new CompileError(
      "Cannot run what was compiled while something else is compiled: call the network or function itself there",
    );
  }
  if (program.backend !== backend) {
    throw new CompileError(
      "Cannot run what was compiled for another device: compile it anew after init()",
    );
  }
  program.check(given);
  const dense = inputs.map(asGiven);
  try {
    return program.run(dense);
  } finally {
    dense.forEach((x, i) => x !== inputs[i] && x.dispose());
  }
}

/** Puts tensors where the function had returned some. */
function resultOf<Result>(
  { made: { result } }: Plan<Result>,
  tensors: readonly Tensor[],
): Result {
  let next = 0;
  return mapTensors(result, () => tensors[next++]) as Result;
}

/** Runs a batch as the first part of a larger one. */
function runPart<Result>(plan: Plan<Result>, x: Tensor): Result {
  const [meta] = plan.metas;
  const [whole] = meta.shape;
  const count = x.shape[0];
  using inner = scope();
  const rest = [whole - count, ...meta.shape.slice(1)];
  const full = noGrad(() => concat([x, zeros(rest, { dtype: meta.dtype })], 0));
  const parts = runPlan(plan, [full], [x]).map((y) => {
    if (y.shape[0] === whole) return y.slice(0, 0, count);
    throw new ShapeError(
      `Cannot run a batch of ${count} as part of ${whole}: a result of shape ${
        formatShape(y.shape)
      } doesn't have the batch in front`,
      [y.shape],
    );
  });
  return inner.keep(resultOf(plan, parts));
}

function requireEvaluation(net: unknown): void {
  if (!(net instanceof Module)) return;
  const training = [...net.namedModules()].find(([, m]) => m.training);
  if (!training) return;
  const [path] = training;
  throw new CompileError(
    `Cannot compile ${nameOf(net)}: ${
      path === "" ? "it" : path
    } is in training mode, call eval() first, or use compileStep to train`,
  );
}

function requireInput(name: string, x: unknown, place: number): void {
  if (!(x instanceof Tensor)) {
    throw new TypeError(
      `Cannot run the compiled ${name}: expected input ${place} to be a Tensor but found ${typeof x}`,
    );
  }
  if (x.requiresGrad && isRecording()) {
    throw new CompileError(
      `Cannot run the compiled ${name}: input ${place} requires gradients, which a plan doesn't compute, use the network itself or noGrad`,
    );
  }
}

function fits(metas: readonly Meta[], inputs: readonly Tensor[]): boolean {
  return metas.length === inputs.length &&
    metas.every(({ shape, dtype }, i) =>
      dtype === inputs[i].dtype && sameShape(shape, inputs[i].shape)
    );
}

/** Whether an input is a smaller batch of what was compiled. */
function holds([meta]: readonly Meta[], inputs: readonly Tensor[]): boolean {
  const [x] = inputs;
  return inputs.length === 1 && meta.dtype === x.dtype && x.rank > 0 &&
    x.shape[0] > 0 && x.shape[0] < meta.shape[0] &&
    sameShape(meta.shape.slice(1), x.shape.slice(1));
}

function wrongShape<Result>(
  name: string,
  plans: readonly Plan<Result>[],
  inputs: readonly Tensor[],
  maxBatch: boolean,
): CompileError {
  return new CompileError(
    `Cannot run the compiled ${name} on ${listOf(inputs.map(metaOf))}: ${
      shapesOf(plans)
    }${maxBatch ? " or a smaller batch" : ""}, compile it for that shape too`,
  );
}

function shapesOf<Result>(plans: readonly Plan<Result>[]): string {
  return `it was compiled for ${
    plans.map(({ metas }) => listOf(metas)).join(" and ")
  }`;
}

function metasOf(example: Example | readonly Example[]): Meta[] {
  if (example instanceof Tensor) return [metaOf(example)];
  const list = example as readonly unknown[];
  if (!Array.isArray(list)) {
    throw new TypeError(
      `Cannot compile for ${
        describeValue(example)
      }: expected a tensor or a shape such as [1, 3, 224, 224], or a list of them`,
    );
  }
  if (list.every((n) => typeof n === "number")) {
    return [{ shape: [...list as Shape], dtype: "f32" }];
  }
  return (example as readonly Example[]).flatMap((one) => metasOf(one));
}

function bytesOf<Result>(plans: readonly Plan<Result>[]): number {
  return plans.reduce((sum, { made }) => sum + heldBytes(made.program), 0);
}

function nameOf(net: unknown): string {
  if (net instanceof Module) return net.constructor.name;
  return (net as { readonly name?: string }).name || "function";
}
