/** Gradients of elementwise ops where there is no derivative: PyTorch's choices. (Those elsewhere are checked with all gradients, in core/.) */
import { assertEquals } from "@std/assert";
import { gradients, init, scope, type Tensor, tensor } from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import {
  atan2,
  type BinaryOp,
  floorDivide,
  maximum,
  minimum,
  pow,
  remainder,
  UNARY_OPS,
} from "../../wgsl/pointwise/mod.ts";
import {
  reluSlope,
  sigmoidSlope,
  tanhSlope,
} from "../../wgsl/pointwise/slope.ts";
import { checkOp, host, noise, runVariant } from "../support/plan.ts";

/** ∂(Σ f(x))/∂x for each x. */
async function slopes(
  f: (...xs: Tensor[]) => Tensor,
  ...columns: number[][]
): Promise<number[][]> {
  await init({ device: "cpu" });
  using _ = scope();
  const xs = columns.map((values) =>
    tensor(values, { dtype: "f64", requiresGrad: true })
  );
  const found = gradients(f(...xs).sum(), xs);
  return await Promise.all(found.map(async (g) => [...await g.read()]));
}

Deno.test("where there is no derivative, the gradient is PyTorch's", async () => {
  const one = (name: string) => (x: Tensor) =>
    apply(UNARY_OPS[name], [x], UNARY_OPS[name].defaults)[0];
  assertEquals(await slopes(one("relu"), [-1, 0, 1]), [[0, 0, 1]]);
  assertEquals(await slopes(one("abs"), [-1, 0, 1]), [[-1, 0, 1]]);
  assertEquals(await slopes(one("leakyRelu"), [-1, 0, 1]), [[0.01, 0.01, 1]]);
  assertEquals(await slopes(one("elu"), [0, 1]), [[1, 1]]);
  assertEquals(await slopes(one("hardswish"), [-4, 3, 4]), [[0, 1.5, 1]]);
  for (const name of ["sign", "floor", "ceil", "round", "trunc"]) {
    assertEquals(await slopes(one(name), [-0.5, 1, Infinity]), [[0, 0, 0]]);
  }
  const inside = (x: Tensor) => x.clamp({ min: -1, max: 1 });
  assertEquals(await slopes(inside, [-2, -1, 0, 1, 2]), [[0, 1, 1, 1, 0]]);
  const two = (op: BinaryOp) => (x: Tensor, y: Tensor) =>
    apply(op, [x, y], {})[0];
  const left = [1, 2, 3];
  const right = [2, 2, 2];
  assertEquals(await slopes(two(maximum), left, right), [
    [0, 0.5, 1],
    [1, 0.5, 0],
  ]);
  assertEquals(await slopes(two(minimum), left, right), [
    [1, 0.5, 0],
    [0, 0.5, 1],
  ]);
  // 0⁰ and 0² have no slope by the base, 0² none by the exponent.
  assertEquals(await slopes(two(pow), [0, 0, 2], [0, 2, 0]), [
    [0, 0, 0],
    [0, 0, Math.LN2],
  ]);
  assertEquals(await slopes((x) => x.pow(0), [0, 3]), [[0, 0]]);
  assertEquals(await slopes((x) => x.pow(1), [0, 3]), [[1, 1]]);
  const powers = (x: Tensor) =>
    apply(pow, [x], { scalar: 0, side: "left" as const })[0];
  assertEquals(await slopes(powers, [0, 2]), [[0, 0]]);
  assertEquals(await slopes(two(floorDivide), [7], [2]), [[0], [0]]);
  assertEquals(await slopes(two(remainder), [7], [2]), [[1], [-3]]);
  assertEquals(await slopes(two(atan2), [0], [1]), [[1], [-0]]);
});

Deno.test("gradients have the dtype of the operand that they belong to", async () => {
  await init({ device: "cpu" });
  using _ = scope();
  const half = tensor([1, 2], { dtype: "f16", requiresGrad: true });
  const full = tensor([3, 4], { dtype: "f32", requiresGrad: true });
  half.mul(full).sum().backward();
  assertEquals([half.grad?.dtype, full.grad?.dtype], ["f16", "f32"]);
  assertEquals([...await half.grad!.read()], [3, 4]);
});

Deno.test("gradients that have a kernel of their own equal their references", async () => {
  for (const op of [reluSlope, sigmoidSlope, tanhSlope]) {
    const inputs = [noise([40], 1), noise([40], 2)];
    await checkOp(op, { inputs, attrs: {} });
  }
  // NaN lets the gradient through, as in PyTorch, and 0 stops even infinity.
  const dy = host([1, 2, 3, Infinity], [4]);
  const y = host([0, 5, NaN, 0], [4]);
  const given = { inputs: [dy, y], attrs: {} };
  const [{ data }] = await runVariant(reluSlope, "naive", given);
  assertEquals([...data], [0, 2, 3, 0]);
});
