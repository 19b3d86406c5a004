/** Plans of calls, remembered: the same op with the same views and attributes launches the same again. */
import type {
  AnyOp,
  Launch,
  Limits,
  Op,
  Plan,
  Request,
  Variant,
  View,
} from "../../wgsl/op.ts";
import { textOf } from "../attributes.ts";
import { LaunchError } from "../errors.ts";
import type { Pipeline, PipelineCache, Swap } from "./pipelines.ts";
import type { Tuning } from "./tuning.ts";

/** Plans that are remembered. */
const PLAN_CAP = 4096;

/** A launch with its pipeline, and what it is part of. */
export interface PreparedLaunch {
  readonly call: Call<unknown>;
  readonly op: string;
  readonly variant: string;
  /** Its place among the launches of the call. */
  readonly step: number;
  readonly launch: Launch;
  readonly pipeline: Pipeline;
}

/** A plan that is ready to be recorded. */
export interface PreparedPlan {
  /** The swapped kernels among its launches, as long as their results for this call haven't been compared with the reference. */
  unverified: readonly Swap[];
  /** Tells the call, as far as its plan depends on it, from others. */
  readonly key: string;
  readonly launches: readonly PreparedLaunch[];
  /** Bytes of each scratch buffer. */
  readonly scratch: readonly number[];
}

/** A call, as far as its plan depends on it. */
export interface Call<Attrs> {
  readonly op: Op<Attrs>;
  readonly inputs: readonly View[];
  readonly outputs: readonly View[];
  readonly attrs: Attrs;
  /** Which inputs are the same at every run, where the call is part of a prepared sequence. */
  readonly constant?: readonly boolean[];
}

/** A call that a kernel has been used for, and the variant that used it. */
export interface KernelUse {
  readonly call: Call<unknown>;
  readonly variant: Variant<unknown>;
}

/** Uses that are remembered of a kernel, for a swap to be checked on. */
const USES_CAP = 16;

/** Makes plans once. */
export class PlanCache {
  /** Sees each call whose plan is made, while tuning looks for calls to measure. */
  onPlan: ((call: Call<unknown>) => void) | undefined;
  readonly #limits: Limits;
  readonly #pipelines: PipelineCache;
  readonly #tuning: Tuning;
  readonly #plans = new Map<string, PreparedPlan>();
  /** By the kernel's label and the call's key. */
  readonly #uses = new Map<string, Map<string, KernelUse>>();
  /** Names may be shared, ops not. */
  readonly #ids = new WeakMap<AnyOp, number>();
  #ops = 0;

  constructor(limits: Limits, pipelines: PipelineCache, tuning: Tuning) {
    this.#limits = limits;
    this.#pipelines = pipelines;
    this.#tuning = tuning;
  }

  /** Forgets all plans, so that the next calls choose their variants anew. */
  clear(): void {
    this.#plans.clear();
  }

  /** The plan of a call. Throws the KernelError of a kernel that is known not to compile, and a LaunchError over the loop limit. */
  get<Attrs>(call: Call<Attrs>): PreparedPlan {
    if (call.op.volatile) return this.#make(call);
    const key = this.#keyOf(call);
    let plan = this.#plans.get(key);
    if (plan) {
      const bad = plan.launches.find(({ pipeline }) => pipeline.error);
      if (bad) throw bad.pipeline.error;
      return plan;
    }
    plan = this.#make(call);
    // Maps keep the order of insertion: the oldest plan goes first.
    if (this.#plans.size >= PLAN_CAP) {
      this.#plans.delete(this.#plans.keys().next().value!);
    }
    this.#plans.set(key, plan);
    return plan;
  }

  #keyOf<Attrs>({ op, inputs, outputs, attrs }: Call<Attrs>): string {
    let id = this.#ids.get(op);
    if (id === undefined) this.#ids.set(op, id = ++this.#ops);
    let key = `${id}`;
    // Made anew at each call: its plans aren't looked up, only told apart where a kernel is swapped.
    if (op.volatile && this.#pipelines.swaps.size === 0) return key;
    for (const view of inputs) {
      key += `|${view.dtype}${view.shape}/${view.strides}+${view.offset}`;
    }
    for (const view of outputs) key += `>${view.dtype}${view.shape}`;
    return op.volatile ? key : key + textOf(attrs);
  }

  /** What the plan of a call is made from. */
  requestOf<Attrs>(call: Call<Attrs>): Request<Attrs> {
    const { inputs, outputs, attrs, constant } = call;
    const limits = this.#limits;
    return { inputs, outputs, attrs, limits, ...(constant && { constant }) };
  }

  /** The labels of the kernels that have been used. */
  get kernels(): string[] {
    return [...this.#uses.keys()];
  }

  /** The last calls that a kernel was used for. */
  usesOf(label: string): KernelUse[] {
    return [...this.#uses.get(label)?.values() ?? []];
  }

  /**
   * The plan that one variant makes of a call. Throws a LaunchError over the loop limit. `library` asks for the library's own kernels, whatever was
   * swapped.
   */
  prepare<Attrs>(
    call: Call<Attrs>,
    variant: Variant<Attrs>,
    library = false,
  ): PreparedPlan {
    const limits = this.#limits;
    const { op } = call;
    const plan: Plan = variant.plan(this.requestOf(call));
    for (const { trips, kernel } of plan.launches) {
      if (trips > limits.maxLoopTrips) {
        throw new LaunchError(
          `Cannot run ${op.name}: ${kernel.label} would loop ${trips} times and this device ends loops after ${limits.maxLoopTrips}`,
          [op.name],
        );
      }
    }
    const key = this.#keyOf(call);
    if (!library) this.#remember(call, variant, plan, key);
    const launches = plan.launches.map((launch, step) => ({
      call: call as Call<unknown>,
      op: op.name,
      variant: variant.name,
      step,
      launch,
      pipeline: this.#pipelines.get(launch, op.name, library),
    }));
    return {
      launches,
      scratch: plan.scratch ?? [],
      key,
      unverified: launches.flatMap(({ pipeline: { swap } }) =>
        swap && !swap.verified.has(key) ? [swap] : []
      ),
    };
  }

  #remember<Attrs>(
    call: Call<Attrs>,
    variant: Variant<Attrs>,
    { launches }: Plan,
    key: string,
  ): void {
    for (const { kernel: { label } } of launches) {
      let uses = this.#uses.get(label);
      if (!uses) this.#uses.set(label, uses = new Map());
      uses.delete(key);
      // Maps keep the order of insertion: the oldest use goes first.
      if (uses.size >= USES_CAP) uses.delete(uses.keys().next().value!);
      uses.set(key, {
        call: call as Call<unknown>,
        variant: variant as Variant<unknown>,
      });
    }
  }

  #make<Attrs>(call: Call<Attrs>): PreparedPlan {
    return this.prepare(call, this.choose(call));
  }

  /** The variant that a call runs. */
  choose<Attrs>(call: Call<Attrs>): Variant<Attrs> {
    const { op } = call;
    this.onPlan?.(call as Call<unknown>);
    const request = this.requestOf(call);
    const variant = this.#tuning.choose(op, request, call.constant);
    if (!variant) {
      throw new LaunchError(
        `Cannot run ${op.name}: none of its kernels takes this input`,
        [op.name],
      );
    }
    return variant;
  }
}
