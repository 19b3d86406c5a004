import { assertEquals } from "@std/assert";
import {
  device,
  LaunchError,
  memory,
  ones,
  synchronize,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { onDevice } from "../support/devices.ts";
import { assertFails, assertFailsLater } from "../support/errors.ts";
import { type KernelOp, kernelOp } from "../support/kernel_op.ts";

const COPY = `// y = x
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() {
  y[0] = x[0];
}`;

/** Ops that the GPU refuses: each for its own reason. */
const TOO_MANY = kernelOp("tooMany", COPY, { workgroups: [65536, 1, 1] });
const TOO_LARGE = kernelOp("tooLarge", COPY, {
  bindings: [
    { slot: "input", index: 0, access: "read", offset: 0, size: 2 ** 20 },
    { slot: "output", index: 0, access: "write", offset: 0, size: 4 },
  ],
});
const BOTH_WAYS = kernelOp("bothWays", COPY, {
  bindings: [
    { slot: "output", index: 0, access: "read", offset: 0, size: 4 },
    { slot: "output", index: 0, access: "write", offset: 0, size: 4 },
  ],
});
const FINE = kernelOp("fine", COPY);

function run(op: KernelOp, x: Tensor): Tensor {
  return apply(op, [x], {})[0];
}

const CASES: readonly (readonly [string, KernelOp, string])[] = [
  [
    "too many workgroups",
    TOO_MANY,
    "Cannot run tooMany: In a dispatch command, indirect:false: Each current dispatch group size dimension ([65536, 1, 1]) must be less or equal to 65535",
  ],
  [
    "a binding beyond its buffer",
    TOO_LARGE,
    "Cannot run tooLarge: Buffer Buffer with '' label: Binding with size 1048576 at offset 0 would overflow buffer size of 256",
  ],
  [
    "a buffer that is read and written at once",
    BOTH_WAYS,
    "Cannot run bothWays: In a dispatch command, indirect:false: Attempted to use Buffer with '' label with conflicting usages. Current usage BufferUses(STORAGE_READ_ONLY) and new usage BufferUses(STORAGE_READ_WRITE). BufferUses(STORAGE_READ_WRITE) is an exclusive usage and cannot be used with any other usages within the usage scope (renderpass or compute dispatch).",
  ],
];

for (const [title, op, message] of CASES) {
  onDevice(
    "webgpu",
    `a launch with ${title} fails the reads that depend on it, and no others`,
    async () => {
      const x = tensor([1]);
      // A kernel's first launch is on its own: the second shares a batch.
      await assertFailsLater(run(op, x).read(), LaunchError, message);
      const before = x.mul(2);
      const read = before.read();
      const bad = run(op, x);
      const after = tensor([3]);
      const [direct, indirect, both] = [
        bad.read(),
        bad.add(1).read(),
        bad.add(after).read(),
      ];
      for (const promise of [direct, indirect, both]) {
        await assertFailsLater(promise, LaunchError, message);
      }
      assertEquals(await read, Float32Array.of(2));
      assertEquals(await after.read(), Float32Array.of(3));
      assertEquals(await before.read(), Float32Array.of(2));
      // Long after, in batches of their own.
      await assertFailsLater(bad.mul(2).mul(2).read(), LaunchError, message);
      assertEquals(await x.mul(2).array(), [2]);
    },
  );
}

onDevice(
  "webgpu",
  "the error holds the names of all ops of the batch that failed",
  async () => {
    const x = ones([1]);
    await x.mul(2).add(1).read();
    const error = await assertFailsLater(
      run(TOO_MANY, x.mul(2).add(1)).read(),
      LaunchError,
      "Cannot run mul, add, tooMany: In a dispatch command, indirect:false: Each current dispatch group size dimension ([65536, 1, 1]) must be less or equal to 65535",
    );
    assertEquals(error.ops, ["mul", "add", "tooMany"]);
  },
);

onDevice(
  "webgpu",
  "memory that a failed launch wrote is good again once something else has written it",
  async () => {
    const x = tensor([1]);
    run(TOO_MANY, x).dispose();
    for (let i = 0; i < 4; i++) {
      using y = run(FINE, x);
      assertEquals(await y.array(), [1]);
    }
  },
);

onDevice(
  "webgpu",
  "synchronize rejects if anything failed since the last time, and then is over it",
  async () => {
    const x = tensor([1]);
    await synchronize().catch(() => {});
    run(TOO_MANY, x);
    for (let i = 0; i < 100; i++) x.add(i);
    await assertFailsLater(
      synchronize(),
      LaunchError,
      "Cannot run tooMany, add: In a dispatch command, indirect:false: Each current dispatch group size dimension ([65536, 1, 1]) must be less or equal to 65535",
    );
    await synchronize();
  },
);

onDevice(
  "webgpu",
  "a plan over the loop limit is refused at the call, and leaves nothing behind",
  () => {
    const { maxLoopTrips } = device().limits;
    const op = kernelOp("endless", COPY, { trips: maxLoopTrips + 1 });
    const x = ones([1]);
    const before = memory();
    const error = assertFails(
      () => run(op, x),
      LaunchError,
      `Cannot run endless: wgsl/test/endless.wgsl would loop ${
        maxLoopTrips + 1
      } times and this device ends loops after ${maxLoopTrips}`,
    );
    assertEquals(error.ops, ["endless"]);
    assertEquals({ ...memory(), pooledBytes: 0 }, {
      ...before,
      pooledBytes: 0,
      peakBytes: memory().peakBytes,
    });
  },
);

onDevice("webgpu", "an op without a kernel for its input says so", () => {
  const op: KernelOp = {
    ...FINE,
    variants: [{ ...FINE.variants[0], applies: () => false }],
  };
  assertFails(
    () => run(op, ones([1])),
    LaunchError,
    "Cannot run fine: none of its kernels takes this input",
  );
});
