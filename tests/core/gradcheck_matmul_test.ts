import { apply } from "../../core/tensor.ts";
import type { Epilogue } from "../../wgsl/epilogue.ts";
import { matmul } from "../../wgsl/matmul/matmul.ts";
import { linear } from "../../nn/functional.ts";
import { sample, testGradients } from "../support/gradcheck.ts";

/** Shapes of the operands of products: matrices, vectors, batches that broadcast. */
const PRODUCTS: readonly (readonly [string, number[], number[]])[] = [
  ["matrices", [2, 3], [3, 4]],
  ["a vector on the left", [3], [3, 2]],
  ["a vector on the right", [2, 3], [3]],
  ["two vectors", [3], [3]],
  ["batches", [2, 2, 3], [2, 3, 2]],
  ["one matrix for all batches", [2, 2, 3], [3, 2]],
  ["one matrix on the left for all batches", [2, 3], [2, 3, 2]],
  ["batches that broadcast both ways", [2, 1, 1, 3], [2, 3, 2]],
  ["a vector for all batches", [2, 2, 3], [3]],
  ["no inner axis", [2, 0], [0, 2]],
];

for (const [title, a, b] of PRODUCTS) {
  testGradients(
    `matmul of ${title} has its derivatives`,
    (x, y) => x.matmul(y),
    [sample(a, 1), sample(b, 2)],
  );
}

testGradients(
  "matmul of transposed and sliced views has its derivatives",
  (x, y) => [
    x.transpose().matmul(y),
    y.transpose().matmul(x),
    x.transpose().matmul(y.slice(1, 0, 4, 2)),
    x.matmul(x.transpose()),
  ],
  [sample([3, 2], 1), sample([3, 4], 2)],
);

testGradients(
  "linear has its derivatives with and without bias, on vectors and batches",
  (x, w, bias) => [
    linear(x, w, bias),
    linear(x.select(0, 0), w, bias),
    linear(x.select(0, 1).select(0, 0), w),
  ],
  [sample([2, 2, 3], 3), sample([4, 3], 4), sample([4], 5)],
);

/** Each part, activations whose derivative is told from the output and from the input, and parts that need each other's. */
const EPILOGUES: readonly (readonly [string, Epilogue])[] = [
  ["a bias", { bias: true }],
  ["a scale and shift", { affine: true }],
  ["a residual", { residual: true }],
  ["a slope", { slope: true }],
  ["a relu", { activation: { name: "relu" } }],
  ["a bias and a gelu", { bias: true, activation: { name: "gelu" } }],
  ["all parts", {
    bias: true,
    affine: true,
    residual: true,
    slope: true,
    activation: { name: "leakyRelu", attrs: { alpha: 0.1 } },
  }],
];

for (const [title, epilogue] of EPILOGUES) {
  for (const channels of ["columns", "rows"] as const) {
    const size = channels === "rows" ? 2 : 3;
    testGradients(
      `matmul with ${title} for ${channels} has its derivatives`,
      (...inputs) => apply(matmul, inputs, { epilogue, channels })[0],
      [
        sample([2, 2, 2], 1),
        sample([2, 3], 2),
        ...(epilogue.bias ? [sample([size], 3)] : []),
        ...(epilogue.affine ? [sample([size], 4), sample([size], 5)] : []),
        ...(epilogue.residual ? [sample([2, 2, 3], 6)] : []),
        ...(epilogue.slope ? [sample([2, 2, 3], 7)] : []),
      ],
    );
  }
}
