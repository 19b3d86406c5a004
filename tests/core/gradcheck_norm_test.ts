import { full, gradients, type Tensor, tensor } from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  type NormOptions,
  rmsNorm,
} from "../../nn/functional_norm.ts";
import type { Activation } from "../../wgsl/epilogue.ts";
import { batchForm } from "../../wgsl/norm/forms.ts";
import { normalize, normalizeWith } from "../../wgsl/norm/normalize.ts";
import { sample, testGradients } from "../support/gradcheck.ts";

/** Running statistics of two channels. */
function running(): [Tensor, Tensor] {
  const options = { dtype: "f64" } as const;
  return [full([2], 0.25, options), full([2], 0.75, options)];
}

/** A normalisation, the shape of x and that of its parameters. */
const NORMS: readonly (readonly [
  string,
  (x: Tensor, options: NormOptions) => Tensor,
  number[],
  number[],
])[] = [
  [
    "batch norm in training",
    (x, options) =>
      batchNorm(x, ...running(), { ...options, eps: 0.01, training: true }),
    [3, 2, 2],
    [2],
  ],
  [
    "batch norm in evaluation",
    (x, options) => batchNorm(x, ...running(), options),
    [2, 2, 1, 2],
    [2],
  ],
  [
    "layer norm",
    (x, options) => layerNorm(x, [2, 2], options),
    [2, 2, 2],
    [2, 2],
  ],
  ["group norm", (x, options) => groupNorm(x, 2, options), [2, 4, 2], [4]],
  ["instance norm", (x, options) => instanceNorm(x, options), [2, 2, 3], [2]],
];

for (const [title, norm, shape, parameters] of NORMS) {
  testGradients(
    `${title} has its derivatives`,
    (x, weight, bias) => norm(x, { weight, bias }),
    [sample(shape, 1), sample(parameters, 2), sample(parameters, 3)],
  );
  testGradients(
    `${title} without parameters has its derivatives`,
    (x) => norm(x, {}),
    [sample(shape, 4)],
  );
}

testGradients(
  "RMS norm has its derivatives, with a weight and without",
  (x, weight) => [rmsNorm(x, [3], { weight }), rmsNorm(x, [3], { eps: 0.1 })],
  [sample([2, 3], 8), sample([3], 9)],
);

// tanh's derivative is told from the output, gelu's from what went in; no activation needs neither.
const ENDS: readonly (readonly [string, Activation?])[] = [
  ["a residual"],
  ["a residual and tanh", { name: "tanh" }],
  ["a residual and gelu", { name: "gelu" }],
];

for (const [title, activation] of ENDS) {
  const epilogue = { residual: true, ...(activation && { activation }) };
  const attrs = {
    ...batchForm([2, 2, 2]),
    eps: 0.1,
    centered: true,
    weight: true,
    bias: true,
    epilogue,
  };
  const samples = [
    sample([2, 2, 2], 1),
    sample([2], 2),
    sample([2], 3),
    sample([2, 2, 2], 4),
  ];
  testGradients(
    `normalisation that ends in ${title} has its derivatives`,
    (...inputs) => apply(normalize, inputs, attrs),
    samples,
  );
  testGradients(
    `normalisation by given statistics that ends in ${title} has its derivatives`,
    (x, ...rest) => {
      const stats = tensor([[0.1, 0.8], [-0.2, 1.3]], { dtype: "f64" });
      return apply(normalizeWith, [x, stats, ...rest], attrs);
    },
    samples,
  );
}

testGradients(
  "group norm of a view has its derivatives with a weight and no bias",
  (x, weight) => groupNorm(x.transpose(1, 2), 1, { weight, eps: 0.1 }),
  [sample([2, 2, 3], 5), sample([3], 6)],
);

for (const size of [1, 2, 3, 5]) {
  testGradients(
    `local response norm over ${size} channels has its derivatives`,
    (x) => localResponseNorm(x, size, { alpha: 0.8, beta: 0.6, k: 1.5 }),
    [sample([2, 4, 2], 7)],
  );
}

/** Normalisations whose gradients are differentiated twice more. */
const TWICE: readonly (readonly [string, (x: Tensor) => Tensor, number[]])[] = [
  [
    "batch norm",
    (x) => batchNorm(x, null, null, { training: true, eps: 0.1 }),
    [3, 2],
  ],
  ["RMS norm", (x) => rmsNorm(x, [3], { eps: 0.1 }), [2, 3]],
  [
    "local response norm",
    (x) => localResponseNorm(x, 3, { alpha: 0.7 }),
    [1, 4],
  ],
];

for (const [title, norm, shape] of TWICE) {
  testGradients(
    `the gradient of ${title} has its second derivatives`,
    (x) => {
      const loss = norm(x).square().mul(x).sum();
      return gradients(loss, [x], { createGraph: true })[0];
    },
    [sample(shape, 1)],
  );
}
