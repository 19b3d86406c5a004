import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray, Meta, Op } from "../../wgsl/op.ts";
import { type AdagradAttrs, adagradStep } from "../../wgsl/optim/adagrad.ts";
import { type AdamAttrs, adamStep } from "../../wgsl/optim/adam.ts";
import { type RmspropAttrs, rmspropStep } from "../../wgsl/optim/rmsprop.ts";
import {
  type SgdAttrs,
  type SgdMomentumAttrs,
  sgdMomentumStep,
  sgdStep,
} from "../../wgsl/optim/sgd.ts";
import { stateShape } from "../../wgsl/optim/step.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
} from "../support/plan.ts";

const SGD: SgdAttrs = { lr: 0.1, weightDecay: 0 };
const MOMENTUM: SgdMomentumAttrs = {
  ...SGD,
  momentum: 0.9,
  dampening: 0,
  nesterov: false,
  first: false,
};
const ADAM: AdamAttrs = {
  lr: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0,
  decoupled: false,
  step: 3,
};
const RMSPROP: RmspropAttrs = {
  lr: 0.01,
  alpha: 0.9,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
};
const ADAGRAD: AdagradAttrs = {
  lr: 0.01,
  lrDecay: 0.1,
  weightDecay: 0,
  eps: 1e-10,
  step: 3,
};

/** A rule with attributes, and how many numbers it remembers. */
interface RuleCase {
  readonly op: (count: number) => Op<unknown>;
  readonly attrs: unknown;
  readonly states: number;
}

function ruleCase<Attrs>(
  op: (count: number) => Op<Attrs>,
  attrs: Attrs,
  states: number,
): RuleCase {
  return { op: op as RuleCase["op"], attrs, states };
}

/** Every rule with its forms. An eps of 0.5 is seen in the result. */
const RULES: readonly RuleCase[] = [
  ruleCase(sgdStep, { ...SGD, weightDecay: 0.1, maximize: true }, 0),
  ruleCase(sgdMomentumStep, { ...MOMENTUM, nesterov: true }, 1),
  ruleCase(sgdMomentumStep, { ...MOMENTUM, dampening: 0.5, first: true }, 1),
  ruleCase(adamStep, { ...ADAM, weightDecay: 0.1 }, 2),
  ruleCase(adamStep, { ...ADAM, weightDecay: 0.1, decoupled: true }, 2),
  ruleCase(adamStep, { ...ADAM, amsgrad: true, eps: 0.5, maximize: true }, 3),
  ruleCase(rmspropStep, { ...RMSPROP, eps: 0.5 }, 1),
  ruleCase(rmspropStep, { ...RMSPROP, momentum: 0.5, weightDecay: 0.1 }, 2),
  ruleCase(rmspropStep, { ...RMSPROP, centered: true, maximize: true }, 2),
  ruleCase(rmspropStep, { ...RMSPROP, centered: true, momentum: 0.5 }, 3),
  ruleCase(adagradStep, { ...ADAGRAD, weightDecay: 0.1, maximize: true }, 1),
  ruleCase(adagradStep, { ...ADAGRAD, eps: 0.5 }, 1),
];

/** Operands of one parameter: values, gradient and a state that can be one of squares. */
function operandsOf(
  n: number,
  states: number,
  seed: number,
  dtype: DType = "f32",
): HostArray[] {
  const state = noise(stateShape(n, states), seed + 2, dtype);
  // The first number larger than the square of the second, so that a variance is positive.
  state.data.forEach((v, i) => {
    const second = Math.floor(i / 64) % Math.max(states, 1) === 1;
    state.data[i] = (1 + Math.abs(v)) / (second ? 8 : 1);
  });
  const operands = [noise([n], seed, dtype), noise([n], seed + 1, dtype)];
  return states > 0 ? [...operands, state] : operands;
}

/** What is remembered of one element. */
function stateOf(numbers: readonly number[], dtype: DType = "f32"): HostArray {
  const values = numbers.flatMap((v) => [v, ...new Array<number>(63).fill(0)]);
  return host(values, [1, numbers.length, 64], dtype);
}

/** What a reference makes of one element, in float64. */
function after<Attrs>(
  op: (count: number) => Op<Attrs>,
  attrs: Attrs,
  p: number,
  g: number,
  ...state: number[]
): number[] {
  const inputs = [host([p], [1], "f64"), host([g], [1], "f64")];
  if (state.length > 0) inputs.push(stateOf(state, "f64"));
  const [param, after] = runReference(op(1), { inputs, attrs });
  return [param.data[0], ...state.map((_, j) => after.data[64 * j])];
}

Deno.test("a step of gradient descent is right, worked by hand", () => {
  const plain = { lr: 0.25, weightDecay: 0 };
  assertEquals(after(sgdStep, plain, 1, 0.5), [0.875]);
  assertEquals(after(sgdStep, plain, -2, 4), [-3]);
  assertEquals(after(sgdStep, { lr: 0.25, weightDecay: 0.5 }, -2, 4), [-2.75]);
  assertEquals(after(sgdStep, { ...plain, maximize: true }, 1, 0.5), [1.125]);
});

Deno.test("a step of momentum is right, worked by hand", () => {
  const step = (options: Partial<SgdMomentumAttrs>) => {
    const attrs = { ...MOMENTUM, lr: 0.25, momentum: 0.5, ...options };
    return after(sgdMomentumStep, attrs, 1, 4, 2);
  };
  assertEquals(step({}), [1 - 0.25 * 5, 5]);
  assertEquals(step({ first: true }), [1 - 0.25 * 4, 4]);
  assertEquals(step({ dampening: 0.5 }), [1 - 0.25 * 3, 3]);
  assertEquals(step({ dampening: 0.5, first: true }), [0, 4]);
  assertEquals(step({ nesterov: true }), [1 - 0.25 * (4 + 0.5 * 5), 5]);
  assertEquals(step({ weightDecay: 2 }), [1 - 0.25 * 7, 7]);
});

Deno.test("a step of Adam is right, worked by hand", () => {
  const attrs = {
    ...ADAM,
    ...{ lr: 0.5, beta1: 0.5, beta2: 0.75, eps: 0, step: 1 },
  };
  const step = (options: Partial<AdamAttrs>, ...highest: number[]) =>
    after(adamStep, { ...attrs, ...options }, 1, 2, 0, 0, ...highest);
  // The first step is lr times the sign of the gradient, whatever its size.
  assertEquals(step({}), [0.5, 1, 1]);
  assertEquals(step({ maximize: true }), [1.5, -1, 1]);
  assertEquals(step({ eps: 2 }), [0.75, 1, 1]);
  assertEquals(step({ weightDecay: 2 }), [0.5, 2, 4]);
  assertEquals(step({ weightDecay: 1, decoupled: true }), [0, 1, 1]);
  assertEquals(step({ amsgrad: true }, 16), [0.875, 1, 1, 16]);
  assertEquals(step({ amsgrad: true }, 0.5), [0.5, 1, 1, 1]);
});

Deno.test("a step of RMSprop is right, worked by hand", () => {
  const attrs = { ...RMSPROP, lr: 0.5, alpha: 0.5, eps: 0 };
  const step = (options: Partial<RmspropAttrs>, ...state: number[]) =>
    after(rmspropStep, { ...attrs, ...options }, 1, 2, ...state);
  // √(0.5·28 + 0.5·4) = 4
  assertEquals(step({}, 28), [1 - 0.5 * 2 / 4, 16]);
  assertEquals(step({ eps: 4 }, 28), [1 - 0.5 * 2 / 8, 16]);
  assertEquals(step({ momentum: 0.5 }, 28, 3), [1 - 0.5 * 2, 16, 2]);
  // √(0.5·46 + 0.5·4 - (0.5·4 + 0.5·2)²) = 4
  assertEquals(step({ centered: true }, 46, 4), [0.75, 25, 3]);
  assertEquals(
    step({ centered: true, momentum: 0.5 }, 46, 4, 3),
    [0, 25, 3, 2],
  );
  assertEquals(step({ maximize: true }, 28), [1.25, 16]);
});

Deno.test("a step of Adagrad is right, worked by hand", () => {
  const attrs = { ...ADAGRAD, lr: 0.5, lrDecay: 0.5, eps: 0, step: 3 };
  const step = (options: Partial<AdagradAttrs>) =>
    after(adagradStep, { ...attrs, ...options }, 1, 3, 16);
  assertEquals(step({}), [1 - 0.25 * 3 / 5, 25]);
  assertEquals(step({ step: 1 }), [1 - 0.5 * 3 / 5, 25]);
  assertEquals(step({ eps: 1 }), [1 - 0.25 * 3 / 6, 25]);
  assertEquals(step({ maximize: true }), [1 + 0.25 * 3 / 5, 25]);
});

Deno.test("every variant of every rule is its reference's, at sizes about a workgroup's and in half precision", async () => {
  for (const { op, attrs, states } of RULES) {
    for (const dtype of ["f32", "f16"] as DType[]) {
      // From 16,384 elements on, those that are whole vectors go by fours.
      const large = [16384, 16388, 16389];
      const sizes = dtype === "f32"
        ? [1, 63, 64, 65, 256, 257, 1031, ...large]
        : [65, ...large.slice(1, 2)];
      for (const n of sizes) {
        const inputs = operandsOf(n, states, n, dtype);
        assertEquals(
          await checkOp(op(1), { inputs, attrs, length: 4 }),
          ["fours", "two", "one", "naive"],
        );
      }
    }
  }
});

Deno.test("parameters of several sizes change in one call, two in a launch", async () => {
  for (const { op, attrs, states } of RULES) {
    const inputs = [300, 7, 0, 257, 64, 1, 5000]
      .flatMap((n, i) => operandsOf(n, states, 10 * i));
    await checkOp(op(7), { inputs, attrs, length: 4 });
  }
  const request = {
    inputs: [5, 300, 7].flatMap((n) => operandsOf(n, 2, n))
      .map(contiguousView),
    outputs: [],
    attrs: ADAM,
    limits: PORTABLE_LIMITS,
  };
  const { launches } = adamStep(3).variants[0].plan(request);
  assertEquals(launches.map(({ bindings }) => bindings.length), [6, 3]);
  assertEquals(launches.map(({ workgroups }) => workgroups[0]), [3, 1]);
});

Deno.test("parameters of different types don't share a launch", async () => {
  const inputs = [
    ...operandsOf(9, 1, 1, "f32"),
    ...operandsOf(9, 1, 4, "f16"),
  ];
  await checkOp(sgdMomentumStep(2), { inputs, attrs: MOMENTUM, length: 4 });
});

Deno.test("NaN and infinity in a gradient, a parameter or a state go where arithmetic takes them", async () => {
  const param = host([1, NaN, 3, Infinity, 5, 6, 7], [7]);
  const grad = host([NaN, 1, -Infinity, 1, 0, 1, 2], [7]);
  for (const { op, attrs, states } of RULES) {
    const state = stateOf(new Array<number>(states).fill(1));
    state.data.fill(1);
    // NaN as the last number of the last element.
    if (states > 0) state.data[64 * (states - 1) + 6] = NaN;
    const inputs = states > 0 ? [param, grad, state] : [param, grad];
    const plain = { ...(attrs as object), weightDecay: 0 };
    await checkOp(op(1), { inputs, attrs: plain, length: 4 });
  }
});

Deno.test("a centred variance that rounding makes negative counts as 0", async () => {
  const attrs = { ...RMSPROP, centered: true, eps: 0.5 };
  const inputs = [host([1], [1]), host([1], [1]), stateOf([0.5, 1])];
  const [param] = runReference(rmspropStep(1), { inputs, attrs });
  assertEquals(param.data[0], Math.fround(1 - 0.01 / 0.5));
  await checkOp(rmspropStep(1), { inputs, attrs });
});

Deno.test("a step cuts its operands where a binding is small, and folds its workgroups", async () => {
  const n = 2 ** 18 + 77;
  const inputs = [...operandsOf(n, 2, 1), ...operandsOf(5, 2, 5)];
  const limits = {
    maxStorageBufferBindingSize: 2 ** 20,
    maxComputeWorkgroupsPerDimension: 600,
  };
  const request = {
    inputs: inputs.map(contiguousView),
    outputs: [],
    attrs: ADAM,
    limits: { ...PORTABLE_LIMITS, ...limits },
  };
  const { launches } = adamStep(2).variants[0].plan(request);
  assertEquals(launches.map(({ bindings }) => bindings.length), [3, 3, 3, 6]);
  await checkOp(adamStep(2), { inputs, attrs: ADAM, limits, length: 4 });
});

Deno.test("a step of an empty parameter launches nothing", async () => {
  const empty = host([], [0, 3]);
  await checkOp(sgdStep(1), { inputs: [empty, empty], attrs: SGD });
});

Deno.test("a step refuses operands that differ in shape or type, and Adam's step 0", () => {
  const meta = (shape: number[], dtype: DType = "f32"): Meta => ({
    shape,
    dtype,
  });
  const w = meta([2, 3]);
  const message = (
    run: () => unknown,
    kind: typeof ShapeError | typeof DTypeError | typeof RangeError,
  ) => assertThrows(run, kind).message;
  assertEquals(
    message(() => sgdStep(1).infer([w, meta([3, 2])], SGD), ShapeError),
    "Cannot step a parameter [2, 3] with a gradient [3, 2]: expected [2, 3]",
  );
  assertEquals(
    message(
      () =>
        sgdMomentumStep(2).infer([w, w, meta([1, 1, 64]), w, w, w], MOMENTUM),
      ShapeError,
    ),
    "Cannot step a parameter [2, 3] with a state [2, 3]: expected [1, 1, 64]",
  );
  assertEquals(
    message(
      () => adamStep(1).infer([w, w, meta([1, 2, 64], "f16")], ADAM),
      DTypeError,
    ),
    "Cannot step a parameter of f32 with a state of f16: expected the same type",
  );
  assertEquals(
    message(
      () => sgdStep(1).infer([meta([1], "i32"), meta([1], "i32")], SGD),
      DTypeError,
    ),
    "Cannot step a parameter of i32: expected one of f32, f16, f64",
  );
  assertEquals(
    message(
      () => adamStep(1).infer([w, w, meta([1, 2, 64])], { ...ADAM, step: 0 }),
      RangeError,
    ),
    "Cannot make step 0 of Adam: expected an integer from 1",
  );
});
