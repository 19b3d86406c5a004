import { apply } from "../../core/tensor.ts";
import type { Epilogue } from "../../wgsl/epilogue.ts";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { sample, testGradients } from "../support/gradcheck.ts";

const SLIDING = {
  stride: [1, 2],
  padding: [1, 0, 0, 1],
  dilation: [1, 1],
  groups: 1,
} as const;

/** Each part, activations whose derivative is told from the output and from the input, and parts that need each other's. */
const EPILOGUES: readonly (readonly [string, Epilogue])[] = [
  ["a bias", { bias: true }],
  ["a scale and shift", { affine: true }],
  ["a residual", { residual: true }],
  ["a slope", { slope: true }],
  ["a relu", { activation: { name: "relu" } }],
  ["a leaky relu", {
    bias: true,
    activation: { name: "leakyRelu", attrs: { alpha: 0.1 } },
  }],
  ["a gelu", { residual: true, activation: { name: "gelu" } }],
  ["all parts", {
    bias: true,
    affine: true,
    residual: true,
    slope: true,
    activation: { name: "silu" },
  }],
];

for (const [title, epilogue] of EPILOGUES) {
  const operands = (y: readonly number[]) => [
    ...(epilogue.bias ? [sample([y[1]], 3)] : []),
    ...(epilogue.affine ? [sample([y[1]], 4), sample([y[1]], 5)] : []),
    ...(epilogue.residual ? [sample(y, 6)] : []),
    ...(epilogue.slope ? [sample(y, 7)] : []),
  ];
  testGradients(
    `a convolution with ${title} has its derivatives`,
    (...inputs) => apply(conv2d, inputs, { ...SLIDING, epilogue })[0],
    [
      sample([1, 2, 2, 3], 1),
      sample([3, 2, 2, 2], 2),
      ...operands([1, 3, 2, 2]),
    ],
  );
  testGradients(
    `a convolution's input gradient with ${title} has its derivatives`,
    (...inputs) =>
      apply(conv2dInputGradient, inputs, {
        ...SLIDING,
        inputSize: [2, 3],
        epilogue,
      })[0],
    [
      sample([1, 3, 2, 2], 1),
      sample([3, 2, 2, 2], 2),
      ...operands([1, 2, 2, 3]),
    ],
  );
}
