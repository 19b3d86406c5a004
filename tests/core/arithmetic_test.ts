import { assertEquals } from "@std/assert";
import {
  DTypeError,
  ones,
  ShapeError,
  Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { BINARY_OPS, UNARY_OPS } from "../../wgsl/pointwise/mod.ts";
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

/** A method of tensors by name. */
function method(name: string): (this: Tensor, ...args: unknown[]) => Tensor {
  return Reflect.get(Tensor.prototype, name);
}

/** Ops that are functions with options, in nn, and no methods. */
const FUNCTIONS = ["elu", "gelu", "leakyRelu", "selu"];

onBothDevices(
  "each method of one operand runs the op of its name",
  async () => {
    const x = tensor([-1.5, -0.3, 0.2, 0.9, 2]);
    for (const [name, op] of Object.entries(UNARY_OPS)) {
      if (FUNCTIONS.includes(name)) continue;
      const want = apply(op, [x], op.defaults)[0];
      assertEquals(await method(name).call(x).read(), await want.read(), name);
    }
  },
);

onBothDevices(
  "each method of two operands runs the op of its name, with a tensor or a number",
  async () => {
    const x = tensor([-1.5, -0.3, 0.2, 0.9, 2]);
    const y = tensor([2, 0.5, -1, 3, 2]);
    for (const [name, op] of Object.entries(BINARY_OPS)) {
      const logical = name.startsWith("logical");
      const [a, b] = logical ? [x.gt(0), y.gt(0)] : [x, y];
      const want = apply(op, [a, b], {})[0];
      const got = method(name).call(a, b);
      assertEquals([got.dtype, await got.read()], [
        want.dtype,
        await want.read(),
      ], name);
      if (logical) continue;
      const wantNumber = apply(op, [x], { scalar: 0.75 })[0];
      assertEquals(
        await method(name).call(x, 0.75).read(),
        await wantNumber.read(),
        name,
      );
    }
  },
);

onBothDevices("operands broadcast on both sides", async () => {
  const column = tensor([[1], [2]]);
  const row = tensor([10, 20, 30]);
  assertEquals(await column.add(row).array(), [[11, 21, 31], [12, 22, 32]]);
  assertEquals(await row.sub(column).array(), [[9, 19, 29], [8, 18, 28]]);
  assertEquals(await tensor(2).mul(row).array(), [20, 40, 60]);
  assertEquals(ones([2, 1, 3]).add(ones([4, 1])).shape, [2, 4, 3]);
  assertEquals(ones([0, 3]).add(row).shape, [0, 3]);
});

onBothDevices(
  "shapes that don't broadcast are named with the sizes that differ",
  () => {
    const error = assertFails(
      () => zeros([2, 3]).add(zeros([2])),
      ShapeError,
      "Cannot add [2, 3] and [2]: sizes 3 and 2 of axis -1 differ and neither is 1",
    );
    assertEquals(error.shapes, [[2, 3], [2]]);
    assertFails(
      () => zeros([4, 1, 2]).mul(zeros([3, 2, 2])),
      ShapeError,
      "Cannot mul [4, 1, 2] and [3, 2, 2]: sizes 4 and 3 of axis -3 differ and neither is 1",
    );
  },
);

onBothDevices("dtypes meet as in PyTorch", () => {
  const of = (dtype: "f32" | "f16" | "i32" | "bool") => ones([1], { dtype });
  assertEquals(of("i32").add(of("i32")).dtype, "i32");
  assertEquals(of("i32").add(of("f32")).dtype, "f32");
  assertEquals(of("i32").add(of("f16")).dtype, "f16");
  assertEquals(of("bool").add(of("i32")).dtype, "i32");
  assertEquals(of("i32").div(of("i32")).dtype, "f32");
  assertEquals(of("i32").add(1).dtype, "i32");
  assertEquals(of("i32").add(1.5).dtype, "f32");
  assertEquals(of("f16").mul(1.5).dtype, "f16");
  assertEquals(of("i32").lt(2).dtype, "bool");
  assertEquals(of("i32").exp().dtype, "f32");
  assertFails(
    () => of("bool").sub(of("bool")),
    DTypeError,
    'Cannot sub bool values: convert them first, for instance with to("i32")',
  );
});

onBothDevices("numbers that text can't tell apart compute apart", async () => {
  const x = tensor([1]);
  for (const n of [NaN, Infinity, -Infinity, 0, -0]) {
    assertEquals(await x.mul(n).array(), [n]);
  }
});

onBothDevices("matmul multiplies matrices, vectors and batches", async () => {
  const a = tensor([[1, 2], [3, 4]]);
  const v = tensor([1, 10]);
  assertEquals(await a.matmul(a).array(), [[7, 10], [15, 22]]);
  assertEquals(await a.matmul(v).array(), [21, 43]);
  assertEquals(await v.matmul(a).array(), [31, 42]);
  assertEquals(await v.matmul(v).array(), 101);
  assertEquals(await a.transpose().matmul(a).array(), [[10, 14], [14, 20]]);
  assertEquals(
    await a.expand([3, 2, 2]).matmul(v).array(),
    [[21, 43], [21, 43], [21, 43]],
  );
  assertEquals(ones([5, 1, 2, 3]).matmul(ones([4, 3, 6])).shape, [5, 4, 2, 6]);
  assertEquals(await ones([2, 0]).matmul(ones([0, 1])).array(), [[0], [0]]);
});

onBothDevices("matmul names the inner sizes that differ", () => {
  assertFails(
    () => zeros([2, 3]).matmul(zeros([2, 3])),
    ShapeError,
    "Cannot multiply [2, 3] by [2, 3]: inner sizes 3 and 2 differ, expected [..., m, k] by [..., k, n]",
  );
  assertFails(
    () => zeros([2, 3]).matmul(tensor(1)),
    ShapeError,
    "Cannot multiply [2, 3] by [] as matrices: a scalar is not a matrix, use mul()",
  );
});

onBothDevices(
  "to converts as PyTorch does, and is free where nothing changes",
  async () => {
    const x = tensor([-1.7, 0, 2.5]);
    assertEquals(await x.to("i32").array(), [-1, 0, 2]);
    assertEquals(await x.to("bool").array(), [true, false, true]);
    assertEquals(await x.gt(0).to("f32").array(), [0, 0, 1]);
    assertEquals(await x.to("f16").array(), [-1.7, 0, 2.5].map(Math.f16round));
    assertEquals(await tensor([-1], { dtype: "i32" }).to("u32").array(), [
      4294967295,
    ]);
    assertEquals(x.to("f32").storage, x.storage);
  },
);

onBothDevices(
  "assign takes over values in place and converts them",
  async () => {
    const x = tensor([1, 2]);
    const view = x.reshape([2, 1]);
    x.assign(tensor([3, 4], { dtype: "i32" }));
    assertEquals(await x.array(), [3, 4]);
    assertEquals(await view.array(), [[3], [4]]);
    assertFails(
      () => x.assign(zeros([3])),
      ShapeError,
      "Cannot assign a tensor of shape [3] to one of [2]: expected the same shape",
    );
    assertFails(
      () => x.slice(0, 1).assign(zeros([1])),
      ShapeError,
      "Cannot assign to a view of shape [1]: only to a tensor that covers its memory",
    );
  },
);
