/** Compiled functions: what they refuse, and what happens when something fails. */
import { assert, assertEquals } from "@std/assert";
import {
  compile,
  init,
  memory,
  nn,
  noGrad,
  ones,
  randn,
  randomState,
  ShapeError,
  synchronize,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import {
  CompileError,
  DeviceLostError,
  InterruptedError,
  LaunchError,
} from "../../core/errors.ts";
import { currentBackend, onInterrupt } from "../../core/runtime.ts";
import { apply } from "../../core/tensor.ts";
import { assertNear, messageOf, smallNet } from "../support/compiled.ts";
import { freeing, onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails, assertFailsLater } from "../support/errors.ts";
import { kernelOp } from "../support/kernel_op.ts";

onBothDevices("what can't be compiled is refused with the reason", async () => {
  const net = smallNet();
  using _net = freeing(net);
  const { bytes, tensors } = memory();
  await assertFailsLater(
    compile(net, [1, 2, 4, 4]),
    CompileError,
    "Cannot compile Sequential: it is in training mode, call eval() first, or use compileStep to train",
  );
  net.eval();
  net.at(1)!.train();
  await assertFailsLater(
    compile(net, [1, 2, 4, 4]),
    CompileError,
    "Cannot compile Sequential: 1 is in training mode, call eval() first, or use compileStep to train",
  );
  const wrapped = (x: Tensor) => net(x);
  await assertFailsLater(
    compile(wrapped, [2, 2, 4, 4]),
    CompileError,
    "Cannot compile wrapped: updateRunning of 1 (BatchNorm2d) would change a tensor at each run, call eval() first, or use compileStep to train",
  );
  const { running_mean } = net.at(1) as nn.BatchNorm2d;
  assertEquals(await running_mean!.array(), [0, 0, 0, 0]);
  net.eval();
  await assertFailsLater(
    compile(net, [1, 2, 4, 4], { shapes: [[1, 3, 4, 4]] }),
    ShapeError,
    await messageOf(() => void net(zeros([1, 3, 4, 4]))),
  );
  await assertFailsLater(
    compile((x, y) => x.add(y), [[1], [1]], { maxBatch: true }),
    CompileError,
    "Cannot compile for several shapes: the function has 2 inputs, expected one",
  );
  await assertFailsLater(
    compile(() => 3 as unknown as Tensor, [1]),
    CompileError,
    "Cannot compile function: it returned no tensor",
  );
  const later = ((x: Tensor) => Promise.resolve(x)) as unknown;
  await assertFailsLater(
    compile(later as (x: Tensor) => Tensor, [1]),
    CompileError,
    "Cannot compile a function that waits: expected its tensors, found a promise",
  );
  const w = ones([1]);
  await assertFailsLater(
    compile((x) => (w.assign(x), x), [1]),
    CompileError,
    "Cannot compile what replaces a tensor's memory: use calls that write in place instead of assign()",
  );
  w.dispose();
  await assertFailsLater(
    compile((x) => x, "shape" as unknown as number[]),
    TypeError,
    'Cannot compile for the string "shape": expected a tensor or a shape such as [1, 3, 224, 224], or a list of them',
  );
  assertEquals([memory().bytes, memory().tensors], [bytes, tensors]);
});

onBothDevices("what a plan can't take is refused with the reason", async () => {
  const double = (x: Tensor) => x.mul(2);
  const run = await compile(double, [2]);
  assertFails(
    () => run(ones([3])),
    CompileError,
    "Cannot run the compiled double on f32[3]: it was compiled for f32[2], compile it for that shape too",
  );
  assertFails(
    () => run(ones([2], { dtype: "i32" })),
    CompileError,
    "Cannot run the compiled double on i32[2]: it was compiled for f32[2], compile it for that shape too",
  );
  assertFails(
    () => run(ones([2]), ones([2])),
    CompileError,
    "Cannot run the compiled double on f32[2], f32[2]: it was compiled for f32[2], compile it for that shape too",
  );
  assertFails(
    () => run([1, 2] as unknown as Tensor),
    TypeError,
    "Cannot run the compiled double: expected input 0 to be a Tensor but found object",
  );
  const leaf = tensor([1, 2], { requiresGrad: true });
  assertFails(
    () => run(leaf),
    CompileError,
    "Cannot run the compiled double: input 0 requires gradients, which a plan doesn't compute, use the network itself or noGrad",
  );
  assertEquals(await noGrad(() => run(leaf)).array(), [2, 4]);
  const gone = ones([2]);
  gone.dispose();
  const message = await messageOf(() => double(gone));
  assertFails(() => run(gone), Error, message.replace("run mul", "run"));
  await assertFailsLater(
    compile((x) => run(x), [2]),
    CompileError,
    "Cannot run what was compiled while something else is compiled: call the network or function itself there",
  );
  run.dispose();
  run.dispose();
  assertEquals(run.bytes, 0);
  assertFails(
    () => run(ones([2])),
    CompileError,
    "Cannot run the compiled double: it was disposed of",
  );
});

onBothDevices(
  "a plan belongs to the device that it was made on",
  async (name) => {
    using run = await compile((x) => x.mul(2), [1]);
    await init({ device: name === "cpu" ? "webgpu" : "cpu", seed: 0 });
    assertFails(
      () => run(ones([1])),
      CompileError,
      "Cannot run what was compiled for another device: compile it anew after init()",
    );
    await init({ device: name, seed: 0 });
    assertEquals(await run(ones([1])).array(), [2]);
  },
);

onBothDevices("indices are checked as they are call by call", async () => {
  const table = randn([5, 2]);
  const f = (i: Tensor) => nn.embedding(i.slice(0, 0, 3), table);
  const whole = (i: Tensor) => nn.embedding(i, table);
  const ints = (values: number[]) => tensor(values, { dtype: "i32" });
  using run = await compile(f, zeros([4], { dtype: "i32" }));
  using runWhole = await compile(whole, zeros([4], { dtype: "i32" }), {
    maxBatch: true,
  });
  for (
    const [one, eager, x] of [
      [run, f, ints([0, 5, 1, 2])],
      [runWhole, whole, ints([0, 1, 2, -1])],
      [runWhole, whole, ints([0, 9])],
      [runWhole, whole, ints([0, 0, 1, 7, 1, 1]).slice(0, 2, 6)],
    ] as const
  ) {
    const message = await messageOf(() => eager(x));
    assert(message.startsWith("Cannot look rows up: index"), message);
    assertFails(() => one(x), RangeError, message);
  }
  const good = ints([9, 9, 4, 3, 2, 1]).slice(0, 2, 6);
  await assertNear(runWhole(good), whole(good));
  // Only a part of the input is taken for indices.
  const partly = ints([4, 3, 2, 99]);
  await assertNear(run(partly), f(partly));
});

const TOO_MANY = kernelOp(
  "tooMany",
  `// y = x
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() {
  y[0] = x[0];
}`,
  { workgroups: [65536, 1, 1] },
);
const REFUSED =
  "Cannot run tooMany: In a dispatch command, indirect:false: Each current dispatch group size dimension ([65536, 1, 1]) must be less or equal to 65535";

onDevice(
  "webgpu",
  "an input that failed fails the run that it is given to, and no other",
  async () => {
    using run = await compile((x) => x.exp().matmul(x).exp().relu(), [1, 1]);
    const good = ones([1, 1]);
    const want = await run(good).array();
    const [bad] = apply(TOO_MANY, [good], {});
    const [before, failed, after] = [run(good), run(bad), run(good)];
    await assertFailsLater(failed.read(), LaunchError, REFUSED);
    await assertFailsLater(failed.add(1).read(), LaunchError, REFUSED);
    assertEquals(await before.array(), want);
    assertEquals(await after.array(), want);
    assertEquals(await run(good).array(), want);
    await synchronize().catch(() => {});
  },
);

onDevice(
  "webgpu",
  "a function whose launches fail isn't compiled, and leaves nothing behind",
  async () => {
    const before = [memory().bytes, memory().tensors];
    await assertFailsLater(
      compile((x) => apply(TOO_MANY, [x], {})[0], [1]),
      LaunchError,
      REFUSED,
    );
    assertEquals([memory().bytes, memory().tensors], before);
    await synchronize();
  },
);

onDevice("webgpu", "a plan is lost with its device", async () => {
  const run = await compile((x) => x.mul(2), [1]);
  const x = ones([1]);
  currentBackend().destroy();
  assertFails(
    () => run(x),
    DeviceLostError,
    "Cannot use the GPU device: it was lost (destroyed), await init() gives a new one",
  );
  await init({ seed: 0 });
  assertFails(
    () => run(ones([1])),
    CompileError,
    "Cannot run what was compiled for another device: compile it anew after init()",
  );
  run.dispose();
  using again = await compile((x) => x.mul(2), [1]);
  assertEquals(await again(ones([1])).array(), [2]);
});

onBothDevices("an interrupted run throws and changes nothing", async () => {
  using run = await compile((x) => x.add(randn([1])), [1]);
  const x = ones([1]);
  const before = [memory().tensors, randomState()];
  onInterrupt(() => true);
  try {
    assertFails(() => run(x), InterruptedError, "Interrupted");
  } finally {
    onInterrupt(undefined);
  }
  assertEquals([memory().tensors, randomState()], before);
  assertEquals(run(x).shape, [1]);
});
