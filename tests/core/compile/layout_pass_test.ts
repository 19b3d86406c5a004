/** Planes of batches that lie channel by channel. */
import { assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import {
  compile,
  concat,
  init,
  memory,
  nn,
  noGrad,
  randn,
  type Tensor,
  where,
} from "../../../mod.ts";
import {
  movedView,
  type Planes,
} from "../../../core/compile/passes/plane_views.ts";
import type { View } from "../../../wgsl/op.ts";
import { contiguousView } from "../../../wgsl/shape.ts";
import { onPass, type Weight } from "../../support/passes.ts";

const pass = "layout";

/** Branches that are put side by side. */
function branches(x: Tensor, w: Weight): Tensor {
  return concat([
    nn.conv2d(x, w(3, 4, 1, 1)),
    nn.conv2d(x, w(5, 4, 3, 3), { padding: 1 }),
    nn.maxPool2d(x, 3, { stride: 1, padding: 1 }),
  ], 1);
}

onPass("concatenations of batches are written in place then", {
  pass,
  after: ["concat"],
  shapes: [[3, 2, 8, 8]],
  body: ([x], w) => {
    const y = branches(nn.conv2d(x, w(4, 2, 1, 1)).relu(), w);
    return nn.conv2d(y, w(4, 12, 1, 1)).mean([2, 3]);
  },
  calls: [
    ...["conv2d", "relu", "conv2d", "conv2d", "maxPool2dValues"],
    ...["conv2d", "mean"],
  ],
});

onPass("residuals lie as what they are added to", {
  pass,
  after: ["concat", "epilogues"],
  shapes: [[3, 4, 8, 8]],
  body: ([x], w) => {
    const y = branches(nn.conv2d(x, w(4, 4, 1, 1)).relu(), w);
    const z = nn.conv2d(y, w(12, 12, 3, 3), { padding: 1 }).add(y).relu();
    return z.mean([2, 3]);
  },
  calls: [
    ...["conv2d + relu", "conv2d", "conv2d", "maxPool2dValues"],
    ...["conv2d + add + relu", "mean"],
  ],
});

onPass("inputs are read as they lie, and copied for what can't", {
  pass,
  after: ["concat"],
  shapes: [[2, 4, 8, 8]],
  body: ([x], w) =>
    branches(branches(x, w), (k, _, r, s) => w(k, 12, r, s)).mean([2, 3]),
  calls: [
    ...["conv2d", "conv2d", "copy + layout", "maxPool2dValues"],
    ...["conv2d", "conv2d", "maxPool2dValues", "mean"],
  ],
});

onPass("norms, pooling, responses and elementwise calls follow", {
  pass,
  after: ["concat"],
  shapes: [[2, 4, 16, 16]],
  body: ([x], w) => {
    const y = branches(nn.conv2d(x, w(4, 4, 1, 1)), w);
    const norm = nn.batchNorm(y, w(12), w(12), {
      eps: 9,
      weight: w(12),
      bias: w(12),
    });
    const z = nn.localResponseNorm(norm.add(w(12, 1, 1)), 5);
    const pooled = nn.adaptiveAvgPool2d(nn.avgPool2d(z, 2), 3);
    return where(pooled.gt(w(1, 12, 1, 3)), pooled, 0).mean([2, 3]);
  },
  calls: [
    ...["conv2d", "conv2d", "conv2d", "maxPool2dValues"],
    ...["normalizeWith", "add", "localResponse", "avgPool2d"],
    ...["adaptiveAvgPool2d", "gt", "where", "mean"],
  ],
});

onPass("what knows one order only gets a copy, where that still pays", {
  pass,
  after: ["concat"],
  shapes: [[2, 4, 8, 8]],
  body: ([x], w) => {
    const y = branches(nn.conv2d(x, w(4, 4, 1, 1)), w);
    const z = branches(y, (k, _, r, s) => w(k, 12, r, s)).tanh();
    return [
      nn.conv2d(z, w(20, 1, 3, 3), { groups: 20 }).exp(),
      z.flatten(1).reshape([40, 64]).exp(),
    ];
  },
  calls: [
    ...["conv2d", "conv2d", "conv2d", "maxPool2dValues"],
    ...["conv2d", "conv2d", "maxPool2dValues", "tanh"],
    ...["copy + layout", "conv2d", "exp", "exp"],
  ],
});

onPass("single images, and networks without branches, stay", {
  pass,
  shapes: [[1, 4, 8, 8], [2, 4, 8, 8]],
  body: ([x, y], w) => [
    branches(x.relu(), w).mul(2),
    nn.conv2d(y.relu(), w(4, 4, 3, 3)).relu().mul(2),
  ],
  calls: [
    ...["relu", "conv2d", "conv2d", "maxPool2dValues", "concat", "mul"],
    ...["relu", "conv2d", "relu", "mul"],
  ],
});

Deno.test("chains of elementwise calls follow", async () => {
  await init({ seed: 0 });
  const w = noGrad(() => randn([4, 4, 3, 3]));
  const f = (x: Tensor) => {
    const y = nn.conv2d(x, w, { padding: 1 });
    return concat([y, y.sigmoid().mul(y).mul(2)], 1).mean([2, 3]);
  };
  using run = await compile(f, [3, 4, 8, 8]);
  assertEquals(
    run.explain().calls.map(({ op }) => op),
    ["conv2d", "chain", "copy", "mean"],
  );
  const x = randn([3, 4, 8, 8]);
  const plan = run.explain();
  assertEquals(plan.calls[1].shape, [4, 3, 8, 8]);
  assertEquals(
    plan.calls.map(({ order }) => order),
    ["CNHW", "CNHW", "NCHW", "NCHW"],
  );
  assertMatch(`${plan}`, / \[4, 3, 8, 8\] CNHW /);
  const [a, b] = [await run(x).read(), await noGrad(() => f(x)).read()];
  a.forEach((v, i) => assertAlmostEquals(v, b[i], 1e-6));
});

Deno.test("a view sees the same planes wherever they lie, or isn't moved", () => {
  const planes: Planes = { images: 3, channels: 4, plane: 6 };
  const size = 3 * 4 * 6;
  /** Where element i of [N, C, H, W] lies in [C, N, H, W]. */
  const placeOf = (i: number) => {
    const [n, c, p] = [Math.floor(i / 24), Math.floor(i / 6) % 4, i % 6];
    return (c * 3 + n) * 6 + p;
  };
  const placesOf = ({ shape, strides, offset }: View): number[] =>
    shape.reduce(
      (places, n, d) =>
        places.flatMap((at) =>
          Array.from({ length: n }, (_, k) => at + k * strides[d])
        ),
      [offset],
    );
  const whole = contiguousView({ shape: [3, 4, 2, 3], dtype: "f32" });
  const views: readonly (readonly [View, boolean])[] = [
    [whole, true],
    // Channels 1 and 2.
    [{ ...whole, shape: [3, 2, 2, 3], offset: 6 }, true],
    // The last image's second column, transposed.
    [{ ...whole, shape: [2, 4], strides: [3, 6], offset: 49 }, true],
    // Every other channel.
    [{ ...whole, shape: [3, 2, 2, 3], strides: [24, 12, 3, 1] }, true],
    // Broadcast.
    [{ ...whole, shape: [5, 3, 4], strides: [0, 24, 6], offset: 2 }, true],
    // Planes as rows of one axis.
    [{ ...whole, shape: [3, 4, 6], strides: [24, 6, 1] }, true],
    // Flattened channels, flattened images, all.
    [{ ...whole, shape: [3, 24], strides: [24, 1] }, false],
    [{ ...whole, shape: [12, 6], strides: [6, 1] }, false],
    [{ ...whole, shape: [size], strides: [1] }, false],
    // From the middle of a plane into the next.
    [{ ...whole, shape: [6], strides: [1], offset: 3 }, false],
  ];
  for (const [view, can] of views) {
    const moved = movedView(view, planes);
    assertEquals(moved !== undefined, can, `${view.shape}/${view.strides}`);
    if (!moved) continue;
    assertEquals(placesOf(moved), placesOf(view).map(placeOf));
  }
});

Deno.test("tuning measures both orders, and leaves one plan that computes the same", async () => {
  await init({ seed: 0 });
  const w = noGrad(() => randn([8, 4, 1, 1]));
  const f = (x: Tensor) =>
    concat([nn.conv2d(x, w), nn.conv2d(x, w).relu()], 1).mean([2, 3]);
  const { tensors } = memory();
  using run = await compile(f, [3, 4, 8, 8], { tune: true });
  assertEquals(memory().tensors, tensors);
  const x = randn([3, 4, 8, 8]);
  const [a, b] = [await run(x).read(), await noGrad(() => f(x)).read()];
  a.forEach((v, i) => assertAlmostEquals(v, b[i], 1e-6));
});
