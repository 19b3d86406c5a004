/** Products whose sums are cut into pieces, over two batch axes that don't merge. */
import { assertEquals } from "@std/assert";
import { matmul } from "../../wgsl/matmul/matmul.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { checkOp, noise, PORTABLE_LIMITS } from "../support/plan.ts";

Deno.test("pieces of a sum are added up in every batch where the operands repeat along one of two batch axes", async () => {
  const limits = { maxLoopTrips: 100 };
  const a = noise([3, 2, 4, 700], 1);
  for (const shape of [[2, 700, 6], [3, 1, 700, 6]]) {
    const inputs = [a, noise(shape, 2)];
    const given = { inputs, attrs: {}, limits, length: 700 };
    const ran = await checkOp(matmul, given);
    const views = inputs.map(contiguousView);
    const request = {
      inputs: views,
      outputs: matmul.infer(views, {}).map(contiguousView),
      attrs: {},
      limits: { ...PORTABLE_LIMITS, ...limits },
    };
    const last = matmul.variants.filter(({ name }) => ran.includes(name))
      .map(({ plan }) => plan(request).launches.at(-1)?.kernel.label);
    assertEquals(last.includes("wgsl/matmul/sum_pieces.wgsl"), true);
  }
});
