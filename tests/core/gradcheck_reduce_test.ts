import type { Tensor } from "../../core/mod.ts";
import { sample, sampleOf, testGradients } from "../support/gradcheck.ts";

/** Axes and keepDims of reductions over [2, 3, 2]. */
const CALLS: readonly (readonly [
  axes: number | number[] | undefined,
  keepDims: boolean,
])[] = [
  [undefined, false],
  [undefined, true],
  [0, false],
  [-1, true],
  [[0, 2], false],
  [[1, 2], true],
  [[], false],
];

const REDUCTIONS = ["sum", "prod", "max", "min", "mean"] as const;

for (const name of REDUCTIONS) {
  testGradients(
    `${name} has its derivatives over one axis, several and all, kept or not`,
    (x) => CALLS.map(([axes, keepDims]) => x[name](axes, { keepDims })),
    [sample([2, 3, 2], 4)],
  );
  testGradients(
    `${name} has its derivatives over a view`,
    (x) => x.transpose().slice(0, 1)[name](1),
    [sample([2, 3], 5)],
  );
  testGradients(
    `${name} of a scalar passes the gradient on`,
    (x) => x[name](),
    [sample([], 3)],
  );
}

testGradients(
  "variance has its derivatives with and without correction",
  (x) => [
    x.variance(),
    x.variance(1, { correction: 0 }),
    x.variance([0], { keepDims: true }),
  ],
  [sample([3, 4], 6)],
);

testGradients(
  "prod has its derivatives where factors are 0",
  (x) => x.prod(1),
  [sampleOf([4, 3], 1, 2, 3, 0, 2, 3, 0, 0, 3, 0, 0, 0)],
);

testGradients(
  "cumsum has its derivatives along each axis",
  (x) => [x.cumsum(0), x.cumsum(1), x.transpose().cumsum(-1)],
  [sample([3, 4], 2)],
);

for (const name of ["softmax", "logSoftmax"] as const) {
  testGradients(
    `${name} has its derivatives along each axis, and on views`,
    (x) => [x[name](0), x[name](1), x[name](-1), x.transpose(0, 2)[name](0)],
    [sample([2, 3, 2], 8)],
  );
  testGradients(
    `${name} of a row of one is flat`,
    (x) => x[name](0),
    [sample([1, 2], 8)],
  );
}

testGradients(
  "sort and topk send each gradient to where its value stood",
  (x: Tensor) => [
    x.sort().values,
    x.sort({ descending: true }).values,
    x.topk(2).values,
    x.topk(1, { largest: false }).values,
    x.transpose().sort().values,
  ],
  [sample([2, 4], 9)],
);
