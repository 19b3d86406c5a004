import { randomState, setRandomState, tensor } from "../../core/mod.ts";
import {
  avgPool2d,
  type AvgPoolOptions,
  conv2d,
  type ConvOptions,
  maxPool2d,
  type MaxPoolOptions,
  type Size2d,
} from "../../nn/functional.ts";
import { dropout } from "../../nn/functional_dropout.ts";
import { crossEntropy, mseLoss } from "../../nn/loss.ts";
import { sample, testGradients } from "../support/gradcheck.ts";

/** Options of convolutions, and the shapes of x and w. */
const CONVOLUTIONS: readonly (readonly [
  string,
  ConvOptions,
  number[],
  number[],
])[] = [
  ["no options", {}, [1, 1, 3, 3], [1, 1, 2, 2]],
  ["channels and a batch", {}, [2, 2, 3, 3], [2, 2, 2, 2]],
  ["padding", { padding: 1 }, [1, 1, 2, 3], [1, 1, 3, 3]],
  ["other padding on each side", { padding: [0, 2, 1, 0] }, [1, 1, 2, 2], [
    1,
    1,
    2,
    2,
  ]],
  ["a stride that leaves a rest", { stride: 2 }, [1, 1, 4, 5], [1, 1, 2, 2]],
  [
    "other strides each way",
    { stride: [1, 3], padding: [0, 1] },
    [1, 1, 3, 4],
    [
      1,
      1,
      2,
      2,
    ],
  ],
  ["a stride over the kernel", { stride: 3 }, [1, 1, 4, 4], [1, 1, 1, 1]],
  ["dilation", { dilation: 2 }, [1, 1, 4, 3], [1, 1, 2, 2]],
  [
    "dilation, stride and padding",
    {
      dilation: [1, 2],
      stride: 2,
      padding: [1, 2],
    },
    [1, 1, 3, 4],
    [1, 1, 2, 2],
  ],
  ["groups", { groups: 2 }, [1, 4, 2, 2], [2, 2, 2, 1]],
  ["a group for each channel", { groups: 2, padding: 1 }, [1, 2, 2, 2], [
    4,
    1,
    2,
    2,
  ]],
  ["kernels of one cell", {}, [2, 2, 2, 2], [3, 2, 1, 1]],
];

for (const [title, options, x, w] of CONVOLUTIONS) {
  testGradients(
    `conv2d with ${title} has its derivatives`,
    (x, w, bias) => conv2d(x, w, { ...options, bias }),
    [sample(x, 1), sample(w, 2), sample([w[0]], 3)],
  );
}

testGradients(
  "conv2d of views has its derivatives",
  (x, w) =>
    conv2d(x.transpose(2, 3).slice(3, 0, 4, 2), w.transpose(0, 1), {
      padding: 1,
    }),
  [sample([1, 2, 4, 2], 1), sample([2, 1, 2, 2], 2)],
);

const POOLS: readonly (readonly [
  string,
  Size2d,
  MaxPoolOptions & AvgPoolOptions,
  number[],
])[] = [
  ["windows side by side", 2, {}, [1, 2, 4, 4]],
  ["windows that overlap", 3, { stride: 1 }, [1, 1, 4, 4]],
  ["gaps between windows", [1, 2], { stride: [2, 3] }, [1, 1, 4, 5]],
  ["padding", 3, { stride: 2, padding: 1 }, [1, 1, 4, 5]],
  ["padding and overlap", [2, 3], { stride: 1, padding: [1, 0] }, [1, 1, 3, 4]],
  ["ceil mode", 2, { ceilMode: true }, [1, 1, 3, 5]],
  ["ceil mode and padding", 3, {
    stride: 2,
    padding: 1,
    ceilMode: true,
  }, [1, 1, 4, 4]],
];

for (const [title, kernel, options, shape] of POOLS) {
  testGradients(
    `maxPool2d with ${title} has its derivatives`,
    (x) => maxPool2d(x, kernel, options).square(),
    [sample(shape, 4)],
  );
  testGradients(
    `avgPool2d with ${title} has its derivatives, counting padding or not`,
    (x) => [
      avgPool2d(x, kernel, options).square(),
      avgPool2d(x, kernel, { ...options, countIncludePad: false }).square(),
    ],
    [sample(shape, 5)],
  );
}

testGradients(
  "maxPool2d with dilation has its derivatives",
  (x) => maxPool2d(x, 2, { stride: 1, dilation: 2 }).square(),
  [sample([1, 1, 4, 4], 6)],
);

testGradients(
  "avgPool2d with a divisor has its derivatives",
  (x) => avgPool2d(x, 2, { stride: 1, divisorOverride: 3 }).square(),
  [sample([1, 1, 3, 3], 6)],
);

for (const reduction of ["mean", "sum", "none"] as const) {
  testGradients(
    `the losses have their derivatives with reduction "${reduction}"`,
    (x, y) => {
      const labels = tensor([2, 0], { dtype: "i32" });
      return [
        crossEntropy(x, labels, { reduction }),
        mseLoss(x, y, { reduction }),
      ];
    },
    [sample([2, 3], 7), sample([2, 3], 8)],
  );
}

testGradients(
  "dropout drops the same elements on the way back",
  (x) => {
    const state = randomState();
    const y = dropout(x, { p: 0.4 });
    setRandomState(state);
    return y.square();
  },
  [sample([2, 5], 9)],
);

for (const reduction of ["none", "mean", "sum"] as const) {
  testGradients(
    `crossEntropy of planes with ignored labels with reduction ${reduction} has its derivatives`,
    (x) => {
      const labels = tensor([[2, -100], [0, 1]], { dtype: "i32" });
      return crossEntropy(x, labels, { reduction });
    },
    [sample([2, 3, 2], 10)],
  );
}
