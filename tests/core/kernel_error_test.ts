import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { KernelError, ones, type Tensor, zeros } from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { onDevice } from "../support/devices.ts";
import { type KernelOp, kernelOp } from "../support/kernel_op.ts";
import { assertFails, assertFailsLater } from "../support/errors.ts";

const GOOD = `// y = x
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() {
  y[0] = x[0];
}`;

function run(op: KernelOp, x: Tensor): Tensor {
  return apply(op, [x], {})[0];
}

onDevice(
  "webgpu",
  "a kernel that doesn't compile fails the reads that need it, and later calls at once",
  async () => {
    const op = kernelOp("mistyped", GOOD.replace("x[0];", "x[0] + 1u;"));
    const before = ones([1]).mul(2);
    const bad = run(op, before);
    const after = before.add(1);
    const message =
      "Cannot compile wgsl/test/mistyped.wgsl:5:10 for mistyped: Operation Add can't work with [4] (of type f32) and [5] (of type u32), in `y[0] = x[0] + 1u;`";
    const error = await assertFailsLater(bad.read(), KernelError, message);
    assertEquals(
      [error.file, error.line, error.column, error.op],
      ["wgsl/test/mistyped.wgsl", 5, 10, "mistyped"],
    );
    // What doesn't depend on it is there, computed before or after.
    assertEquals(await before.array(), [2]);
    assertEquals(await after.array(), [3]);
    assertFails(() => run(op, before), KernelError, message);
    assertFails(() => run(op, zeros([2])), KernelError, message);
    // And what depends on it fails, now and later.
    await assertFailsLater(bad.add(1).read(), KernelError, message);
  },
);

onDevice(
  "webgpu",
  "the message gives the compiler's sentence, the place and the line",
  async () => {
    const cases: readonly (readonly [string, string, string])[] = [
      [
        "x[0];",
        "x[0]",
        'Cannot compile wgsl/test/wrong.wgsl:6:1 for wrong: expected `;`, found "}", in `}`',
      ],
      [
        "x[0];",
        "z[0];",
        "Cannot compile wgsl/test/wrong.wgsl:5:10 for wrong: no definition in scope for identifier: `z`, in `y[0] = z[0];`",
      ],
      [
        "y[0] =",
        "let b: i32 =",
        "Cannot compile wgsl/test/wrong.wgsl:5:7 for wrong: the type of `b` is expected to be `i32`, but got `f32`, in `let b: i32 = x[0];`",
      ],
      [
        "fn main",
        "fn other",
        "Cannot compile wgsl/test/wrong.wgsl for wrong: Error matching shader requirements against the pipeline: Unable to find entry point 'main'",
      ],
      [
        "@workgroup_size(1)",
        "@workgroup_size(99999)",
        "Cannot compile wgsl/test/wrong.wgsl for wrong: Workgroup size is out of range",
      ],
      [
        "read_write",
        "read",
        "Cannot compile wgsl/test/wrong.wgsl:5:3 for wrong: The pointer [1] doesn't relate to a valid destination for a store, in `y[0] = x[0];`",
      ],
    ];
    for (const [from, to, message] of cases) {
      const op = kernelOp("wrong", GOOD.replace(from, to));
      await assertFailsLater(run(op, ones([1])).read(), KernelError, message);
    }
  },
);

onDevice(
  "webgpu",
  "a fault in what a plan appends is counted from the end of the file",
  async () => {
    const op = kernelOp("appended", GOOD, {
      declarations: "alias T = f32;\nconst A: T = 1u;",
    });
    await assertFailsLater(
      run(op, ones([1])).read(),
      KernelError,
      "Cannot compile wgsl/test/appended.wgsl (declarations:2:7) for appended: the type of `A` is expected to be `f32`, but got `u32`, in `const A: T = 1u;`",
    );
  },
);

onDevice(
  "webgpu",
  "a kernel whose f16 isn't on its first line keeps its places",
  async () => {
    const op = kernelOp("halves", GOOD.replace("// y = x", "const A: T = B;"), {
      declarations: "alias T = f16;",
    });
    await assertFailsLater(
      run(op, ones([1])).read(),
      KernelError,
      "Cannot compile wgsl/test/halves.wgsl:1:14 for halves: no definition in scope for identifier: `B`, in `const A: T = B;`",
    );
  },
);

onDevice(
  "webgpu",
  "the error's stack shows the call that needed the kernel",
  async () => {
    const op = kernelOp("stacked", GOOD.replace("x[0];", "x;"));
    const error = await assertRejects(
      () => run(op, ones([1])).read(),
      KernelError,
    );
    assertMatch(
      error.stack ?? "",
      /^KernelError: Cannot compile [^]*kernel_error_test\.ts/,
    );
  },
);

onDevice("webgpu", "two ops of one name don't share plans", async () => {
  const one = kernelOp("same", GOOD);
  const two = kernelOp("same", GOOD.replace("x[0];", "x[0] + 1.0;"));
  const x = ones([1]);
  assertEquals(await run(one, x).array(), [1]);
  assertEquals(await run(two, x).array(), [2]);
});
