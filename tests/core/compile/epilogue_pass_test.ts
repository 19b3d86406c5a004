/** Residuals and activations that go into the launch before them. */
import { concat, nn } from "../../../mod.ts";
import { onPass } from "../../support/passes.ts";

const pass = "epilogues";

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
