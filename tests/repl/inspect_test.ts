/** Timing and counting what runs: timeit, profile, trace and summary. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { noGrad, ones, randn, type Tensor } from "../../core/mod.ts";
import * as nn from "../../nn/mod.ts";
import { inspectCommands } from "../../repl/commands/inspect.ts";
import { Profile, profileBody } from "../../repl/inspect/profile.ts";
import { timeBody, Timing } from "../../repl/inspect/timeit.ts";
import { Trace, traceCall } from "../../repl/inspect/trace.ts";
import * as zoo from "../../zoo/mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { SHELL } from "./shell.ts";

/** A command's function. */
// deno-lint-ignore no-explicit-any -- each takes what it takes
export function command(name: string): (...args: any[]) => any {
  return inspectCommands(SHELL).find((c) => c.name === name)!.run;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

onBothDevices(
  "timeit takes the median of at least five samples, and waits for what is awaited",
  async () => {
    const timing = await timeBody(() => pause(20), { budget: 100 });
    assert(timing.samples.length >= 5);
    assertEquals(timing.runs, timing.samples.length * timing.runsPerSample);
    // A busy machine sleeps longer, never shorter.
    assert(timing.ms >= 19 && timing.ms < 500, `${timing.ms} ms`);
    assertEquals(timing.flops, 0);
  },
);

onBothDevices(
  "timeit frees what each run makes",
  async () => {
    const x = randn([16, 16]);
    const timing = await timeBody(() => x.matmul(x).relu(), { budget: 20 });
    assert(timing.runs >= 5);
  },
);

onDevice("webgpu", "timeit counts the operations of a run", async () => {
  const x = randn([16, 8]);
  const y = randn([8, 4]);
  const timing = await timeBody(() => x.matmul(y), { budget: 20 });
  assertEquals(timing.flops, 2 * 16 * 8 * 4);
});

Deno.test("a timing shows its median, deviation, samples and rate", () => {
  assertEquals(
    `${new Timing([1.9, 2, 1.8, 1.9, 9], 20, 2 * 512 ** 3)}`,
    [
      "1.90 ms ± 100 µs a run (median ± MAD of 5 samples of 20 runs, 141 GFLOP/s)",
    ].join(),
  );
  assertEquals(
    `${new Timing([10, 10, 10, 10, 10], 1, 0)}`,
    "10.0 ms ± 0.00 ns a run (median ± MAD of 5 samples of 1 run)",
  );
});

onDevice(
  "webgpu",
  "profile has a row a kernel with exact calls, operations and bytes; shares add up to 1 and rows to the total",
  async () => {
    const x = randn([16, 8]);
    const y = randn([8, 4]);
    const profile = await profileBody(() => {
      x.matmul(y);
      x.matmul(y).relu();
    });
    const [product] = profile.kernels.filter(({ op }) => op === "matmul");
    const [relu] = profile.kernels.filter(({ op }) => op === "relu");
    assertEquals([product.calls, relu.calls, profile.calls], [2, 1, 3]);
    assertEquals(product.flops, 2 * (2 * 16 * 8 * 4));
    assertEquals(relu.bytes, 2 * 16 * 4 * 4);
    assertEquals(relu.kernel, "pointwise/unary_vec4.wgsl");
    const sum = (of: "share" | "ms") =>
      profile.kernels.reduce((total, row) => total + row[of], 0);
    assertAlmostEquals(sum("share"), 1, 1e-9);
    assertAlmostEquals(sum("ms"), profile.ms, 1e-9);
    assert(profile.wallMs > 0);
    // As shown, up to the rounding of each row.
    const shown = profile.rows().map((row) => / (\d+\.\d{3}) /.exec(row)?.[1])
      .flatMap((text) => text === undefined ? [] : [Number(text)]);
    const total = shown.pop()!;
    assertEquals(shown.length, profile.kernels.length);
    assertAlmostEquals(shown.reduce((a, b) => a + b), total, 0.002);
  },
);

Deno.test("a profile is a table with its total, its wall time and its clock", () => {
  const row = { op: "conv2d", calls: 2, flops: 4e6, bytes: 1e6 };
  const profile = new Profile(
    [
      { ...row, kernel: "conv/t.wgsl", variant: "tiled", ms: 1, share: 0.8 },
      {
        ...row,
        kernel: "conv/pack.wgsl",
        variant: "tiled",
        ms: 0.25,
        share: 0.2,
        flops: 0,
      },
    ],
    "gpu",
    2.5,
  );
  const rule = "─".repeat(70);
  assertEquals(profile.rows(), [
    "kernel          op: variant    calls     ms    share  GFLOP/s  GB/s",
    rule.slice(0, 67),
    "conv/t.wgsl     conv2d: tiled      2  1.000   80.0 %     4.00  1.00",
    "conv/pack.wgsl  conv2d: tiled      2  0.250   20.0 %       --  4.00",
    rule.slice(0, 67),
    "total                              4  1.250  100.0 %     3.20  1.60",
    "Wall time of a run that isn't profiled: 2.50 ms.",
    "Times are the GPU's own (timestamp queries, a pass a launch).",
  ]);
  assertEquals(new Profile([], "gpu", 0.5).rows(), [
    "Nothing was launched (wall time 500 µs)",
  ]);
});

onDevice(
  "cpu",
  "on the CPU device profile has a row an op, and says so",
  async () => {
    const x = ones([4, 4]);
    const profile = await profileBody(() => x.matmul(x));
    assertEquals(
      profile.kernels.map(({ op, variant, calls }) => [
        op,
        variant,
        calls,
      ]),
      [["matmul", "reference", 1]],
    );
    assertEquals(
      profile.rows().at(-1),
      "The CPU device has no kernels: each row is an op's float64 reference.",
    );
  },
);

onBothDevices(
  "trace of LeNet has the shape after each layer, and what launched where",
  async (device) => {
    const net = zoo.lenet();
    const traced = await traceCall(net, [randn([1, 1, 28, 28])]);
    assertEquals(traced.layers.map(({ kind, shape }) => [kind, ...shape]), [
      ["Sequential", 1, 10],
      ["Conv2d", 1, 6, 28, 28],
      ["Sigmoid", 1, 6, 28, 28],
      ["AvgPool2d", 1, 6, 14, 14],
      ["Conv2d", 1, 16, 10, 10],
      ["Sigmoid", 1, 16, 10, 10],
      ["AvgPool2d", 1, 16, 5, 5],
      ["Flatten", 1, 400],
      ["Linear", 1, 120],
      ["Sigmoid", 1, 120],
      ["Linear", 1, 84],
      ["Sigmoid", 1, 84],
      ["Linear", 1, 10],
    ]);
    assertEquals(traced.layers[1].bytes, 6 * 28 * 28 * 4);
    assertEquals(traced.layers[7].launches, []); // flatten is a view
    const [{ op, kernel }] = traced.layers[2].launches;
    assertEquals(op, "sigmoid");
    assertEquals(
      kernel,
      device === "cpu" ? undefined : "pointwise/unary_vec4.wgsl",
    );
    assertAlmostEquals(
      traced.layers.reduce((sum, { ms }) => sum + ms, 0),
      traced.ms,
    );
    assert(net.training, "as it was before");
    net.dispose();
  },
);

class Shortcut extends nn.Module {
  readonly linear = new nn.Linear(4, 4);

  override forward(x: Tensor): Tensor {
    return this.linear(x).add(x).relu();
  }
}

onBothDevices(
  "trace shows what a module calls itself in the module's own row, and what a function does in the function's",
  async () => {
    const net = new Shortcut();
    const x = randn([2, 4]);
    const own = (traced: Trace) =>
      traced.layers.map(({ kind, depth, launches }) => [
        kind,
        depth,
        ...launches.filter(({ step }) => step === 0).map(({ op }) => op),
      ]);
    assertEquals(own(await traceCall(net, [x])), [
      ["Shortcut", 0, "add", "relu"],
      ["Linear", 1, "matmul"],
    ]);
    const twice = (x: Tensor) => net(net(x)).mul(2);
    const traced = await traceCall(twice, [x]);
    assertEquals(own(traced), [
      ["function", 0, "mul"],
      ["Shortcut", 1, "add", "relu"],
      ["Linear", 2, "matmul"],
      ["Shortcut", 1, "add", "relu"],
      ["Linear", 2, "matmul"],
    ]);
    assertEquals(traced.layers[0].shape, [2, 4]);
    net.dispose();
  },
);

onBothDevices(
  "trace leaves batch norm's statistics alone, except when asked for training mode",
  async () => {
    const net = new nn.BatchNorm2d(1);
    const x = ones([2, 1, 2, 2]);
    await traceCall(net, [x]);
    assertEquals(await net.running_mean!.array(), [0]);
    await traceCall(net, [x], { training: true });
    const [mean] = await net.running_mean!.array() as number[];
    assert(mean > 0);
    net.dispose();
  },
);

Deno.test("a trace is a tree with variants, shapes, times and bytes", () => {
  const launch = { op: "conv2d", variant: "tiled", kernel: "a", ms: 0.5 };
  const traced = new Trace([
    {
      path: "",
      kind: "Net",
      depth: 0,
      shape: [1, 2],
      dtype: "f32",
      bytes: 8,
      ms: 0,
      launches: [],
    },
    {
      path: "conv",
      kind: "Conv2d",
      depth: 1,
      shape: [1, 2, 3, 3],
      dtype: "f32",
      bytes: 72,
      ms: 2,
      // Two calls: of two launches, and of two again.
      launches: [0, 1, 0, 1].map((step) => ({ ...launch, step })),
    },
  ], "wall");
  assertEquals(traced.rows(), [
    "layer          op: variant        output           ms  bytes",
    "────────────────────────────────────────────────────────────",
    "Net                               [1, 2]           --    8 B",
    "└─Conv2d conv  conv2d: tiled × 2  [1, 2, 3, 3]  2.000   72 B",
    "────────────────────────────────────────────────────────────",
    "total                             4 launches    2.000",
    "Times are the wall's, waiting after each launch: each has the cost of a submission in it.",
  ]);
});

onBothDevices("summary of LeNet has 61,706 parameters", () => {
  const net = zoo.lenet();
  const table = command("summary")(net, [1, 1, 28, 28]);
  assertEquals(table.parameters, 61706);
  net.dispose();
});

Deno.test("commands refuse what they can't run", () => {
  assertFails(
    () => command("timeit")(3),
    TypeError,
    "Cannot run timeit: expected a function such as () => net(x) but found 3",
  );
  assertFails(
    () => command("profile")([]),
    TypeError,
    "Cannot run profile: expected a function such as () => net(x) but found Array",
  );
  assertFails(
    () => command("trace")({}),
    TypeError,
    "Cannot trace object: expected a network or a function of tensors",
  );
  assertFails(
    () => command("trace")(() => {}),
    TypeError,
    "Cannot trace without an input: give one, such as .trace net, randn([1, 1, 28, 28])",
  );
  assertFails(
    () => command("summary")(3),
    TypeError,
    "Cannot summarise: expected a network",
  );
});

onBothDevices(
  "a body that throws is heard, and frees what it made",
  async () => {
    const x = ones([2]);
    const error = new Error("no");
    for (const run of [timeBody, profileBody]) {
      const heard = await run(() => {
        x.add(1);
        throw error;
      }).catch((e) => e);
      assertEquals(heard, error);
      const later = await run(async () => {
        noGrad(() => x.add(1));
        await pause(1);
        throw error;
      }).catch((e) => e);
      assertEquals(later, error);
    }
  },
);
