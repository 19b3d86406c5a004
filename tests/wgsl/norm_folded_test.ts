/** Kernels of normalisation find their place in a grid that is folded into two dimensions. */
import { assertEquals } from "@std/assert";
import {
  batchForm,
  type Form,
  groupForm,
  layerForm,
} from "../../wgsl/norm/forms.ts";
import { channelsOf, type NormAttrs } from "../../wgsl/norm/geometry.ts";
import {
  localResponse,
  localResponseBackward,
  windowSum,
} from "../../wgsl/norm/local_response.ts";
import { normalize, normalizeWith } from "../../wgsl/norm/normalize.ts";
import { normalizeBackward } from "../../wgsl/norm/normalize_backward.ts";
import { updateRunning } from "../../wgsl/norm/running.ts";
import type { HostArray } from "../../wgsl/op.ts";
import { checkFolded } from "../support/folded.ts";
import { host, noise, runReference } from "../support/plan.ts";

/** Kernels of batch, group and layer norm that many workgroups share. */
const KERNELS = [
  "apply",
  "apply_fours",
  "backward_apply",
  "backward_apply_fours",
  "backward_naive",
  "backward_tree",
  "moments",
  "naive",
  "rows",
  "sums",
  "tree",
];

/** Values around 3 with a spread of about 0.6. */
function values(shape: readonly number[], seed: number): HostArray {
  return host(noise(shape, seed).data.map((v) => v + 3), shape);
}

/** Checks the three ops in a form. Returns the kernels that were folded. */
async function checkForm(
  shape: readonly number[],
  form: Form,
): Promise<string[]> {
  const attrs: NormAttrs = {
    ...form,
    eps: 0.1,
    centered: true,
    weight: true,
    bias: true,
  };
  const [weight, bias] = [2, 3].map((n) => values([channelsOf(attrs)], n));
  const x = values(shape, 1);
  const inputs = [x, weight, bias];
  const [y, stats] = runReference(normalize, { inputs, attrs });
  return [
    ...await checkFolded(normalize, { inputs, attrs, length: 64 }),
    ...await checkFolded(normalizeWith, {
      inputs: [x, stats, weight, bias],
      attrs,
      length: 64,
    }),
    ...await checkFolded(normalizeBackward, {
      inputs: [noise(y.shape, 4), x, stats, weight],
      attrs,
      length: 4096,
    }),
  ];
}

Deno.test("kernels of batch, group and layer norm find their place in a folded grid", async () => {
  const folded = [
    [7, 360, 9],
    [3, 40, 256],
  ].map((shape) => [shape, batchForm(shape)] as const);
  folded.push([[330, 4, 14], groupForm([330, 4, 14], 2)]);
  folded.push([[700, 24], layerForm([700, 24], 1)]);
  folded.push([[400, 70], layerForm([400, 70], 1)]);
  const kernels = new Set<string>();
  for (const [shape, form] of folded) {
    for (const kernel of await checkForm(shape, form)) kernels.add(kernel);
  }
  assertEquals(KERNELS.filter((name) => !kernels.has(`norm/${name}.wgsl`)), []);
});

Deno.test("kernels of running statistics and local response norm find their place in a folded grid", async () => {
  await checkFolded(updateRunning, {
    inputs: [noise([700], 1), noise([700], 2), noise([700, 2], 3)],
    attrs: { momentum: 0.1, count: 5 },
  });
  const attrs = { size: 3, alpha: 1, beta: 0.75, k: 2 };
  const x = noise([3, 40, 13]);
  const d = runReference(localResponse, { inputs: [x], attrs })[1];
  const inputs = [noise(x.shape, 2), x, d];
  assertEquals(
    [
      ...await checkFolded(localResponse, { inputs: [x], attrs, length: 12 }),
      ...await checkFolded(localResponseBackward, {
        inputs,
        attrs,
        length: 12,
      }),
      ...await checkFolded(windowSum, {
        inputs: [x],
        attrs: { size: 3, before: 1 },
        length: 3,
      }),
    ],
    [
      "norm/local_response.wgsl",
      "norm/local_response_backward.wgsl",
      "norm/window_sum.wgsl",
    ],
  );
});
