import { assertEquals } from "@std/assert";
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
} from "../../wgsl/pointwise/loss.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";

/** Values between 0 and 1, the first of them 0, the second 1. */
function chances(shape: readonly number[], seed: number) {
  const { data } = noise(shape, seed);
  data.forEach((v, i) => data[i] = i < 2 ? i : 1 / (1 + Math.exp(-v)));
  return host(data, shape);
}

Deno.test("binary cross-entropy in every variant is its reference's, broadcast too", async () => {
  for (const shape of [[1], [7, 3], [257], [0, 2]]) {
    const target = chances(shape, 2);
    const last = chances(shape.slice(-1), 3);
    for (const t of [target, last]) {
      await checkOp(binaryCrossEntropy, {
        inputs: [chances(shape, 1), t],
        attrs: {},
      });
      await checkOp(binaryCrossEntropyWithLogits, {
        inputs: [noise(shape, 1), t],
        attrs: {},
      });
    }
  }
});

Deno.test("binary cross-entropy of certain and of impossible answers, and of NaN, is right", async () => {
  const attrs = {};
  const p = host([0, 0, 1, 1, NaN, -1, 2], [7]);
  const t = host([0, 1, 0, 1, 1, 1, 0], [7]);
  const [losses] = runReference(binaryCrossEntropy, { inputs: [p, t], attrs });
  assertEquals([...losses.data], [0, 100, 100, 0, NaN, NaN, NaN]);
  await checkOp(binaryCrossEntropy, { inputs: [p, t], attrs });
  const x = host([-200, 200, -200, 200, NaN, 0, -20], [7]);
  const y = host([0, 1, 1, 0, 1, 0.5, 0], [7]);
  const [scores] = runReference(binaryCrossEntropyWithLogits, {
    inputs: [x, y],
    attrs,
  });
  assertEquals(
    [...scores.data],
    [0, 0, 200, 200, NaN, Math.LN2, Math.log1p(Math.exp(-20))].map(Math.fround),
  );
  await checkOp(binaryCrossEntropyWithLogits, { inputs: [x, y], attrs });
});
