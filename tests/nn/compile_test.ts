/** Compiled functions: what they give, and what they leave behind. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  compile,
  memory,
  nn,
  noGrad,
  ones,
  randn,
  randomState,
  resetPeakMemory,
  scope,
  setRandomState,
  ShapeError,
  synchronize,
  type Tensor,
  tensor,
} from "../../mod.ts";
import { CompileError } from "../../core/errors.ts";
import { assertNear, smallNet } from "../support/compiled.ts";
import { freeing, onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

onBothDevices("a compiled network gives what the network gives", async () => {
  const net = smallNet().eval();
  using _net = freeing(net);
  using run = await compile(net, [2, 2, 4, 4]);
  for (let i = 0; i < 3; i++) {
    const x = randn([2, 2, 4, 4]);
    await assertNear(run(x), noGrad(() => net(x)));
  }
});

onBothDevices("functions have several inputs and nested results", async () => {
  const f = (x: Tensor, y: Tensor) => ({
    sum: x.add(y),
    list: [x.mul(y), { last: y.exp() }],
    map: new Map([["difference", x.sub(y)]]),
    name: "f",
    nothing: null,
  });
  const loose = f as unknown as (...inputs: Tensor[]) => ReturnType<typeof f>;
  using run = await compile(loose, [[2, 3], [3]]);
  const [x, y] = [randn([2, 3]), randn([3])];
  const got = run(x, y);
  const want = f(x, y);
  assertEquals([got.name, got.nothing], ["f", null]);
  await assertNear(got.sum, want.sum);
  await assertNear(got.list[0] as Tensor, want.list[0] as Tensor);
  await assertNear(
    (got.list[1] as { last: Tensor }).last,
    (want.list[1] as { last: Tensor }).last,
  );
  await assertNear(got.map.get("difference")!, want.map.get("difference")!);
});

onBothDevices(
  "results may be an input, a weight, a constant, a view, or given twice, and are the caller's own",
  async () => {
    const w = randn([3]);
    const f = (x: Tensor): Tensor[] => {
      const y = x.relu();
      return [
        x,
        w,
        tensor([1, 2]),
        ones([2]).mul(3),
        x.transpose(0, 1),
        y,
        y,
        y.reshape([-1]).slice(0, 1, 4),
      ];
    };
    using run = await compile(f, [2, 3]);
    for (let k = 0; k < 2; k++) {
      const x = randn([2, 3]);
      const got = run(x);
      for (const [i, y] of f(x).entries()) await assertNear(got[i], y);
      // They aren't the plan's memory: a later run and other owners leave them alone.
      const kept = await Promise.all(got.map((y) => y.array()));
      run(randn([2, 3]));
      x.dispose();
      assertEquals(await Promise.all(got.map((y) => y.array())), kept);
    }
  },
);

onBothDevices(
  "each shape has a plan of its own, and a smaller batch runs as part of a whole one",
  async () => {
    const net = smallNet().eval();
    using _net = freeing(net);
    using run = await compile(net, [2, 2, 4, 4], {
      shapes: [[5, 2, 4, 4]],
      maxBatch: true,
    });
    for (const batch of [2, 5, 1, 3, 4]) {
      const x = randn([batch, 2, 4, 4]);
      await assertNear(run(x), noGrad(() => net(x)));
    }
    assertEquals(run.explain([5, 2, 4, 4]).inputs[0].shape, [5, 2, 4, 4]);
    assertEquals(run.explain().inputs[0].shape, [2, 2, 4, 4]);
    assertFails(
      () => run(randn([6, 2, 4, 4])),
      CompileError,
      "Cannot run the compiled Sequential on f32[6, 2, 4, 4]: it was compiled for f32[2, 2, 4, 4] and f32[5, 2, 4, 4] or a smaller batch, compile it for that shape too",
    );
    assertFails(
      () => run.explain([1, 2, 4, 4]),
      CompileError,
      "Cannot explain the plan for [1, 2, 4, 4]: it was compiled for f32[2, 2, 4, 4] and f32[5, 2, 4, 4]",
    );
    assertEquals(
      Deno.inspect(run),
      "Compiled Sequential for f32[2, 2, 4, 4] and f32[5, 2, 4, 4]",
    );
  },
);

onBothDevices(
  "a smaller batch's result must have the batch in front",
  async () => {
    using run = await compile((x) => x.sum(0), [3, 2], { maxBatch: true });
    assertFails(
      () => run(ones([2, 2])),
      ShapeError,
      "Cannot run a batch of 2 as part of 3: a result of shape [2] doesn't have the batch in front",
    );
  },
);

onBothDevices(
  "a plan sees weights that are changed after it was made",
  async () => {
    const net = smallNet().eval();
    using _net = freeing(net);
    using run = await compile(net, [2, 2, 4, 4]);
    const x = randn([2, 2, 4, 4]);
    const results: unknown[] = [await run(x).array()];
    const assertSeen = async () => {
      await assertNear(run(x), noGrad(() => net(x)));
      const now = await run(x).array();
      assertNotEquals(now, results.at(-1));
      results.push(now);
    };
    const other = smallNet();
    using _other = freeing(other);
    net.loadStateDict(other.stateDict());
    await assertSeen();
    const conv = net.at(0) as nn.Conv2d;
    noGrad(() => conv.weight.assign(conv.weight.mul(2)));
    await assertSeen();
    using optimizer = new nn.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
    nn.crossEntropy(net(x), tensor([0, 1], { dtype: "i32" })).backward();
    optimizer.step();
    optimizer.zeroGrad();
    await assertSeen();
    // Batches in training change the running statistics, which are folded into weights.
    net.train();
    noGrad(() => net(randn([8, 2, 4, 4], { mean: 2 })));
    net.eval();
    await assertSeen();
    const step = nn.compileStep(net.train(), {
      loss: nn.crossEntropy,
      optimizer,
    });
    for (let i = 0; i < 3; i++) step(x, tensor([0, 1], { dtype: "i32" }));
    net.eval();
    await assertSeen();
    step.dispose();
  },
);

onBothDevices(
  "random ops draw new numbers at each run, those that they would draw call by call",
  async () => {
    const f = (x: Tensor): Tensor[] => [
      nn.dropout(x, { p: 0.5 }),
      x.add(randn([40])),
      nn.dropout(x, { p: 0.3 }).mul(2),
    ];
    const start = randomState();
    const waiting = compile(f, [40]);
    const drawn = randn([3]); // while it is compiled
    const after = randomState();
    using run = await waiting;
    assertEquals(randomState(), after);
    setRandomState(start);
    assertEquals(await randn([3]).array(), await drawn.array());
    const x = ones([40]);
    setRandomState(start);
    const want = [f(x), f(x), f(x)].flat();
    const end = randomState();
    setRandomState(start);
    const got = [run(x), run(x), run(x)].flat();
    assertEquals(randomState(), end);
    for (const [i, y] of want.entries()) {
      assertEquals(await got[i].array(), await y.array());
    }
    assertNotEquals(await got[0].array(), await got[3].array());
  },
);

onBothDevices("inputs may be views", async () => {
  const f = (x: Tensor) => x.mul(2).add(1);
  using run = await compile(f, [3, 4]);
  const wide = randn([7, 5, 4]);
  for (
    const x of [
      randn([4, 3]).transpose(0, 1),
      wide.select(1, 2).slice(0, 1, 4),
      randn([6, 4]).slice(0, 3, 6),
      randn([4]).expand([3, 4]),
    ]
  ) {
    assertEquals(x.shape, [3, 4]);
    await assertNear(run(x), f(x));
  }
});

onBothDevices(
  "results belong to the caller's scope, the plan to nobody's",
  async () => {
    const { bytes, tensors } = memory();
    let run: nn.Compiled;
    {
      using _ = scope();
      run = await compile((x) => x.exp().matmul(x), [4, 4]);
      const results = scope();
      const x = ones([4, 4]);
      const before = memory();
      run(x);
      run(x);
      assertEquals(memory().tensors - before.tensors, 2);
      results.dispose();
      assertEquals(memory().bytes, before.bytes - 64);
    }
    assertEquals(memory().tensors, tensors);
    assertEquals(memory().bytes, bytes + run.bytes);
    assertEquals((await run(ones([4, 4])).array() as number[][])[0].length, 4);
    run.dispose();
  },
);

onBothDevices("the peak of a run is what the plan foretells", async () => {
  const net = smallNet().eval();
  using _net = freeing(net);
  const { bytes, tensors } = memory();
  using run = await compile(net, [2, 2, 4, 4]);
  const plan = run.explain();
  assertEquals(memory().tensors, tensors);
  assertEquals(
    memory().bytes - bytes,
    plan.temporaryBytes + plan.constantBytes,
  );
  assertEquals(run.bytes, plan.temporaryBytes + plan.constantBytes);
  const x = randn([2, 2, 4, 4]);
  await synchronize();
  resetPeakMemory();
  run(x).dispose();
  assertEquals(
    memory().peakBytes - bytes - 4 * x.size,
    plan.temporaryBytes + plan.constantBytes + plan.resultBytes,
  );
  assertEquals(plan.resultBytes, 4 * 2 * 3);
});

onBothDevices("runs in flight don't disturb each other", async () => {
  const net = smallNet().eval();
  using _net = freeing(net);
  using run = await compile(net, [1, 2, 4, 4]);
  const inputs = Array.from({ length: 20 }, () => randn([1, 2, 4, 4]));
  const results = inputs.map((x) => run(x));
  const reads = results.map((y) => y.read());
  inputs.forEach((x) => x.dispose());
  for (const [i, read] of reads.entries()) {
    assertEquals(await read, await results[i].read());
  }
  assertNotEquals(await reads[0], await reads[1]);
});

onBothDevices(
  "a compiled function runs with and without recording, and its results need no gradient",
  async () => {
    const net = new nn.Linear(3, 2).eval();
    using _net = freeing(net);
    using run = await compile(net, [1, 3]);
    const x = randn([1, 3]);
    const y = run(x);
    assertEquals(y.requiresGrad, false);
    assertEquals(await y.array(), await noGrad(() => run(x)).array());
    // And it can be part of what is recorded after it.
    using w = tensor([1, 1], { requiresGrad: true });
    run(x).mul(w).sum().backward();
    assertEquals(await w.grad!.reshape([1, 2]).array(), await y.array());
  },
);

onBothDevices("passes can be left out, one by one", async () => {
  const net = smallNet().eval();
  using _net = freeing(net);
  const x = randn([2, 2, 4, 4]);
  const want = noGrad(() => net(x));
  using all = await compile(net, x);
  using plain = await compile(net, x, {
    passes: { norms: false, epilogues: false },
  });
  await assertNear(all(x), want);
  await assertNear(plain(x), want);
  const names = (run: nn.Compiled) => run.explain().calls.map(({ op }) => op);
  assertEquals(names(all), ["conv2d", "matmul"]);
  assertEquals(names(plain), ["conv2d", "normalizeWith", "relu", "matmul"]);
  assertEquals(all.explain().calls[0].fused, ["batch norm", "relu"]);
  const text = String(all.explain());
  assert(text.startsWith("Sequential for [2, 2, 4, 4]\n\nlayer"), text);
  assert(text.includes("conv2d + batch norm + relu"), text);
});
