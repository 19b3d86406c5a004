/** Batch norms in evaluation that go into the weights before them. */
import { nn, type Tensor } from "../../../mod.ts";
import { onPass, type Weight } from "../../support/passes.ts";

const pass = "norms";

/** A batch norm in evaluation with constant statistics. */
function norm(x: Tensor, w: Weight, affine = true): Tensor {
  const c = x.shape[1];
  const [mean, variance] = [w(c), w(c).square().add(0.5)];
  return nn.batchNorm(
    x,
    mean,
    variance,
    affine ? { weight: w(c), bias: w(c) } : {},
  );
}

onPass("a batch norm goes into the convolution before it", {
  pass,
  shapes: [[2, 3, 5, 5]],
  body: ([x], w) => norm(nn.conv2d(x, w(4, 3, 3, 3)), w),
  calls: ["conv2d + batch norm"],
});

onPass("with a bias, groups and strides, and without weights of its own", {
  pass,
  shapes: [[2, 4, 5, 5]],
  body: ([x], w) => {
    const options = { bias: w(6), groups: 2, stride: 2, padding: 1 };
    return norm(nn.conv2d(x, w(6, 2, 3, 3), options), w, false);
  },
  calls: ["conv2d + batch norm"],
});

onPass("a batch norm goes into the linear layer before it", {
  pass,
  shapes: [[5, 3]],
  body: ([x], w) =>
    norm(nn.linear(x, w(4, 3), w(4)), w).add(norm(nn.linear(x, w(4, 3)), w)),
  calls: ["matmul + batch norm", "matmul + batch norm", "add"],
});

onPass("each of a chain is folded", {
  pass,
  shapes: [[1, 2, 4, 4]],
  body: ([x], w) => {
    const y = norm(nn.conv2d(x, w(3, 2, 1, 1)), w).relu();
    return norm(nn.conv2d(y, w(2, 3, 1, 1)), w);
  },
  calls: ["conv2d + batch norm", "relu", "conv2d + batch norm"],
});

onPass("not where the convolution's result has another reader", {
  pass,
  shapes: [[1, 2, 4, 4]],
  body: ([x], w) => {
    const y = nn.conv2d(x, w(2, 2, 1, 1));
    return norm(y, w).add(y);
  },
  calls: ["conv2d", "normalizeWith", "add"],
});

onPass("not where it is a result of the function", {
  pass,
  shapes: [[1, 2, 4, 4]],
  body: ([x], w) => {
    const y = nn.conv2d(x, w(2, 2, 1, 1));
    return [y, norm(y, w)];
  },
  calls: ["conv2d", "normalizeWith"],
});

onPass("not where there is something in between", {
  pass,
  shapes: [[1, 2, 4, 4]],
  body: ([x], w) => norm(nn.conv2d(x, w(2, 2, 1, 1)).relu(), w),
  calls: ["conv2d", "relu", "normalizeWith"],
});

onPass("not where statistics are those of the batch", {
  pass,
  shapes: [[3, 2, 4, 4]],
  body: ([x], w) =>
    nn.batchNorm(nn.conv2d(x, w(2, 2, 1, 1)), null, null, { training: true }),
  calls: ["conv2d", "normalize"],
});

onPass("not where statistics or weights aren't constant", {
  pass,
  shapes: [[3, 2, 4, 4], [2], [2, 2, 1, 1]],
  body: ([x, mean, filter], w) => [
    nn.batchNorm(nn.conv2d(x, w(2, 2, 1, 1)), mean, mean.square().add(1), {}),
    norm(nn.conv2d(x, filter), w),
  ],
  calls: [
    "conv2d",
    "square",
    "add",
    "concat",
    "normalizeWith",
    "conv2d",
    "normalizeWith",
  ],
});

onPass("not where channels aren't the columns of one matrix", {
  pass,
  shapes: [[2, 3, 4]],
  body: ([x], w) => norm(x.matmul(w(4, 5)), w),
  calls: ["matmul", "normalizeWith"],
});
