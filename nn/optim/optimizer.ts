/** What optimisers share: groups of parameters, the memory of past gradients that goes with each parameter, and how both are saved. */
import { noGrad } from "../../core/autograd.ts";
import { full, zeros } from "../../core/create.ts";
import { CompileError } from "../../core/errors.ts";
import { concat, stack } from "../../core/join.ts";
import { outsideScopes, tidy } from "../../core/scope.ts";
import { Tensor } from "../../core/tensor.ts";
import { stateShape } from "../../wgsl/optim/step.ts";
import {
  checkState,
  type OptimizerState,
  type ParameterState,
  plainOf,
} from "./state.ts";
import type { ComingCall, Memory, Step } from "./step.ts";

/** Options of an optimiser with nothing left out. They may be changed between steps. */
export type Settings<O> = { -readonly [K in keyof O]-?: NonNullable<O[K]> };

/** Parameters that are stepped with the same options. */
export type ParamGroup<O> = Settings<O> & {
  /** The parameters, in the order of `stateDict`. */
  readonly params: Tensor[];
  /** The step size that the first schedule started from. Set by schedules. */
  initialLr?: number;
};

/** What optimisers take: parameters, or groups of them with options of their own; what a group leaves out comes from the options of all. */
export type Optimizable<O> =
  | Iterable<Tensor>
  | Iterable<Partial<O> & { readonly params: Iterable<Tensor> }>;

interface Slot extends Memory {
  steps: number;
  names: readonly string[];
  /** In the layout of `stateShape`. */
  tensor: Tensor | undefined;
}

/**
 * Changes parameters by their gradients. All parameters of a group that have made the same number of steps change in one call, two in a launch: with
 * gradient and memory, the eight buffers that every adapter offers a kernel hold no more.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, ones } from "@tessera/tessera";
 *
 * await init();
 * const net = new nn.Linear(2, 1);
 * const optimizer: nn.Optimizer = new nn.SGD(net.parameters(), { lr: 0.1 });
 * net(ones([1, 2])).sum().backward();
 * const before = await net.bias!.item();
 * optimizer.step();
 * assertAlmostEquals(await net.bias!.item(), before - 0.1, 1e-6);
 * optimizer.zeroGrad();
 * ```
 */
export abstract class Optimizer<
  O extends { readonly lr?: number } = { readonly lr?: number },
> implements Disposable {
  /** The parameters with their options, which may be changed between steps. */
  readonly paramGroups: ParamGroup<O>[] = [];
  /** Options of groups that don't say otherwise. */
  readonly defaults: Settings<O>;
  readonly #slots = new Map<Tensor, Slot>();

  constructor(parameters: Optimizable<O>, defaults: Settings<O>) {
    this.defaults = defaults;
    const given = [...parameters];
    if (given.length === 0) {
      throw new RangeError("Cannot optimise: no parameters were given");
    }
    const plain = given.filter((x) => x instanceof Tensor);
    if (plain.length === given.length) {
      this.#add({ params: plain });
      return;
    }
    for (const group of given) {
      if (group instanceof Tensor) {
        throw new TypeError(
          "Cannot optimise a mixture of parameters and groups: expected one or the other",
        );
      }
      this.#add(group);
    }
  }

  /** All parameters, group by group. */
  get parameters(): readonly Tensor[] {
    return this.paramGroups.flatMap(({ params }) => params);
  }

  /** Step size of the first group. Setting it sets that of all groups. */
  get lr(): number {
    return this.#groups[0].lr;
  }

  set lr(value: number) {
    for (const group of this.#groups) group.lr = value;
  }

  /** The groups as far as all optimisers know them. */
  get #groups(): ParamGroup<{ readonly lr?: number }>[] {
    return this.paramGroups as ParamGroup<{ readonly lr?: number }>[];
  }

  /** Adds parameters after construction, for instance when layers are unfrozen. */
  addParamGroup(
    group: Partial<O> & { readonly params: Iterable<Tensor> },
  ): void {
    this.#add(group);
  }

  #add(group: { readonly params: Iterable<Tensor> }): void {
    const params = [...group.params];
    const added = { ...this.defaults, ...group, params } as ParamGroup<O>;
    if (params.length === 0) {
      throw new RangeError("Cannot optimise: no parameters were given");
    }
    const known = this.parameters;
    params.forEach((p, i) => {
      const place = known.length + i;
      if (!p.requiresGrad) {
        throw new RangeError(
          `Cannot optimise parameter ${place}: it does not require gradients`,
        );
      }
      if (known.includes(p) || params.indexOf(p) < i) {
        throw new RangeError(
          `Cannot optimise parameter ${place}: it is there already`,
        );
      }
    });
    this.#check(added);
    this.paramGroups.push(added);
  }

  #check(group: ParamGroup<O>): void {
    const { lr } = group as ParamGroup<{ readonly lr?: number }>;
    if (!(lr >= 0)) {
      throw new RangeError(
        `Cannot optimise with lr ${lr}: expected a number of 0 or more`,
      );
    }
    this.checkOptions(group);
  }

  /** Throws a RangeError for options that can't be. Runs before the subclass's fields are set. */
  protected abstract checkOptions(options: Settings<O>): void;

  /** How parameters of a group with this memory make their next step. */
  protected abstract nextStep(group: Settings<O>, memory: Memory): Step;

  /** Changes every parameter that has a gradient. */
  step(): void {
    for (const group of this.paramGroups) {
      for (const slots of this.#alike(group, (p) => p.grad !== null)) {
        const [[, first]] = slots;
        const step = this.nextStep(group, first);
        const operands = Array.from(slots, ([p, slot]) => {
          this.#remember(p, slot, step);
          const grad = p.grad as Tensor;
          return slot.tensor ? [p, grad, slot.tensor] : [p, grad];
        });
        step.run(slots.size, operands.flat());
        for (const slot of slots.values()) slot.steps++;
      }
    }
  }

  /**
   * The calls of the next step, when these parameters have gradients. Undefined where the step would make memory first. For those who run steps by a plan.
   *
   * @throws {CompileError} For steps that aren't a single op each.
   */
  comingCalls(
    learned: ReadonlySet<Tensor>,
  ): readonly ComingCall[] | undefined {
    const calls: ComingCall[] = [];
    for (const group of this.paramGroups) {
      for (const slots of this.#alike(group, (p) => learned.has(p))) {
        const [[, { steps, names }]] = slots;
        const now = this.nextStep(group, { steps, names });
        if (`${names}` !== `${now.names}`) return undefined;
        if (!now.op) {
          throw new CompileError(
            `Cannot compile the steps of ${this.constructor.name}: they aren't an op each`,
          );
        }
        calls.push({
          op: now.op(slots.size),
          operands: Array.from(
            slots,
            ([p, { tensor }]) => tensor ? [p, tensor] : [p],
          ).flat(),
          attrs: (later) =>
            this.nextStep(group, { steps: steps + later, names }).attrs,
        });
      }
    }
    return calls;
  }

  /** Counts steps that parameters have made without calling `step`, by a plan, or that were called for and not made. */
  countSteps(parameters: Iterable<Tensor>, count: number): void {
    for (const p of parameters) {
      const slot = this.#slots.get(p);
      if (slot) slot.steps += count;
    }
  }

  /** Parameters that are learned, those together that can make one step. */
  #alike(
    { params }: ParamGroup<O>,
    isLearned: (p: Tensor) => boolean,
  ): Iterable<Map<Tensor, Slot>> {
    const alike = new Map<string, Map<Tensor, Slot>>();
    for (const p of params) {
      if (!isLearned(p)) continue;
      const slot = this.#slots.get(p) ??
        { steps: 0, names: [], tensor: undefined };
      this.#slots.set(p, slot);
      const key = `${p.dtype} ${slot.steps} ${slot.names}`;
      const same = alike.get(key);
      if (same) same.set(p, slot);
      else alike.set(key, new Map([[p, slot]]));
    }
    return alike.values();
  }

  /** Gives a parameter the memory that a step needs; what it has already is kept. */
  #remember(p: Tensor, slot: Slot, { names, initial = 0 }: Step): void {
    if (`${slot.names}` === `${names}`) return;
    const { dtype } = p;
    const held = slot.tensor;
    const shape = stateShape(p.size, names.length);
    slot.tensor = names.length === 0 ? undefined : lasting(() =>
      held
        ? stack(
          names.map((name) =>
            slot.names.includes(name)
              ? held.select(1, slot.names.indexOf(name))
              : full([shape[0], shape[2]], initial, { dtype })
          ),
          1,
        )
        : full(shape, initial, { dtype })
    );
    held?.dispose();
    slot.names = names;
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    // Parameters that were frozen meanwhile have none.
    for (const p of this.parameters) if (p.grad) p.grad = null;
  }

  /**
   * The options of the groups and what is remembered of each parameter, under PyTorch's names. Its tensors are copies, and belong to the current
   * scope.
   */
  stateDict(): OptimizerState {
    const { parameters } = this;
    const state = new Map<number, ParameterState>();
    parameters.forEach((p, i) => {
      const slot = this.#slots.get(p);
      if (!slot || slot.steps === 0) return;
      const { steps, names, tensor } = slot;
      const tensors = names.map((name, k): [string, Tensor] => [
        name,
        partOf(p, tensor!, k),
      ]);
      state.set(i, { step: steps, tensors: new Map(tensors) });
    });
    return {
      state,
      paramGroups: this.paramGroups.map((group) =>
        plainOf(group, group.params.map((p) => parameters.indexOf(p)))
      ),
    };
  }

  /**
   * Takes over what {@linkcode stateDict} gave for the same parameters in the same groups. Nothing is changed unless all of it fits.
   *
   * @throws {Error} A table of what is missing, unexpected or of another shape.
   */
  loadStateDict({ state, paramGroups }: OptimizerState): void {
    const groups = paramGroups.map(({ params: _, ...options }) => ({
      ...this.defaults,
      ...options,
    }));
    checkState(
      { state, paramGroups },
      this.paramGroups,
      (i, steps) =>
        this.nextStep(groups[i] as ParamGroup<O>, { steps, names: [] }).names,
    );
    groups.forEach((options, i) =>
      this.#check({ ...options, params: this.paramGroups[i].params } as never)
    );
    this.paramGroups.forEach((group, i) => Object.assign(group, groups[i]));
    const loaded = this.parameters.map((p, i) => {
      const entry = state.get(i);
      return entry && slotOf(p, entry);
    });
    this.dispose();
    this.parameters.forEach((p, i) => {
      const slot = loaded[i];
      if (slot) this.#slots.set(p, slot);
    });
  }

  /** Frees what is remembered of past gradients, so that the next step is the first. The parameters stay. */
  dispose(): void {
    for (const { tensor } of this.#slots.values()) tensor?.dispose();
    this.#slots.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function slotOf(p: Tensor, { step, tensors }: ParameterState): Slot {
  const names = [...tensors.keys()];
  const tensor = names.length === 0
    ? undefined
    : lasting(() =>
      stack(Array.from(tensors.values(), (x) => blocksOf(x.to(p.dtype))), 1)
    );
  return { steps: step, names, tensor };
}

/** One kind of what is remembered of a parameter, as a copy in its shape. */
function partOf(p: Tensor, memory: Tensor, kind: number): Tensor {
  return tidy(() =>
    noGrad(() => {
      const flat = memory.select(1, kind).flatten().slice(0, 0, p.size);
      return flat.clone().reshape(p.shape);
    })
  );
}

/** The elements of a tensor in blocks, the last one filled up with zeros. */
function blocksOf(x: Tensor): Tensor {
  const [blocks, , length] = stateShape(x.size, 1);
  const { dtype } = x;
  const rest = zeros([blocks * length - x.size], { dtype });
  return concat([x.flatten(), rest]).reshape([blocks, length]);
}

/** A tensor that belongs to no scope and no graph. */
function lasting(make: () => Tensor): Tensor {
  return outsideScopes(() => tidy(() => noGrad(make)));
}
