/** Residuals and activations that go into the launch before them. */
import { concat, nn, type Tensor } from "../../../mod.ts";
import { apply } from "../../../core/tensor.ts";
import { conv2dInputGradient } from "../../../wgsl/conv/conv2d_input_gradient.ts";
import { reluSlope } from "../../../wgsl/pointwise/slope.ts";
import { onPass } from "../../support/passes.ts";

const pass = "epilogues";

/** The gradient of a ReLU, from that in its output y. */
const slope = (dy: Tensor, y: Tensor) => apply(reluSlope, [dy, y], {})[0];

/** The gradient in the input of a convolution of 3 × 3 taps with padding. */
function back(dy: Tensor, w: Tensor): Tensor {
  const [, , height, width] = dy.shape;
  return apply(conv2dInputGradient, [dy, w], {
    stride: [1, 1],
    padding: [1, 1, 1, 1],
    dilation: [1, 1],
    groups: 1,
    inputSize: [height, width],
  })[0];
}

onPass("activations go into convolutions, products and norms", {
  pass,
  shapes: [[2, 3, 4, 4], [3, 4]],
  body: ([x, m], w) => [
    nn.conv2d(x, w(2, 3, 3, 3), { bias: w(2) }).relu(),
    nn.leakyRelu(m.matmul(w(4, 2)), 0.1),
    nn.gelu(nn.linear(m, w(2, 4), w(2))),
    nn.batchNorm(x, w(3), w(3).square().add(1), {}).tanh(),
  ],
  calls: [
    "conv2d + relu",
    "matmul + leakyRelu",
    "matmul + gelu",
    "normalizeWith + tanh",
  ],
});

onPass("a residual goes in from either side, then an activation", {
  pass,
  shapes: [[2, 3, 4, 4]],
  body: ([x], w) => [
    nn.conv2d(x, w(3, 3, 3, 3), { padding: 1 }).add(x).relu(),
    x.add(nn.conv2d(x, w(3, 3, 1, 1), { bias: w(3) })),
    nn.batchNorm(x, w(3), w(3).square().add(1), {}).add(x).sigmoid(),
  ],
  calls: [
    "conv2d + add + relu",
    "conv2d + add",
    "normalizeWith + add + sigmoid",
  ],
});

onPass(
  "a residual may be computed later, and be another convolution's result",
  {
    pass,
    shapes: [[1, 2, 4, 4]],
    body: ([x], w) => {
      const y = nn.conv2d(x, w(2, 2, 1, 1));
      const z = nn.conv2d(x, w(2, 2, 1, 1)).relu();
      return y.add(z).relu();
    },
    calls: ["conv2d + relu", "conv2d + add + relu"],
  },
);

onPass("views on the way are looked through", {
  pass,
  shapes: [[2, 3, 4, 4], [2, 48]],
  body: ([x, other], w) =>
    nn.conv2d(x, w(3, 3, 1, 1)).reshape([2, 48]).add(other).relu(),
  calls: ["conv2d + add + relu"],
});

onPass("one activation only, and no residual after it", {
  pass,
  shapes: [[1, 2, 4, 4]],
  body: ([x], w) =>
    nn.conv2d(x, w(2, 2, 1, 1)).relu().tanh().add(
      nn.conv2d(x, w(2, 2, 1, 1)).relu().add(x),
    ),
  calls: ["conv2d + relu", "tanh", "conv2d + relu", "add", "add"],
});

onPass("not where the result has another reader or is the function's", {
  pass,
  shapes: [[1, 2, 4, 4]],
  body: ([x], w) => {
    const y = nn.conv2d(x, w(2, 2, 1, 1));
    const z = nn.conv2d(x, w(2, 2, 1, 1));
    return [y.relu().add(y), z, z.relu()];
  },
  calls: ["conv2d", "conv2d", "relu", "add", "relu"],
});

onPass("not twice the same, and not with itself", {
  pass,
  shapes: [[1, 2, 4, 4]],
  body: ([x], w) => {
    const y = nn.conv2d(x, w(2, 2, 1, 1));
    return y.add(y);
  },
  calls: ["conv2d", "add"],
});

onPass("not where a residual is spread or only a part", {
  pass,
  shapes: [[1, 2, 4, 4], [1, 2, 1, 1], [1, 4, 4, 4], [1, 2, 4, 4]],
  body: ([x, small, large, turned], w) => [
    nn.conv2d(x, w(2, 2, 1, 1)).add(small),
    nn.conv2d(x, w(2, 2, 1, 1)).add(large.slice(1, 1, 3)),
    nn.conv2d(x, w(2, 2, 1, 1)).add(turned.transpose(2, 3)),
    nn.conv2d(x, w(2, 2, 1, 1)).slice(1, 0, 1).relu(),
    nn.conv2d(x, w(2, 2, 1, 1)).transpose(2, 3).relu(),
    nn.conv2d(x, w(2, 2, 1, 1)).add(0.5),
  ],
  calls: [
    ...["conv2d", "add", "conv2d", "add", "conv2d", "add"],
    ...["conv2d", "relu", "conv2d", "relu", "conv2d", "add"],
  ],
});

onPass("not into other calls", {
  pass,
  shapes: [[2, 4]],
  body: ([x]) => concat([x.exp().relu(), x.sum(0, { keepDims: true }).relu()]),
  calls: ["exp", "relu", "sum", "relu", "concat"],
});

onPass("slopes of ReLUs go into gradients, behind a residual", {
  pass,
  shapes: [[2, 3, 4, 4], [2, 3, 4, 4], [3, 4], [3, 4]],
  body: ([dy, y, m, n], w) => [
    slope(back(dy, w(3, 3, 3, 3)), y),
    slope(y.add(back(dy, w(3, 3, 3, 3))), dy),
    slope(m.matmul(w(4, 4)), n),
  ],
  calls: [
    "conv2dInputGradient + reluSlope",
    "conv2dInputGradient + add + reluSlope",
    "matmul + reluSlope",
  ],
});

onPass(
  "a slope is looked for behind views, and may be of another call's result",
  {
    pass,
    shapes: [[2, 48], [2, 3, 4, 4]],
    body: ([m, x], w) => {
      const dx = m.matmul(w(48, 48));
      return slope(
        dx.reshape([2, 3, 4, 4]),
        nn.conv2d(x, w(3, 3, 1, 1)).relu(),
      );
    },
    calls: ["conv2d + relu", "matmul + reluSlope"],
  },
);

onPass(
  "one slope, with no residual behind it, and not of parts, turned or by a number",
  {
    pass,
    shapes: [[3, 4], [3, 4], [4, 3]],
    body: ([m, n, turned], w) => [
      slope(slope(m.matmul(w(4, 4)), n), m),
      slope(m.matmul(w(4, 4)), n).add(m),
      slope(m.matmul(w(4, 4)), turned.transpose(0, 1)),
      slope(m.matmul(w(4, 4)).slice(1, 0, 2), n.slice(1, 0, 2)),
      slope(n, m.matmul(w(4, 4))),
      apply(reluSlope, [m.matmul(w(4, 4))], { scalar: 1 })[0],
    ],
    calls: [
      ...["matmul + reluSlope", "reluSlope", "matmul + reluSlope", "add"],
      ...["matmul", "reluSlope", "matmul", "reluSlope"],
      ...["matmul", "reluSlope", "matmul", "reluSlope"],
    ],
  },
);

onPass("not into normalisations", {
  pass,
  shapes: [[2, 3, 4, 4]],
  body: ([x], w) => slope(nn.batchNorm(x, w(3), w(3).square().add(1), {}), x),
  calls: ["normalizeWith", "reluSlope"],
});
