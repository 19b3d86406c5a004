/**
 * What optimiser steps share: parameters with their gradients and what the optimiser remembers, many in one call and two in one launch.
 *
 * What is remembered of a parameter, such as Adam's two averages, is one tensor, so that any rule has three operands a parameter. In it the numbers of 64
 * elements lie together, first all of one kind, then all of the next: neighbouring invocations touch neighbouring numbers, and a part of the parameter has
 * its memory in one window.
 */
import { DTypeError, ShapeError } from "../errors.ts";
import {
  bind,
  type Float,
  linearGrid,
  splitBox,
  storageType,
  windowOf,
  words,
} from "../launch.ts";
import type {
  Binding,
  HostArray,
  Kernel,
  Launch,
  Meta,
  Op,
  Plan,
  Request,
  Shape,
  Slot,
} from "../op.ts";
import { formatShape, itemBytes, sameShape, sizeOf } from "../shape.ts";
import oneCode from "./step.wgsl" with { type: "text" };
import foursCode from "./step_fours.wgsl" with { type: "text" };
import twoCode from "./step_two.wgsl" with { type: "text" };

/** Invocations of a workgroup, as written in the kernels. */
const WORKGROUP = 64;

/** Elements that an invocation of the preferred variants owns. */
const ITEMS = 4;

/** Elements whose memory lies together, as written in the kernels. */
const BLOCK = 64;

/** The shape of what is remembered of a parameter of `size` elements, `states` numbers each. What is past the last element isn't used. */
export function stateShape(size: number, states: number): Shape {
  return [Math.ceil(size / BLOCK), states, BLOCK];
}

/** Elements from which a parameter whose number of them is a multiple of four has a launch of its own that reads vectors. */
const LARGE = 16384;

/** Kernels of rules that remember something. */
const STATEFUL = {
  one: { label: "wgsl/optim/step.wgsl", code: oneCode },
  two: { label: "wgsl/optim/step_two.wgsl", code: twoCode },
  fours: { label: "wgsl/optim/step_fours.wgsl", code: foursCode },
};

/** Kernels of a rule: for one parameter, for two, and for a large one by vectors. */
export type StepKernels = Readonly<Record<"one" | "two" | "fours", Kernel>>;

/** How an optimiser changes one element. */
export interface StepRule<Attrs> {
  readonly name: string;
  /** The update in WGSL, that step.wgsl calls; or kernels of its own for a rule that remembers nothing. */
  readonly code:
    | string
    | StepKernels;
  /** Numbers that are remembered of an element, at most three. @default 0 */
  states?(attrs: Attrs): number;
  /** Floating-point operations on one element. */
  readonly flops: number;
  /** Words of the kernel's `Rule`, with which the params end. All that changes from step to step is in them. */
  words(attrs: Attrs): (number | Float)[];
  /** Throws for attributes that can't be. */
  check?(attrs: Attrs): void;
  /** The same on the host: the parameter's new value. `s` is what is remembered, changed in place. */
  update(p: number, g: number, s: number[], attrs: Attrs): number;
}

/**
 * The op that makes a step of `count` parameters at once: `param, grad, state, param, grad, state, …`, without states if the rule has none. Parameters
 * and states are overwritten.
 */
export function stepOp<Attrs>(
  rule: StepRule<Attrs>,
): (count: number) => Op<Attrs> {
  const made: Op<Attrs>[] = [];
  const stepsOf = (count: number): Op<Attrs> =>
    made[count] ??= makeStep(rule, count, () => stepsOf(1));
  return stepsOf;
}

function makeStep<Attrs>(
  rule: StepRule<Attrs>,
  count: number,
  one: () => Op<Attrs>,
): Op<Attrs> {
  const operands = rule.states ? 3 : 2;
  const inPlace = Array.from(
    { length: count },
    (_, i) => rule.states ? [3 * i, 3 * i + 2] : [2 * i],
  ).flat();
  const plan =
    (most: number, items: number, large = Infinity) =>
    (request: Request<Attrs>) =>
      planSteps(request, rule, inPlace, most, items, large);
  return {
    name: rule.name,
    inPlace,
    groups: { inputs: operands, one },
    volatile: true,
    tail: (attrs) => words(...rule.words(attrs)),
    infer(inputs, attrs) {
      rule.check?.(attrs);
      const states = rule.states?.(attrs);
      for (let i = 0; i < inputs.length; i += operands) {
        checkOperands(inputs.slice(i, i + operands), states);
      }
      return inPlace.map((i) => inputs[i]);
    },
    variants: [
      { name: "fours", plan: plan(2, ITEMS, LARGE) },
      { name: "two", plan: plan(2, ITEMS) },
      { name: "one", plan: plan(1, ITEMS) },
      { name: "naive", plan: plan(1, 1) },
    ],
    reference(inputs, outputs, attrs) {
      const states = rule.states?.(attrs) ?? 0;
      for (let i = 0; i < count; i++) {
        const given = inputs.slice(i * operands, (i + 1) * operands);
        const results = outputs.slice(i * (operands - 1));
        stepOne(rule, given, results, attrs, states);
      }
    },
  };
}

function stepOne<Attrs>(
  rule: StepRule<Attrs>,
  [param, grad, state]: readonly HostArray[],
  [paramOut, stateOut]: readonly HostArray[],
  attrs: Attrs,
  states: number,
): void {
  for (let i = 0; i < paramOut.data.length; i++) {
    const s: number[] = [];
    const at = (i - i % BLOCK) * states + i % BLOCK;
    for (let j = 0; j < states; j++) s.push(state.data[at + j * BLOCK]);
    paramOut.data[i] = rule.update(param.data[i], grad.data[i], s, attrs);
    for (let j = 0; j < states; j++) stateOut.data[at + j * BLOCK] = s[j];
  }
}

function checkOperands(
  [param, grad, state]: readonly Meta[],
  states: number | undefined,
): void {
  if (!["f32", "f16", "f64"].includes(param.dtype)) {
    throw new DTypeError(
      `Cannot step a parameter of ${param.dtype}: expected one of f32, f16, f64`,
      [param.dtype],
    );
  }
  checkOperand(param, "a gradient", grad, param.shape);
  if (states === undefined) return;
  const shape = stateShape(sizeOf(param.shape), states);
  checkOperand(param, "a state", state, shape);
}

function checkOperand(
  param: Meta,
  name: string,
  given: Meta,
  shape: Shape,
): void {
  if (!sameShape(given.shape, shape)) {
    throw new ShapeError(
      `Cannot step a parameter ${formatShape(param.shape)} with ${name} ${
        formatShape(given.shape)
      }: expected ${formatShape(shape)}`,
      [param.shape, given.shape],
    );
  }
  if (given.dtype !== param.dtype) {
    throw new DTypeError(
      `Cannot step a parameter of ${param.dtype} with ${name} of ${given.dtype}: expected the same type`,
      [param.dtype, given.dtype],
    );
  }
}

/** A part of one parameter, which fits a binding. */
interface Part {
  /** Position of the parameter among the inputs. */
  readonly first: number;
  readonly size: number;
  /** Windows of the parameter, the gradient and the state. */
  readonly windows: readonly ReturnType<typeof windowOf>[];
}

function planSteps<Attrs>(
  { inputs, attrs, limits }: Request<Attrs>,
  rule: StepRule<Attrs>,
  inPlace: readonly number[],
  most: number,
  items: number,
  large: number,
): Plan {
  const states = rule.states?.(attrs) ?? 0;
  const operands = rule.states ? 3 : 2;
  const parts: Part[] = [];
  for (let first = 0; first < inputs.length; first += operands) {
    const n = sizeOf(inputs[first].shape);
    if (n === 0) continue;
    const wide = Math.max(states, 1) * BLOCK;
    const operandViews = inputs.slice(first, first + operands);
    const walks = operandViews.map(({ offset, dtype }, k) => ({
      strides: [k < 2 ? BLOCK : wide, 1],
      offset,
      dtype,
    }));
    // Whole blocks; the last one of the parameter itself may be shorter.
    const blocks = Math.ceil(n / BLOCK);
    for (const box of splitBox([blocks, wide], walks, limits, [1])) {
      const [start] = box.start;
      const size = Math.min(box.size[0] * BLOCK, n - start * BLOCK);
      const windows = walks.map((walk, k) =>
        windowOf({ ...walk, strides: [1] }, {
          start: [start * (k < 2 ? BLOCK : wide)],
          size: [k < 2 ? size : box.size[0] * wide],
        })
      );
      parts.push({ first, size, windows });
    }
  }
  const kernels = kernelsOf(rule);
  const launches: Launch[] = [];
  const vectors = parts.filter((part) => hasVectors(part, large));
  for (const part of vectors) {
    parts.splice(parts.indexOf(part), 1);
    launches.push(vectorLaunch(part, inputs, attrs, rule, inPlace, limits));
  }
  while (parts.length > 0) {
    // Parts of one parameter would bind its buffer twice, and may not share a launch; nor may parameters of different types.
    const apart = most < 2 || parts.length < 2 ||
      parts[0].first === parts[1].first ||
      inputs[parts[0].first].dtype !== inputs[parts[1].first].dtype;
    const together = parts.splice(0, apart ? 1 : 2);
    const { dtype } = inputs[together[0].first];
    const groups = together.map(({ size }) =>
      Math.ceil(size / (WORKGROUP * items))
    );
    const total = groups.reduce((a, b) => a + b);
    const count = together.reduce((sum, { size }) => sum + size, 0);
    const head = together.flatMap(({ size, windows }) => [
      size,
      ...windows.map(({ base }) => base),
    ]);
    if (together.length > 1) head.push(groups[0]);
    launches.push({
      kernel: together.length > 1 ? kernels.two : kernels.one,
      declarations: declarationsOf(rule, dtype, states),
      constants: { ITEMS: items },
      bindings: together.flatMap(({ first, windows }) =>
        bindingsOf({ first, windows }, inPlace)
      ),
      params: words(...aligned(head), ...rule.words(attrs)),
      workgroups: linearGrid(total * WORKGROUP, WORKGROUP, limits),
      trips: items,
      flops: count * rule.flops,
      bytes: count * itemBytes(dtype) * (3 + 2 * states),
    });
  }
  return { launches };
}

/** What is overwritten is bound once, as an output that is also read. */
function bindingsOf(
  { first, windows }: Pick<Part, "first" | "windows">,
  inPlace: readonly number[],
): Binding[] {
  return windows.map((window, k) => {
    const out = inPlace.indexOf(first + k);
    const [slot, index]: [Slot, number] = out < 0
      ? ["input", first + k]
      : ["output", out];
    return bind(slot, index, out < 0 ? "read" : "write", window);
  });
}

/** Whether a part is large, and consists of whole vectors. */
function hasVectors({ size, windows }: Part, large: number): boolean {
  return size >= large && size % 4 === 0 &&
    windows.every(({ base }) => base % 4 === 0);
}

/** The step of a part by vectors. */
function vectorLaunch<Attrs>(
  part: Part,
  inputs: readonly Meta[],
  attrs: Attrs,
  rule: StepRule<Attrs>,
  inPlace: readonly number[],
  limits: Request<Attrs>["limits"],
): Launch {
  const { dtype } = inputs[part.first];
  const states = rule.states?.(attrs) ?? 0;
  const count = part.size / 4;
  const head = [count, ...part.windows.map(({ base }) => base / 4)];
  return {
    kernel: kernelsOf(rule).fours,
    declarations: declarationsOf(rule, dtype, states),
    bindings: bindingsOf(part, inPlace),
    params: words(...aligned(head), ...rule.words(attrs)),
    workgroups: linearGrid(count, WORKGROUP, limits),
    trips: 0,
    flops: part.size * rule.flops,
    bytes: part.size * itemBytes(dtype) * (3 + 2 * states),
  };
}

function kernelsOf<Attrs>({ code }: StepRule<Attrs>): StepKernels {
  return typeof code === "string" ? STATEFUL : code;
}

function declarationsOf<Attrs>(
  { code }: StepRule<Attrs>,
  dtype: Meta["dtype"],
  states: number,
): string {
  const type = `alias T = ${storageType(dtype)};`;
  return typeof code === "string"
    ? [type, `const STATES = ${states}u;`, code].join("\n")
    : type;
}

/** Words before the rule, which starts at a multiple of 16 bytes. */
function aligned(head: readonly number[]): number[] {
  const fill = (4 - head.length % 4) % 4;
  return [...head, ...new Array<number>(fill).fill(0)];
}
