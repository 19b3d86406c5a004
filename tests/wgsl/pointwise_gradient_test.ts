/** Gradients of elementwise ops: against central differences, and PyTorch's choices where there is no derivative. */
import { assertEquals } from "@std/assert";
import { gradients, init, scope, type Tensor, tensor } from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import {
  acos,
  asin,
  atan2,
  BINARY_OPS,
  type BinaryOp,
  clamp,
  gelu,
  log,
  log10,
  log1p,
  log2,
  maximum,
  minimum,
  pow,
  remainder,
  rsqrt,
  sqrt,
  UNARY_OPS,
  where,
  whereCall,
} from "../../wgsl/pointwise/mod.ts";
import { checkGradients, type Point } from "../support/gradcheck.ts";

const around: Point = {
  shape: [8],
  values: [-3.7, -1.6, -0.6, -0.1, 0.3, 0.8, 1.9, 3.4],
};
const positive: Point = { shape: [4], values: [0.3, 0.9, 1.4, 3.1] };
const unit: Point = { shape: [4], values: [-0.8, -0.3, 0.2, 0.6] };

Deno.test("gradients of all unary ops agree with differences, and so do their own", async () => {
  for (const [name, op] of Object.entries(UNARY_OPS)) {
    if (!op.gradient) continue;
    const point = [log, log2, log10, log1p, sqrt, rsqrt].includes(op)
      ? positive
      : [asin, acos].includes(op)
      ? unit
      : around;
    const f = (x: Tensor) => apply(op, [x], op.defaults)[0];
    await checkGradients(f, [point], name);
  }
  await checkGradients(
    (x) => apply(gelu, [x], { approximate: "tanh" })[0],
    [around],
    "gelu by tanh",
  );
});

Deno.test("gradients of all binary ops agree with differences, broadcast or with a number", async () => {
  const call = (op: BinaryOp, ...inputs: Tensor[]) => apply(op, inputs, {})[0];
  const a: Point = { shape: [2, 3], values: [0.3, 1.7, 2.2, 0.8, 3.3, 1.1] };
  const row: Point = { shape: [3], values: [0.7, 1.3, 0.45] };
  const column: Point = { shape: [2, 1], values: [2.6, 0.55] };
  for (const [name, op] of Object.entries(BINARY_OPS)) {
    if (!op.gradient) continue;
    await checkGradients((x, y) => call(op, x, y), [a, row], name);
    await checkGradients((x, y) => call(op, x, y), [row, column], name);
    for (const side of ["left", "right"] as const) {
      const attrs = { scalar: 1.25, side };
      await checkGradients(
        (x) => apply(op, [x], attrs)[0],
        [a],
        `${name} with a number on the ${side}`,
      );
    }
  }
});

Deno.test("gradients of where and clamp agree with differences", async () => {
  const yes: Point = { shape: [2, 2], values: [1, 2, 3, 4] };
  const no: Point = { shape: [2], values: [5, 6] };
  const choose = (yes: Tensor | number, no: Tensor | number) => {
    const condition = tensor([[1, 0], [0, 1]], { dtype: "bool" });
    const { inputs, attrs } = whereCall<Tensor>(condition, yes, no);
    return apply(where, inputs, attrs)[0].square();
  };
  await checkGradients(choose, [yes, no], "where");
  await checkGradients((x) => choose(x, 0), [yes], "where, else 0");
  await checkGradients((x) => choose(0, x), [no], "where, 0 or else");
  for (const bounds of [{ min: -1 }, { max: 1 }, { min: -1, max: 1 }]) {
    await checkGradients(
      (x) => apply(clamp, [x], bounds)[0].square(),
      [around],
      "clamp",
    );
  }
});

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
