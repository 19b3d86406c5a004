import { assertEquals, assertThrows } from "@std/assert";
import { ShapeError } from "../../wgsl/errors.ts";
import type { HostArray } from "../../wgsl/op.ts";
import {
  canChain,
  chain,
  type ChainAttrs,
} from "../../wgsl/pointwise/chain.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";

/** relu(a + b)·2, and where it is above c, c. */
const STEPS: ChainAttrs = {
  steps: [
    { op: "add", attrs: {}, operands: [0, 1] },
    { op: "relu", attrs: {}, operands: [-1] },
    { op: "mul", attrs: { scalar: 2 }, operands: [-2] },
    { op: "gt", attrs: {}, operands: [-3, 2] },
    { op: "where", attrs: {}, operands: [-4, 2, -3] },
  ],
};

Deno.test("a chain of elementwise ops is its reference's, at sizes about a vector and a workgroup", async () => {
  for (const n of [1, 3, 4, 5, 255, 256, 1020, 1024, 1031]) {
    const inputs = [noise([n], 1), noise([n], 2), noise([n], 3)];
    const ran = await checkOp(chain, { inputs, attrs: STEPS, length: 4 });
    assertEquals(ran, n % 4 === 0 ? ["vec4", "naive"] : ["naive"]);
  }
});

Deno.test("operands of one element stand for all, and booleans come and go", async () => {
  const condition: HostArray = {
    shape: [2, 6],
    dtype: "bool",
    data: Uint8Array.from({ length: 12 }, (_, i) => i % 3 === 0 ? 1 : 0),
  };
  const inputs = [condition, noise([2, 6], 1), noise([], 2)];
  await checkOp(chain, {
    inputs,
    attrs: {
      steps: [
        { op: "where", attrs: {}, operands: [0, 1, 2] },
        { op: "lt", attrs: { scalar: 0.25 }, operands: [-1] },
      ],
    },
    length: 2,
  });
});

Deno.test("a chain is cut where a binding or a grid is small", async () => {
  const inputs = [noise([4099], 1), noise([4099], 2), noise([], 3)];
  await checkOp(chain, {
    inputs,
    attrs: STEPS,
    length: 4,
    limits: {
      maxStorageBufferBindingSize: 4096,
      maxComputeWorkgroupsPerDimension: 3,
    },
  });
});

Deno.test("a chain worked by hand", () => {
  const inputs = [
    host([1, -3, 2], [3]),
    host([1, 1, 1], [3]),
    host([5, 5, 5], [3]),
  ];
  const [y] = runReference(chain, { inputs, attrs: STEPS });
  assertEquals([...y.data], [4, 0, 5]);
});

Deno.test("steps are elementwise ops of f32 on operands that lie contiguous, and of numbers that WGSL can write", () => {
  const view = (shape: number[], dtype: "f32" | "i32" | "bool" = "f32") =>
    contiguousView({ shape, dtype });
  const [x, y] = [view([4, 4]), view([4, 4])];
  const turned = { ...x, strides: [1, 4] };
  const one = { ...x, strides: [0, 0] };
  assertEquals(canChain("relu", [x], y, {}), true);
  assertEquals(canChain("add", [x, one], y, {}), true);
  assertEquals(canChain("add", [x, turned], y, {}), false);
  assertEquals(canChain("add", [x, view([4])], y, {}), false);
  assertEquals(canChain("add", [view([4, 4], "i32"), x], y, {}), false);
  assertEquals(canChain("mul", [x], y, { scalar: Infinity }), false);
  assertEquals(canChain("sum", [x], view([]), {}), false);
  assertEquals(
    assertThrows(
      () => chain.infer([x, view([3]), view([4, 4])], STEPS),
      ShapeError,
    ).name,
    "ShapeError",
  );
});
