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
