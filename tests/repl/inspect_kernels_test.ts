/** Looking at kernels: wgsl and explain. */
import { assert, assertEquals } from "@std/assert";
import { clockOf } from "../../core/gpu/peaks.ts";
import { ones, randn, tune } from "../../core/mod.ts";
import { currentGpu } from "../../core/runtime.ts";
import { compile } from "../../nn/mod.ts";
import { explain, Explanation } from "../../repl/inspect/explain.ts";
import { wgsl } from "../../repl/inspect/wgsl.ts";
import * as zoo from "../../zoo/mod.ts";
import { onDevice } from "../support/devices.ts";
import { assertFailsLater } from "../support/errors.ts";
import { readText } from "../support/tree.ts";

onDevice(
  "webgpu",
  "wgsl gives each shader once, with its constants, workgroups and launches, and what is appended to it",
  async () => {
    const x = ones([4, 4]);
    const { shaders } = await wgsl(() => {
      x.relu();
      x.exp();
      x.relu();
    });
    assertEquals(shaders.map(({ kernel }) => kernel), [
      "wgsl/pointwise/unary_vec4.wgsl",
    ]);
    const [{ code, uses, swappedFor }] = shaders;
    assertEquals(code, await readText("wgsl/pointwise/unary_vec4.wgsl"));
    assertEquals(swappedFor, undefined);
    assertEquals(
      uses.map(({ op, variant, workgroups, launches }) => [
        op,
        variant,
        workgroups,
        launches,
      ]),
      [["relu", "vec4", [1, 1, 1], 2], ["exp", "vec4", [1, 1, 1], 1]],
    );
    assert(uses[0].declarations.includes("return relu(a);"));
  },
);

onDevice(
  "webgpu",
  "the shaders are shown as a file with comments before it",
  async () => {
    const x = ones([8, 8]);
    const shaders = await wgsl(() => x.matmul(x));
    const rows = shaders.rows();
    const { uses: [{ variant, launches, workgroups, constants }], code } =
      shaders.shaders[0];
    assertEquals(launches, 1);
    assertEquals(
      rows[0],
      `// ── ${shaders.shaders[0].kernel} ${
        "─".repeat(72 - shaders.shaders[0].kernel.length)
      }`,
    );
    const overrides = Object.entries(constants).map(([name, value]) =>
      `, ${name} = ${value}`
    ).join("");
    assertEquals(
      rows[1],
      `// matmul: ${variant}, 1 launch of ${
        workgroups.join(" × ")
      } workgroups${overrides}`,
    );
    assertEquals(rows[3], code.split("\n")[0]);
    assertEquals((await wgsl(() => {})).rows(), ["Nothing was launched"]);
  },
);

onDevice(
  "webgpu",
  "explain names the variant that ran, its launches with their exact work, and times the others",
  async () => {
    const x = randn([16, 8]);
    const y = randn([8, 4]);
    const ran: string[] = [];
    currentGpu()!.workbench.observe({
      before: ({ variant }) => {
        ran.push(variant);
      },
    });
    x.matmul(y);
    currentGpu()!.workbench.observe(undefined);
    const { ops } = await explain(() => {
      x.matmul(y);
      x.matmul(y);
    });
    assertEquals(ops.length, 1);
    const [product] = ops;
    assertEquals([product.op, product.variant, product.calls], [
      "matmul",
      ran[0],
      2,
    ]);
    assertEquals(product.inputs, [[16, 8], [8, 4]]);
    assertEquals(product.outputs, [[16, 4]]);
    assertEquals(product.flops, 2 * 16 * 8 * 4);
    assertEquals(
      product.launches.reduce((sum, { flops }) => sum + flops, 0),
      product.flops,
    );
    assert(product.ms > 0 && product.share > 0);
    assert(product.others.length > 0);
    assert(!product.others.some(([name]) => name === product.variant));
  },
);

onDevice(
  "webgpu",
  "explain says why: measured, first of several, or the only one that applies",
  async () => {
    const { choices } = currentGpu()!.tuning;
    const before = new Map(choices);
    choices.clear();
    try {
      const x = randn([24, 24]);
      const body = () => x.matmul(x);
      const reasons = async () =>
        (await explain(body)).ops.map(({ reason }) => reason);
      const [untuned] = await reasons();
      assert(["first", "preferred"].includes(untuned), untuned);
      await tune(body);
      assertEquals(await reasons(), ["measured"]);
      // A whole number has no other kernel than the one that fills.
      const { ops: [fill] } = await explain(() => ones([3]));
      assertEquals(fill.reason === "only", fill.others.length === 0);
    } finally {
      choices.clear();
      for (const [name, choice] of before) choices.set(name, choice);
    }
  },
);

onDevice(
  "webgpu",
  "explain, wgsl and clocks see the launches of a compiled network",
  async () => {
    const net = zoo.lenet().eval();
    const x = randn([1, 1, 28, 28]);
    const plan = await compile(net, x);
    plan(x);
    const { ops } = await explain(() => plan(x));
    assert(ops.filter(({ op }) => op === "conv2d").length === 2);
    assert(ops.every(({ ms }) => ms > 0));
    assert((await wgsl(() => plan(x))).shaders.length >= 2);
    await clockOf(currentGpu()!.workbench);
    plan.dispose();
    net.dispose();
  },
);

onDevice(
  "webgpu",
  "explain times the other variants within its budget, and says which it left out",
  async () => {
    const x = randn([16, 16]);
    const { ops: [product] } = await explain(() => x.matmul(x), { budget: 0 });
    assertEquals(product.others, []);
    assert(product.untimed.length > 0 && product.ms > 0);
    assertEquals(
      product.untimed[0][1],
      "the budget of this explanation was used up",
    );
  },
);

Deno.test("an explanation is shown op by op", () => {
  const explanation = new Explanation(
    [{
      op: "conv2d",
      inputs: [[1, 2, 8, 8], [4, 2, 3, 3]],
      outputs: [[1, 4, 6, 6]],
      calls: 2,
      variant: "tiled",
      reason: "preferred",
      launches: [
        {
          kernel: "conv/pack.wgsl",
          swappedFor: undefined,
          constants: {},
          workgroups: [1, 1, 1],
          flops: 0,
          bytes: 576,
        },
        {
          kernel: "conv/tiled.wgsl",
          swappedFor: "my.wgsl",
          constants: { ROWS: 4, COLUMNS: 8 },
          workgroups: [2, 3, 1],
          flops: 5_000_000,
          bytes: 1000,
        },
      ],
      flops: 5_000_000,
      bytes: 1576,
      ms: 0.5,
      share: 0.25,
      limit: "arithmetic",
      others: [["naive", 5]],
      untimed: [["slow", "about 3.00 s a call"]],
    }],
    { flops: 40e9, bytes: 3.2e9 },
    "software",
  );
  assertEquals(explanation.rows(), [
    "conv2d [1, 2, 8, 8], [4, 2, 3, 3] → [1, 4, 6, 6], 2 calls",
    "  tiled: preferred on software adapters to the others of 3 that apply",
    "  kernel                                 workgroups    flops    bytes",
    "  conv/pack.wgsl                          1 × 1 × 1       --    576 B",
    "  conv/tiled.wgsl (swapped for my.wgsl)   2 × 3 × 1  5 MFLOP  1.00 kB",
    "    ROWS 4, COLUMNS 8",
    "  500 µs, 10 GFLOP/s, 3.2 MB/s: 25 % of the arithmetic peak (40 GFLOP/s)",
    "  Others: naive 5.00 ms (10.0 ×)",
    "  Not timed: slow (about 3.00 s a call)",
    "",
    "Measured limits: 40 GFLOP/s, 3.2 GB/s. Times are of one call on made-up values.",
  ]);
});

onDevice(
  "cpu",
  "on the CPU device explain times each op's reference, and wgsl says that there are no kernels",
  async () => {
    const x = ones([4, 4]);
    const explanation = await explain(() => x.matmul(x).relu());
    assertEquals(
      explanation.ops.map(({ op, variant, reason }) => [op, variant, reason])
        .sort(),
      [["matmul", "reference", "reference"], [
        "relu",
        "reference",
        "reference",
      ]],
    );
    assertEquals(
      explanation.rows().at(-1),
      "The CPU device has no kernels to choose from: each op runs its float64 reference.",
    );
    await assertFailsLater(
      wgsl(() => x.relu()),
      Error,
      "Cannot show shaders: the CPU device runs float64 references and no kernels, await init() opens the GPU",
    );
  },
);
