import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray, Meta, Op } from "../../wgsl/op.ts";
import { type AdamAttrs, adamStep } from "../../wgsl/optim/adam.ts";
import {
  type SgdAttrs,
  type SgdMomentumAttrs,
  sgdMomentumStep,
  sgdStep,
} from "../../wgsl/optim/sgd.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";
import { assertClose } from "../support/tolerance.ts";

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

/** Options as PyTorch names them. */
interface Options {
  readonly lr: number;
  readonly momentum?: number;
  readonly dampening?: number;
  readonly nesterov?: boolean;
  readonly weight_decay?: number;
  readonly maximize?: boolean;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
}

interface Fixture {
  readonly param: readonly number[];
  readonly grads: readonly (readonly number[])[];
  readonly cases: readonly {
    readonly optimiser: "sgd" | "adam" | "adamw";
    readonly options: Options;
    readonly values: readonly (readonly number[])[];
  }[];
}

/** Computes a step: returns what the op's outputs are after it. */
type Run = <Attrs>(
  op: Op<Attrs>,
  inputs: HostArray[],
  attrs: Attrs,
) => Promise<HostArray[]>;

/** Makes step `t` with PyTorch's options on a parameter and its optimiser's state. */
async function step(
  run: Run,
  optimiser: "sgd" | "adam" | "adamw",
  o: Options,
  t: number,
  [param, ...state]: HostArray[],
  grad: HostArray,
): Promise<HostArray[]> {
  const { lr, weight_decay: weightDecay = 0 } = o;
  if (optimiser !== "sgd") {
    const [beta1, beta2] = o.betas ?? [0.9, 0.999];
    const inputs = [param, grad, ...state];
    return await run(adamStep, inputs, {
      ...{ lr, weightDecay, beta1, beta2, eps: o.eps ?? 1e-8, step: t },
      decoupled: optimiser === "adamw",
    });
  }
  const attrs = { lr, weightDecay, maximize: o.maximize };
  if (!o.momentum) {
    const [next] = await run(sgdStep, [param, grad], attrs);
    return [next, ...state];
  }
  const [next, buffer] = await run(sgdMomentumStep, [param, grad, state[0]], {
    ...attrs,
    momentum: o.momentum,
    dampening: o.dampening ?? 0,
    nesterov: o.nesterov ?? false,
    first: t === 1,
  });
  return [next, buffer];
}

/** Follows every case of the fixture with steps of one dtype. */
async function follow(run: Run, dtype: DType): Promise<void> {
  const url = new URL("../fixtures/optim_steps.json", import.meta.url);
  const fixture: Fixture = JSON.parse(await Deno.readTextFile(url));
  const vector = (values: readonly number[]) =>
    host(values, [values.length], dtype);
  for (const { optimiser, options, values } of fixture.cases) {
    // SGD must not read its buffer at the first step; Adam's start at 0.
    const fresh = fixture.param.map(() => optimiser === "sgd" ? NaN : 0);
    let held = [vector(fixture.param), vector(fresh), vector(fresh)];
    for (let t = 1; t <= values.length; t++) {
      const grad = vector(fixture.grads[t - 1]);
      held = await step(run, optimiser, options, t, held, grad);
      const what = `${optimiser} ${JSON.stringify(options)}, step ${t}:`;
      assertClose(held[0], vector(values[t - 1]), 2 * t, what);
    }
  }
}

Deno.test("the references follow PyTorch's optimisers for 20 steps in float64", async () => {
  await follow(
    (op, inputs, attrs) => Promise.resolve(runReference(op, { inputs, attrs })),
    "f64",
  );
});

Deno.test("the kernels follow PyTorch's optimisers for 20 steps in float32", async () => {
  await follow(
    (op, inputs, attrs) => runVariant(op, "several", { inputs, attrs }),
    "f32",
  );
});

Deno.test("a step of gradient descent is right, worked by hand", () => {
  const inputs = [host([1, -2], [2], "f64"), host([0.5, 4], [2], "f64")];
  const after = (attrs: SgdAttrs) => {
    const [param] = runReference(sgdStep, { inputs, attrs });
    return [...param.data];
  };
  assertEquals(after({ lr: 0.25, weightDecay: 0 }), [0.875, -3]);
  assertEquals(after({ lr: 0.25, weightDecay: 0.5 }), [0.75, -2.75]);
  assertEquals(after({ lr: 0.25, weightDecay: 0, maximize: true }), [
    1.125,
    -1,
  ]);
});

Deno.test("a step of momentum is right, worked by hand", () => {
  const inputs = [[1], [4], [2]].map((values) => host(values, [1], "f64"));
  const after = (options: Partial<SgdMomentumAttrs>) => {
    const attrs = { ...MOMENTUM, lr: 0.25, momentum: 0.5, ...options };
    const outputs = runReference(sgdMomentumStep, { inputs, attrs });
    return outputs.map(({ data }) => data[0]);
  };
  assertEquals(after({}), [1 - 0.25 * 5, 5]);
  assertEquals(after({ first: true }), [1 - 0.25 * 4, 4]);
  assertEquals(after({ dampening: 0.5 }), [1 - 0.25 * 3, 3]);
  assertEquals(after({ dampening: 0.5, first: true }), [0, 4]);
  assertEquals(after({ nesterov: true }), [1 - 0.25 * (4 + 0.5 * 5), 5]);
  assertEquals(after({ weightDecay: 2 }), [1 - 0.25 * 7, 7]);
});

Deno.test("a step of Adam is right, worked by hand", () => {
  const inputs = [[1], [2], [0], [0]].map((x) => host(x, [1], "f64"));
  const after = (options: Partial<AdamAttrs>) => {
    const attrs = {
      ...ADAM,
      ...{ lr: 0.5, beta1: 0.5, beta2: 0.75, eps: 0, step: 1 },
      ...options,
    };
    const outputs = runReference(adamStep, { inputs, attrs });
    return outputs.map(({ data }) => data[0]);
  };
  // The first step is lr times the sign of the gradient, whatever its size.
  assertEquals(after({}), [0.5, 1, 1]);
  assertEquals(after({ eps: 2 }), [0.75, 1, 1]);
  assertEquals(after({ weightDecay: 2 }), [0.5, 2, 4]);
  assertEquals(after({ weightDecay: 1, decoupled: true }), [0, 1, 1]);
});

Deno.test("every variant of every step is its reference's, at sizes about a workgroup's and in half precision", async () => {
  for (const dtype of ["f32", "f16"] as DType[]) {
    for (const n of [1, 63, 64, 65, 256, 257, 1031]) {
      const inputs = [1, 2, 3, 4].map((seed) => noise([n], seed, dtype));
      inputs[3].data.forEach((v, i) => inputs[3].data[i] = Math.abs(v));
      const attrs = { ...SGD, weightDecay: 0.1 };
      const ran = [
        await checkOp(sgdStep, { inputs: inputs.slice(0, 2), attrs }),
        await checkOp(sgdMomentumStep, {
          inputs: inputs.slice(0, 3),
          attrs: { ...MOMENTUM, nesterov: true, weightDecay: 0.1 },
        }),
        await checkOp(adamStep, {
          inputs,
          attrs: { ...ADAM, weightDecay: 0.1 },
        }),
      ];
      assertEquals(ran, ran.map(() => ["several", "naive"]));
    }
  }
});

Deno.test("NaN and infinity in a gradient or a parameter go where arithmetic takes them", async () => {
  const param = host([1, NaN, 3, Infinity, 5], [5]);
  const grad = host([NaN, 1, -Infinity, 1, 0], [5]);
  const state = host([1, 1, 1, 1, 1], [5]);
  await checkOp(sgdStep, { inputs: [param, grad], attrs: SGD });
  await checkOp(sgdMomentumStep, {
    inputs: [param, grad, state],
    attrs: MOMENTUM,
  });
  await checkOp(adamStep, { inputs: [param, grad, state, state], attrs: ADAM });
});

Deno.test("a step cuts its operands where a binding is small, and folds its workgroups", async () => {
  const n = 2 ** 19 + 77;
  const inputs = [1, 2, 3, 4].map((seed) => noise([n], seed));
  inputs[3].data.forEach((v, i) => inputs[3].data[i] = Math.abs(v));
  const limits = {
    maxStorageBufferBindingSize: 2 ** 20,
    maxComputeWorkgroupsPerDimension: 1000,
  };
  const request = {
    inputs: inputs.map(contiguousView),
    outputs: adamStep.infer(inputs, ADAM).map(contiguousView),
    attrs: ADAM,
    limits: { ...PORTABLE_LIMITS, ...limits },
  };
  assertEquals(adamStep.variants[0].plan(request).launches.length, 4);
  await checkOp(adamStep, { inputs, attrs: ADAM, limits });
});

Deno.test("a step of an empty parameter launches nothing", async () => {
  const empty = host([], [0, 3]);
  await checkOp(sgdStep, { inputs: [empty, empty], attrs: SGD });
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
    message(() => sgdStep.infer([w, meta([3, 2])], SGD), ShapeError),
    "Cannot step a parameter [2, 3] with a gradient [3, 2]: expected the same shape",
  );
  assertEquals(
    message(
      () => sgdMomentumStep.infer([w, w, meta([6])], MOMENTUM),
      ShapeError,
    ),
    "Cannot step a parameter [2, 3] with a momentum buffer [6]: expected the same shape",
  );
  assertEquals(
    message(
      () => adamStep.infer([w, w, w, meta([2, 3], "f16")], ADAM),
      DTypeError,
    ),
    "Cannot step a parameter of f32 with a running mean of squares of f16: expected the same type",
  );
  assertEquals(
    message(
      () => sgdStep.infer([meta([1], "i32"), meta([1], "i32")], SGD),
      DTypeError,
    ),
    "Cannot step a parameter of i32: expected one of f32, f16, f64",
  );
  assertEquals(
    message(
      () => adamStep.infer([w, w, w, w], { ...ADAM, step: 0 }),
      RangeError,
    ),
    "Cannot make step 0 of Adam: expected an integer from 1",
  );
});
