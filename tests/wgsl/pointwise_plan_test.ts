/** Launch plans of elementwise ops under tight limits: small bindings, few workgroups, many axes. */
import { assert, assertEquals } from "@std/assert";
import type { Shape, View } from "../../wgsl/op.ts";
import {
  add,
  exp,
  floorDivide,
  pow,
  relu,
  where,
} from "../../wgsl/pointwise/mod.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { checkOp, host, noise, PORTABLE_LIMITS } from "../support/plan.ts";

const MIB = 1024 * 1024;
/** Sides of a square of floats that takes 1.5 MiB. */
const SIDE = 627;
const oneMib = { maxStorageBufferBindingSize: MIB };

const turned: View = {
  shape: [SIDE, SIDE],
  strides: [1, SIDE],
  offset: 0,
  dtype: "f32",
};

Deno.test("operands larger than a binding are taken window by window", async () => {
  const x = noise([SIDE, SIDE], 1);
  const limits = oneMib;
  await checkOp(relu, { inputs: [x], attrs: {}, limits });
  await checkOp(relu, { inputs: [noise([3 * 2 ** 17])], attrs: {}, limits });
  await checkOp(relu, { inputs: [x], attrs: {}, limits, views: [turned] });
  const halves = noise([3 * 2 ** 18 + 6], 1, "f16");
  await checkOp(relu, { inputs: [halves], attrs: {}, limits });
});

Deno.test("windows of broadcast and transposed operands fit together", async () => {
  const x = noise([SIDE, SIDE], 1);
  const z = noise([SIDE, SIDE], 2);
  const limits = oneMib;
  const attrs = {};
  await checkOp(add, { inputs: [x, z], attrs, limits });
  await checkOp(add, {
    inputs: [x, z],
    attrs,
    limits,
    views: [undefined, turned],
  });
  await checkOp(add, { inputs: [x, noise([SIDE], 3)], attrs, limits });
  await checkOp(add, { inputs: [noise([SIDE, 1], 3), x], attrs, limits });
  // The output alone is too large.
  const inputs = [noise([1024], 1), noise([400, 1], 2)];
  await checkOp(add, { inputs, attrs, limits });
  const condition = noise([SIDE, 1], 4, "bool");
  await checkOp(where, {
    inputs: [condition, x, z],
    attrs,
    limits,
    views: [undefined, turned, undefined],
  });
});

Deno.test("more workgroups than one dimension holds are folded into two", async () => {
  const limits = { maxComputeWorkgroupsPerDimension: 7 };
  const shapes: Shape[] = [[7 * 256], [7 * 256 + 1], [40 * 256 + 3], [
    48 * 1024,
  ]];
  for (const shape of shapes) {
    const variants = shape[0] % 4 === 0 ? ["vec4"] : ["naive"];
    await checkOp(exp, { inputs: [noise(shape)], attrs: {}, limits, variants });
  }
  // Tiles are not folded: a grid of 7 by 7 by 7 is what there is.
  const inputs = [noise([7, 60, 50]), noise([60, 1])];
  const ran = await checkOp(add, {
    inputs,
    attrs: {},
    limits,
    variants: ["grid"],
  });
  assertEquals(ran, ["grid"]);
  const large = { shape: [8, 60, 50], dtype: "f32" as const };
  const request = {
    inputs: [
      contiguousView(large),
      contiguousView({ ...large, shape: [60, 1] }),
    ],
    outputs: [contiguousView(large)],
    attrs: {},
    limits: { ...PORTABLE_LIMITS, ...limits },
  };
  const grid = add.variants.find(({ name }) => name === "grid")!;
  assert(!grid.applies!(request));
});

/** Names of the variants that apply, for an op of two operands of f32. */
function variantsFor(a: View, b: View, shape: Shape): string[] {
  const request = {
    inputs: [a, b],
    outputs: [contiguousView({ shape, dtype: "f32" })],
    attrs: {},
    limits: PORTABLE_LIMITS,
  };
  return add.variants.filter(({ applies }) => applies?.(request) ?? true)
    .map(({ name }) => name);
}

Deno.test("contiguous operands go by fours, others by tiles, long thin ones one by one", () => {
  const f32 = (...shape: number[]) => contiguousView({ shape, dtype: "f32" });
  const all = ["vec4", "grid", "naive"];
  assertEquals(variantsFor(f32(6, 8), f32(6, 8), [6, 8]), all);
  assertEquals(variantsFor(f32(5, 5), f32(5, 5), [5, 5]), all.slice(1));
  assertEquals(variantsFor(f32(6, 8), f32(8), [6, 8]), all.slice(1));
  assertEquals(variantsFor(f32(8), f32(), [8]), all.slice(1));
  const late = { ...f32(8), offset: 4 };
  assertEquals(variantsFor(f32(8), late, [8]), all);
  assertEquals(variantsFor(f32(8), { ...late, offset: 2 }, [8]), all.slice(1));
  const thin = { ...f32(1000, 2, 3), strides: [6, 1, 2] };
  assertEquals(variantsFor(f32(1000, 2, 3), thin, [1000, 2, 3]), ["naive"]);
});

Deno.test("a plan tells what it costs", () => {
  const a = contiguousView({ shape: [64, 100], dtype: "f32" });
  const b = contiguousView({ shape: [100], dtype: "f32" });
  const request = {
    inputs: [a, b],
    outputs: [a],
    attrs: {},
    limits: PORTABLE_LIMITS,
  };
  const [launch] = add.variants[1].plan(request).launches;
  assertEquals(launch.flops, 6400);
  assertEquals(launch.bytes, 4 * (6400 + 100 + 6400));
  const [powers] = pow.variants[1].plan(request).launches;
  assert(powers.trips >= 4 * 32 && powers.trips < 200);
  // The exact remainder takes up to 32 trips, here for four elements a row, after the walk of three axes.
  const [quotients] = floorDivide.variants[1].plan(request).launches;
  assertEquals(quotients.trips, 3 + 4 * (1 + 32));
});

Deno.test("plans of equal ops share their text, so that pipelines are found again", () => {
  const view = contiguousView({ shape: [64], dtype: "f32" });
  const plan = (scalar: number) =>
    add.variants[0].plan({
      inputs: [view],
      outputs: [view],
      attrs: { scalar },
      limits: PORTABLE_LIMITS,
    }).launches[0];
  assert(plan(1).declarations === plan(2).declarations);
  assertEquals(plan(1).constants, plan(2).constants);
});

Deno.test("empty outputs launch nothing, at any rank", () => {
  const shape = [2, 1, 2, 1, 2, 0, 2, 1, 2, 3, 2];
  const view = contiguousView({ shape, dtype: "f32" });
  for (const { applies, plan } of exp.variants) {
    const request = {
      inputs: [{ ...view, strides: view.strides.toReversed() }],
      outputs: [view],
      attrs: {},
      limits: PORTABLE_LIMITS,
    };
    applies?.(request);
    assertEquals(plan(request).launches, []);
  }
});

Deno.test("a window may begin in the middle of a tensor", async () => {
  const x = host(Array.from({ length: 600 }, (_, i) => i), [600]);
  const view: View = { shape: [260], strides: [1], offset: 70, dtype: "f32" };
  await checkOp(add, {
    inputs: [x, x],
    attrs: {},
    views: [view, { ...view, offset: 131 }],
  });
});
