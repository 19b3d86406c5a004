/** Gradients of ops along axes, and the gradients' own, against central differences in float64 on the CPU device. */
import { assert, assertEquals } from "@std/assert";
import {
  gradients,
  init,
  memory,
  scope,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import type { Shape } from "../../wgsl/op.ts";
import { cumsum } from "../../wgsl/reduce/cumsum.ts";
import { noise } from "../support/plan.ts";

/** PyTorch's gradcheck defaults. */
const EPSILON = 1e-6;
const ATOL = 1e-5;
const RTOL = 1e-3;

type Values = ArrayLike<number>;
type Scalar = (x: Tensor) => Tensor;

function variable(values: Values, shape: Shape): Tensor {
  const data = Float64Array.from(values);
  return tensor(data, { shape, dtype: "f64", requiresGrad: true });
}

/** Σ y · w with fixed weights, so that every element of y has its own. */
function weigh(y: Tensor, seed: number): Tensor {
  const { data } = noise(y.shape, seed, "f64");
  return y.mul(tensor(data, { shape: y.shape, dtype: "f64" })).sum();
}

async function compare(
  f: Scalar,
  shape: Shape,
  values: Values,
  found: Values,
  what: string,
): Promise<void> {
  for (let i = 0; i < values.length; i++) {
    const at = (step: number) => {
      using _ = scope();
      const moved = Float64Array.from(values);
      moved[i] += step;
      return f(variable(moved, shape)).item();
    };
    const rise = await at(EPSILON) - await at(-EPSILON);
    const want = rise / (2 * EPSILON);
    assert(
      Math.abs(found[i] - want) <= ATOL + RTOL * Math.abs(want),
      `${what} ${i}: ${found[i]}, expected ${want}`,
    );
  }
}

/** Checks ∂(Σ f(x) · w)/∂x, and the derivative of that. */
async function checkGradient(
  f: (x: Tensor) => Tensor,
  shape: Shape,
  values: Values = noise(shape, 3, "f64").data,
): Promise<void> {
  await init({ device: "cpu" });
  const before = memory();
  {
    using _ = scope();
    const value: Scalar = (x) => weigh(f(x), 7);
    const slope: Scalar = (x) => {
      const [g] = gradients(value(x), [x], { createGraph: true });
      return weigh(g, 8);
    };
    const x = variable(values, shape);
    const [first] = gradients(value(x), [x]);
    await compare(value, shape, values, await first.read(), "gradient");
    const bent = slope(x);
    if (bent.requiresGrad) {
      const [second] = gradients(bent, [x]);
      await compare(slope, shape, values, await second.read(), "second");
    }
  }
  assertEquals(memory().tensors, before.tensors);
}

Deno.test("sum and cumsum have the right gradients", async () => {
  await checkGradient((x) => x.sum([0, 2]), [2, 3, 2]);
  await checkGradient((x) => x.sum(1, { keepDims: true }).square(), [2, 3]);
  await checkGradient((x) => x.cumsum(1).square(), [2, 4]);
  const reversed = { axis: 0, reverse: true };
  await checkGradient((x) => apply(cumsum, [x], reversed)[0].square(), [3, 2]);
});

Deno.test("prod has the right gradients with no, one, two and three zeros in a row", async () => {
  const rows = [1, 2, -3, 4, 1, 0, -3, 4, 0, 2, 0, 4, 0, 0, 0, 4];
  await checkGradient((x) => x.prod(1), [4, 4], rows);
  await checkGradient((x) => x.prod([0, 1]), [2, 2], [1, 0, 3, 2]);
});

Deno.test("max and min have the right gradients away from ties", async () => {
  await checkGradient((x) => x.max(1).square(), [2, 5]);
  await checkGradient((x) => x.min([0, 2], { keepDims: true }), [2, 3, 2]);
});

Deno.test("equal extremes share the gradient evenly", async () => {
  await init({ device: "cpu" });
  using _ = scope();
  const x = variable([2, 5, 5, 5, 1, 2], [2, 3]);
  const gradient = tensor([6, 3], { dtype: "f64" });
  const [found] = gradients(x.max(1), [x], { gradient });
  assertEquals(await found.array(), [[0, 3, 3], [3, 0, 0]]);
  const [least] = gradients(x.min(), [x]);
  assertEquals(await least.array(), [[0, 0, 0], [0, 1, 0]]);
});

Deno.test("sort and topk have the right gradients", async () => {
  await checkGradient((x) => x.sort().values.square(), [2, 4]);
  await checkGradient(
    (x) => x.sort({ descending: true }).values.square(),
    [5],
  );
  await checkGradient((x) => x.topk(2).values.square(), [2, 4]);
});

Deno.test("softmax and log-softmax have the right gradients along any axis", async () => {
  for (const axis of [0, 1]) {
    await checkGradient((x) => x.softmax(axis), [3, 4]);
    await checkGradient((x) => x.logSoftmax(axis), [3, 4]);
    // Squared, the gradient of their output depends on x as well.
    await checkGradient((x) => x.softmax(axis).square(), [3, 4]);
    await checkGradient((x) => x.logSoftmax(axis).square(), [3, 4]);
  }
});

Deno.test("softmax and log-softmax have the right third derivatives", async () => {
  const slopeOf = (f: (x: Tensor) => Tensor) => (x: Tensor) => {
    const [g] = gradients(weigh(f(x), 5), [x], { createGraph: true });
    return g;
  };
  await checkGradient(slopeOf((x) => x.softmax(1).square()), [2, 3]);
  await checkGradient(slopeOf((x) => x.logSoftmax(1).square()), [2, 3]);
});
