import { assertEquals } from "@std/assert";
import { arithmeticPeak, copyRate } from "../../wgsl/limits/limits.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { checkOp, noise, PORTABLE_LIMITS } from "../support/plan.ts";

Deno.test("the arithmetic kernel computes its chains, and counts two operations a multiply-add", async () => {
  const attrs = { elements: 128, trips: 5 };
  await checkOp(arithmeticPeak, { inputs: [], attrs, length: 20 });
  const [y] = arithmeticPeak.infer([], attrs).map(contiguousView);
  const { launches: [{ flops }] } = arithmeticPeak.variants[0].plan({
    inputs: [],
    outputs: [y],
    attrs,
    limits: PORTABLE_LIMITS,
  });
  assertEquals(flops, 2 * 16 * 4 * 5 * 128);
});

Deno.test("the copy kernel copies, by floats and by vectors", async () => {
  await checkOp(copyRate, { inputs: [noise([2 ** 18])], attrs: {} });
});
