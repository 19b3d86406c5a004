/** The loop trips that convolutions state are no fewer than those that their kernels run, nor many more. */
import { assert } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { Conv2dAttrs, Pair } from "../../wgsl/conv/geometry.ts";
import type { Op } from "../../wgsl/op.ts";
import { applicable, type Case, noise } from "../support/plan.ts";
import { countTrips } from "../support/trips.ts";

async function check<Attrs>(op: Op<Attrs>, given: Case<Attrs>): Promise<void> {
  for (const name of applicable(op, given)) {
    for (
      const { label, stated, counted } of await countTrips(op, name, given)
    ) {
      const what = `${op.name} (${name}) ${label}: ${stated}, ran ${counted}`;
      assert(counted <= stated, what);
      // Kernels with barriers state the loops of known length that read workgroup memory, 17 trips for one of these.
      assert(stated <= 17 * counted + 16, what);
    }
  }
}

async function checkForms(
  x: readonly [number, number, number, number],
  w: readonly [number, number, number, number],
  attrs: Conv2dAttrs,
): Promise<void> {
  const given = [noise(x), noise(w, 2)];
  await check(conv2d, { inputs: given, attrs });
  const [{ shape }] = conv2d.infer(given, attrs);
  const dy = noise(shape, 3);
  const inputSize: Pair = [x[2], x[3]];
  const kernelSize: Pair = [w[2], w[3]];
  await check(conv2dInputGradient, {
    inputs: [dy, given[1]],
    attrs: { ...attrs, inputSize },
  });
  await check(conv2dWeightGradient, {
    inputs: [given[0], dy],
    attrs: { ...attrs, kernelSize },
  });
}

const PLAIN: Conv2dAttrs = {
  stride: [1, 1],
  padding: [1, 1, 1, 1],
  dilation: [1, 1],
  groups: 1,
};

Deno.test("convolutions state the trips that they run", async () => {
  await checkForms([2, 9, 7, 11], [13, 9, 3, 5], {
    ...PLAIN,
    stride: [1, 2],
    dilation: [2, 1],
  });
});

Deno.test("convolutions at stride 1, with rows of many outputs, state the trips that they run", async () => {
  await checkForms([4, 3, 7, 21], [6, 3, 3, 5], PLAIN);
});

Deno.test("depthwise convolutions state the trips that they run", async () => {
  await checkForms([2, 6, 17, 11], [6, 1, 3, 3], { ...PLAIN, groups: 6 });
});
