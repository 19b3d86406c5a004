import { apply } from "../../core/tensor.ts";
import { where } from "../../core/mod.ts";
import { BINARY_OPS, UNARY_OPS } from "../../wgsl/pointwise/mod.ts";
import {
  type Sample,
  sample,
  sampleOf,
  testGradients,
} from "../support/gradcheck.ts";

/** Where each function is smooth, if not everywhere around 0. */
const DOMAINS: Readonly<Record<string, (x: number) => number>> = {
  acos: (x) => x * 0.4,
  asin: (x) => x * 0.4,
  log: positive,
  log10: positive,
  log1p: positive,
  log2: positive,
  reciprocal: positive,
  rsqrt: positive,
  sqrt: positive,
  tan: (x) => x * 0.7,
};

function positive(x: number): number {
  return Math.abs(x) + 0.5;
}

for (const [name, op] of Object.entries(UNARY_OPS)) {
  if (!op.gradient) continue;
  testGradients(
    `${name} has its derivatives`,
    (x) => apply(op, [x], op.defaults)[0],
    [sample([2, 3], 7, DOMAINS[name])],
  );
}

testGradients(
  "leakyRelu and elu take their alpha",
  (x) => [
    apply(UNARY_OPS.leakyRelu, [x], { alpha: 0.3 })[0],
    apply(UNARY_OPS.elu, [x], { alpha: 0.3 })[0],
  ],
  [sample([5], 3)],
);

testGradients(
  "gelu has the derivatives of its approximation",
  (x) => apply(UNARY_OPS.gelu, [x], { approximate: "tanh" })[0],
  [sample([5], 3)],
);

/** Left and right operand of shapes that broadcast each way. */
const SHAPES: readonly (readonly [string, number[], number[]])[] = [
  ["same shapes", [2, 3], [2, 3]],
  ["a row on the right", [2, 3], [3]],
  ["a column on the left", [2, 1], [2, 3]],
  ["both broadcasting", [2, 1, 2], [3, 1]],
  ["a scalar", [], [2]],
];

function operands(name: string, left: number[], right: number[]): Sample[] {
  const base = name === "pow" ? positive : undefined;
  const divisor = name === "div" || name === "floorDivide" ||
      name === "remainder"
    ? positive
    : undefined;
  return [sample(left, 11, base), sample(right, 12, divisor)];
}

for (const [name, op] of Object.entries(BINARY_OPS)) {
  if (!op.gradient) continue;
  testGradients(
    `${name} has its derivatives, with operands of the same shape and broadcast ones`,
    (...xs) =>
      SHAPES.map((_, i) => apply(op, [xs[2 * i], xs[2 * i + 1]], {})[0]),
    SHAPES.flatMap(([, left, right]) => operands(name, left, right)),
  );
  testGradients(
    `${name} has its derivatives with a number on either side`,
    (x, y) => [
      apply(op, [x], { scalar: 1.7 })[0],
      apply(op, [y], { scalar: 1.7, side: "left" })[0],
    ],
    operands(name, [3], [3]),
  );
}

testGradients(
  "pow with small whole exponents is smooth at 0 and below",
  (x) => [x.pow(0), x.pow(1), x.pow(2), x.pow(3)],
  [sampleOf([3], -1.5, 0, 2)],
);

testGradients(
  "an operand may be used twice",
  (x) => [x.mul(x), x.add(x), x.sub(x), x.div(x)],
  [sample([3], 5, positive)],
);

testGradients(
  "operands may be views",
  (x, y) => x.transpose().mul(y.slice(1, 0, 4, 2)).div(y.select(1, 1).exp()),
  [sample([2, 2], 1), sample([2, 4], 2)],
);

testGradients(
  "where sends each gradient to what was chosen, and sums it over broadcast axes",
  (x, y) => {
    const condition = x.gt(0);
    return [
      where(condition, x, y),
      where(condition, x, 2),
      where(condition, 2, y),
      where(condition, y.select(0, 0), x.square()),
    ];
  },
  [sample([2, 3], 5), sample([1, 3], 6)],
);

testGradients(
  "clamp passes gradients between its bounds",
  (
    x,
  ) => [
    x.clamp({ min: -0.5 }),
    x.clamp({ max: 0.5 }),
    x.clamp({ min: -0.3, max: 0.3 }),
  ],
  [sample([6], 9)],
);
