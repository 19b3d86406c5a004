/** Folds where operands are larger than a binding, reductions longer than the limit of loop trips, and dispatches narrow. */
import { assertEquals } from "@std/assert";
import type { Limits } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { argMax } from "../../wgsl/reduce/arg.ts";
import { max, sum } from "../../wgsl/reduce/reduce.ts";
import { checkOp, host, noise, PORTABLE_LIMITS } from "../support/plan.ts";

const MEBIBYTE = 2 ** 20;
const FEW: Partial<Limits> = {
  maxStorageBufferBindingSize: MEBIBYTE,
  maxLoopTrips: 1000,
  maxComputeWorkgroupsPerDimension: 7,
};

Deno.test("an operand over the binding limit folds in windows, whichever axis is folded", async () => {
  const inputs = [noise([3, 512, 256], 1)];
  for (const axes of [[0], [1], [2], [0, 2], [0, 1, 2]]) {
    await checkOp(sum, {
      inputs,
      attrs: { axes, keepDims: false },
      limits: { maxStorageBufferBindingSize: MEBIBYTE },
      length: 3 * 512 * 256,
    });
  }
  await checkOp(argMax, {
    inputs,
    attrs: { axis: 0, keepDims: false },
    limits: { maxStorageBufferBindingSize: MEBIBYTE },
  });
});

Deno.test("a result over the binding limit is written in windows", async () => {
  const inputs = [noise([1, 393_216], 6)];
  for (const axes of [[0], []]) {
    await checkOp(max, {
      inputs,
      attrs: { axes, keepDims: false },
      limits: { maxStorageBufferBindingSize: MEBIBYTE },
    });
  }
});

Deno.test("few trips, few workgroups and small bindings at once only make more launches", async () => {
  const one = [noise([393_216], 2)];
  const attrs = { axes: [0], keepDims: false };
  const length = 393_216;
  await checkOp(sum, { inputs: one, attrs, limits: FEW, length });
  await checkOp(argMax, {
    inputs: one,
    attrs: { axis: 0, keepDims: true },
    limits: FEW,
  });
  const rows = [noise([4000, 90], 3)];
  for (const axes of [[0], [1]]) {
    const given = { inputs: rows, attrs: { axes, keepDims: false }, length };
    await checkOp(sum, { ...given, limits: FEW });
  }
});

Deno.test("a repeated operand takes no larger windows than its one copy", async () => {
  const x = host([0.5, 0.25], [2]);
  const view = {
    shape: [2, 1500, 1001],
    dtype: "f32" as const,
    strides: [1, 0, 0],
    offset: 0,
  };
  await checkOp(sum, {
    inputs: [x],
    views: [view],
    attrs: { axes: [0, 2], keepDims: false },
    limits: FEW,
    length: 2002,
    variants: ["chunk", "tree"],
  });
});

Deno.test("plans for a hundred million elements keep to the limits", () => {
  const x = contiguousView({ shape: [100_000_000], dtype: "f32" });
  const y = contiguousView({ shape: [], dtype: "f32" });
  for (const limits of [PORTABLE_LIMITS, { ...PORTABLE_LIMITS, ...FEW }]) {
    for (const { name, plan } of sum.variants) {
      if (name === "naive" || name === "rows") continue;
      const { launches } = plan({
        inputs: [x],
        outputs: [y],
        attrs: { axes: [0], keepDims: false },
        limits,
      });
      const over = launches.filter(({ trips, workgroups, bindings }) =>
        trips > limits.maxLoopTrips ||
        workgroups.some((n) => n > limits.maxComputeWorkgroupsPerDimension) ||
        bindings.some(({ size }) => size > limits.maxStorageBufferBindingSize)
      );
      assertEquals(over, [], name);
    }
  }
});
