import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  concat,
  gradients,
  init,
  memory,
  scope,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { gather, indexSelect, scatterAdd } from "../../wgsl/move/gather.ts";
import { pad, type PadAttrs } from "../../wgsl/move/pad.ts";
import type { Shape } from "../../wgsl/op.ts";
import { dropout } from "../../wgsl/random/dropout.ts";
import { noise } from "../support/plan.ts";

/** A float64 tensor of noise that gradients flow to. */
function variable(shape: Shape, seed: number): Tensor {
  const { data } = noise(shape, seed, "f64");
  return tensor(data, { shape, dtype: "f64", requiresGrad: true });
}

async function inner(a: Tensor, b: Tensor): Promise<number> {
  const [x, y] = await Promise.all([a.read(), b.read()]);
  assertEquals(a.shape, b.shape);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/**
 * Checks the gradient of a linear map and the gradient's own, in float64.
 *
 * A linear f has the gradient that is its adjoint: ⟨f(x), g⟩ = Σ ⟨xᵢ, f*(g)ᵢ⟩ for any x and g, to the last digits. The adjoint of the adjoint is f.
 */
async function checkLinear(
  f: (...xs: Tensor[]) => Tensor,
  ...shapes: Shape[]
): Promise<void> {
  await init({ device: "cpu" });
  const before = memory();
  await checkAdjoint(f, shapes);
  assertEquals(memory().tensors, before.tensors);
  assertEquals(memory().bytes, before.bytes);
}

async function checkAdjoint(
  f: (...xs: Tensor[]) => Tensor,
  shapes: readonly Shape[],
): Promise<void> {
  using _ = scope();
  const xs = shapes.map((shape, i) => variable(shape, i + 1));
  const y = f(...xs);
  const gradient = variable(y.shape, 9);
  const found = gradients(y, xs, { gradient, createGraph: true });
  let sum = 0;
  for (let i = 0; i < xs.length; i++) sum += await inner(found[i], xs[i]);
  assertAlmostEquals(sum, await inner(y, gradient), 1e-12);

  // One input after the other: f of it, and of zeros for the others.
  for (let i = 0; i < xs.length; i++) {
    const v = variable(shapes[i], 20 + i);
    const zeros = xs.map((x, j) => j === i ? v : x.zerosLike());
    const [back] = gradients(found[i], [gradient], {
      gradient: v,
      retainGraph: true,
    });
    const [got, want] = await Promise.all([back.read(), f(...zeros).read()]);
    assert(want.find((value) => value !== 0), "nothing to compare");
    want.forEach((value, k) => assertAlmostEquals(got[k], value, 1e-12));
  }
}

/** A fixed index. */
function index(values: number[], shape: Shape): Tensor {
  return tensor(values, { shape, dtype: "i32" });
}

Deno.test("permute, expand, reshape and slice have the right gradients", async () => {
  await checkLinear((x) => x.permute([2, 0, 1]), [2, 3, 4]);
  await checkLinear((x) => x.expand([2, 3, 4]), [3, 1]);
  await checkLinear((x) => x.reshape([-1, 6]), [2, 3, 4]);
  await checkLinear((x) => x.permute([1, 0]).reshape([6]), [2, 3]);
  await checkLinear((x) => x.slice(1, 1, 3), [2, 5, 2]);
  await checkLinear((x) => x.slice(0, 1, 7, 3).slice(1, 0, 4, 2), [8, 5]);
});

Deno.test("copy and concat have the right gradients", async () => {
  await checkLinear((x) => x.permute([1, 0]).clone(), [4, 3]);
  await checkLinear((a, b, c) => concat([a, b, c], 1), [2, 1], [2, 3], [2, 2]);
  await checkLinear((x) => concat([x, x], 0), [3, 2]);
});

Deno.test("copy gives gradients the dtype of its input", async () => {
  await init({ device: "cpu" });
  using _ = scope();
  const x = tensor([1, 2], { dtype: "f32", requiresGrad: true });
  const gradient = tensor([0.1, 0.2], { dtype: "f64" });
  const [found] = gradients(x.to("f64"), [x], { gradient });
  assertEquals(found.dtype, "f32");
  assertEquals(await found.array(), [Math.fround(0.1), Math.fround(0.2)]);
});

Deno.test("gather, indexSelect and scatterAdd have the right gradients", async () => {
  const picks = [2, 0, 1, 1, 2, 2];
  await checkLinear(
    (x) => apply(gather, [x, index(picks, [2, 3])], { axis: 1 })[0],
    [2, 4],
  );
  // The index may be shorter than x on other axes, which then get zeros.
  await checkLinear(
    (x) => apply(gather, [x, index(picks, [3, 2])], { axis: 0 })[0],
    [3, 5],
  );
  for (const axis of [0, 1, -1]) {
    await checkLinear(
      (x) => apply(indexSelect, [x, index(picks, [6])], { axis })[0],
      [3, 4, 5],
    );
  }
  await checkLinear(
    (x) =>
      apply(scatterAdd, [x, index(picks, [3, 2])], { axis: 0, size: 4 })[0],
    [3, 2],
  );
});

Deno.test("pad has the right gradient in every mode", async () => {
  const cases: [Shape, PadAttrs][] = [
    [[3, 4], { before: [1, 0], after: [2, 3], value: 0 }],
    [[3, 4], { before: [1, 0], after: [0, 3], steps: [2, 3] }],
    [[2, 3, 4], { before: [0, 2, 3], after: [0, 1, 2], mode: "reflect" }],
    [[2, 3, 4], { before: [3, 0, 1], after: [1, 2, 0], mode: "replicate" }],
  ];
  for (const [shape, attrs] of cases) {
    await checkLinear((x) => apply(pad, [x], attrs)[0], shape);
  }
});

Deno.test("dropout's gradient drops what it dropped", async () => {
  const attrs = { p: 0.4, key: [3, 4], counter: 7 } as const;
  await checkLinear((x) => apply(dropout, [x], attrs)[0], [5, 7]);
});
