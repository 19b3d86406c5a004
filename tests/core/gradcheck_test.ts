import { assertMatch, assertRejects } from "@std/assert";
import type { Tensor } from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { copy } from "../../wgsl/move/copy.ts";
import type { Gradient, Op } from "../../wgsl/op.ts";
import { onDevice } from "../support/devices.ts";
import { gradcheck, gradgradcheck, sampleOf } from "../support/gradcheck.ts";

/** A copy with another rule for its gradient. */
function copyWith(
  rule: Gradient<{ dtype: "f64" }>["rule"],
): (x: Tensor) => Tensor {
  const op: Op<{ dtype: "f64" }> = {
    ...copy,
    gradient: { saves: { inputs: [0] }, rule },
  };
  return (x) => apply(op, [x], { dtype: "f64" })[0];
}

onDevice(
  "cpu",
  "gradcheck refuses a derivative that is a thousandth off",
  async () => {
    const f = copyWith(({ grads: [dy] }) => [dy && dy.mul(1.00102)]);
    const error = await assertRejects(() =>
      gradcheck(f, [sampleOf([2], 1, 3)])
    );
    assertMatch(
      error.message,
      /^Expected ∂output 0\[0\] \/ ∂input 0\[0\] to be (1\.0{4,}\d*|0\.9{4,}\d*) by differences but backward gives 1\.00102$/,
    );
  },
);

onDevice("cpu", "gradcheck refuses a derivative that is missing", async () => {
  const f = copyWith(() => [null]);
  await assertRejects(() => gradcheck(f, [sampleOf([1], 1)]));
});

onDevice(
  "cpu",
  "gradcheck refuses a derivative that belongs to another element",
  async () => {
    const f = copyWith((
      { grads: [dy] },
    ) => [dy && dy.reshape([2, 2]).transpose().reshape([4])]);
    await assertRejects(() => gradcheck(f, [sampleOf([4], 1, 2, 3, 4)]));
  },
);

onDevice(
  "cpu",
  "gradgradcheck refuses a derivative of the derivative that is lost on the way",
  async () => {
    // Its rule takes x for a constant.
    const square: Op<Record<string, never>> = {
      name: "square",
      infer: ([x]) => [x],
      variants: [],
      reference: ([x], [y]) => x.data.forEach((v, i) => y.data[i] = v * v),
      gradient: {
        saves: { inputs: [0] },
        rule: (
          { grads: [dy], inputs: [x] },
        ) => [dy && dy.mul(x.detach().mul(2))],
      },
    };
    const g = (x: Tensor) => apply(square, [x], {})[0];
    await gradcheck(g, [sampleOf([2], 1, 2)]);
    await assertRejects(() => gradgradcheck(g, [sampleOf([2], 1, 2)]));
  },
);
