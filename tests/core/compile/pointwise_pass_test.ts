/** Elementwise calls that become one kernel, of f32 as kernels know it, on both devices. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { compile, noGrad, randn, type Tensor } from "../../../mod.ts";
import { PASSES } from "../../../core/compile/mod.ts";
import type { Shape } from "../../../wgsl/op.ts";
import { onBothDevices } from "../../support/devices.ts";

const ALONE = Object.fromEntries(
  PASSES.map(({ name }) => [name, name === "pointwise"]),
);

function onChain(
  title: string,
  shapes: readonly Shape[],
  body: (...inputs: Tensor[]) => Tensor[],
  calls: readonly string[],
): void {
  onBothDevices(title, async () => {
    const inputs = () => shapes.map((shape) => randn(shape));
    using run = await compile(body, inputs(), { passes: ALONE });
    assertEquals(
      run.explain().calls.map(({ op, fused }) => [op, ...fused].join(" + ")),
      calls,
    );
    const given = inputs();
    const want = noGrad(() => body(...given));
    const got = run(...given);
    for (const [i, y] of want.entries()) {
      assertEquals([got[i].shape, got[i].dtype], [y.shape, y.dtype]);
      const [a, b] = [await got[i].read(), await y.read()];
      const scale = Math.max(1, ...Array.from(b, Math.abs));
      const worst = Math.max(0, ...Array.from(b, (v, j) => Math.abs(v - a[j])));
      assertLessOrEqual(worst / scale, 2e-6, `Result ${i}`);
    }
  });
}

onChain(
  "elementwise calls that follow each other become one",
  [[3, 5], [3, 5]],
  (x, y) => [x.mul(2).add(y).tanh().sub(x)],
  ["chain + mul + add + tanh + sub"],
);

onChain(
  "views on the way are looked through, and vectors of four are no different",
  [[4, 6], [24]],
  (x, y) => [x.exp().reshape([24]).mul(y).reshape([2, 12]).relu()],
  ["chain + exp + mul + relu"],
);

onChain(
  "what a chain reads twice is a part of it",
  [[3, 5]],
  (x) => {
    const y = x.exp();
    return [y.mul(2).add(y)];
  },
  ["chain + exp + mul + add"],
);

onChain(
  "what has two readers, or is a result, is stored",
  [[3, 5]],
  (x) => {
    const y = x.exp();
    const z = x.tanh();
    return [y.mul(2).sub(y.sum(0)), z, z.relu()];
  },
  ["exp", "tanh", "mul", "sum", "sub", "relu"],
);

onChain(
  "operands that are spread, cut or turned end a chain",
  [[3, 5], [5], [3, 10], [5, 3]],
  (x, row, wide, turned) => [
    x.exp().add(row),
    x.exp().mul(wide.slice(1, 0, 5)),
    x.exp().sub(turned.transpose(0, 1)),
    x.exp().slice(1, 0, 2).relu(),
    x.exp().transpose(0, 1).relu(),
  ],
  ["exp", "add", "exp", "mul", "exp", "sub", "exp", "relu", "exp", "relu"],
);

onChain(
  "one element may stand for all",
  [[3, 5], [1]],
  (x, one) => [x.mul(one.exp()).add(x.sum())],
  ["sum", "chain + exp + mul + add"],
);

onChain(
  "other calls end a chain",
  [[3, 5]],
  (x) => [x.exp().relu().sum(0).exp().neg()],
  ["chain + exp + relu", "sum", "chain + exp + neg"],
);

onChain(
  "a launch reads seven operands at most",
  Array.from({ length: 12 }, () => [3]),
  (...inputs) => [inputs.reduce((sum, x) => sum.add(x))],
  [
    "chain + add + add + add + add + add + add",
    "chain + add + add + add + add + add",
  ],
);

onChain(
  "no elements are no trouble",
  [[0, 3]],
  (x) => [x.exp().mul(2)],
  ["chain + exp + mul"],
);
