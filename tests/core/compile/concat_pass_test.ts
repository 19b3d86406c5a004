/** Concatenations that are written in place by those who compute their parts. */
import { concat, nn, type Tensor } from "../../../mod.ts";
import { onPass, type Weight } from "../../support/passes.ts";

const pass = "concat";

onPass("parts are written where they belong", {
  pass,
  shapes: [[1, 2, 8, 8]],
  body: ([x], w) =>
    concat([x.exp(), nn.conv2d(x, w(3, 2, 1, 1)), x.relu()], 1).mul(2),
  calls: ["exp", "conv2d", "relu", "mul"],
});

onPass("of whole batches too, where nothing stands before the axis", {
  pass,
  shapes: [[2, 64], [3, 64]],
  body: ([x, y]) => concat([x.exp(), y.exp()], 0).mul(2),
  calls: ["exp", "exp", "mul"],
});

onPass("a concatenation may be the function's result", {
  pass,
  shapes: [[1, 2, 8, 8]],
  body: ([x]) => concat([x.exp(), x.relu()], 1),
  calls: ["exp", "relu"],
});

onPass("concatenations inside of others are, from the largest on", {
  pass,
  shapes: [[1, 2, 8, 8]],
  body: ([x]) =>
    concat([x.exp(), concat([x.relu(), x.tanh()], 1), x.sigmoid()], 1).mul(2),
  calls: ["exp", "relu", "tanh", "sigmoid", "mul"],
});

onPass("not where parts of several pictures lie apart", {
  pass,
  shapes: [[2, 2, 8, 8]],
  body: ([x]) => concat([x.exp(), x.relu()], 1).mul(2),
  calls: ["exp", "relu", "concat", "mul"],
});

onPass("inputs, weights, repeated parts, slices and results are copied", {
  pass,
  shapes: [[1, 2, 8, 8]],
  body: ([x], w) => {
    const y = x.exp();
    const z = x.relu();
    const many = concat(
      [x, w(1, 1, 8, 8), y, y, x.tanh().slice(1, 0, 1), z],
      1,
    );
    return [many.mul(2), z];
  },
  calls: [
    ...["copy", "copy", "exp", "copy", "copy", "relu", "copy"],
    ...["tanh", "copy", "mul"],
  ],
});

onPass("a part isn't placed where who reads it writes another", {
  pass,
  shapes: [[1, 2, 8, 8]],
  body: ([x]) => {
    const y = x.exp();
    return concat([y, y.relu()], 1).mul(2);
  },
  calls: ["exp", "relu", "copy", "mul"],
});

onPass("not where a kernel's window would start in the middle of one", {
  pass,
  shapes: [[1, 1, 3, 3]],
  body: ([x], w) =>
    concat([x.exp(), nn.conv2d(x, w(1, 1, 1, 1)), x.relu()], 1).mul(2),
  calls: ["exp", "conv2d", "copy", "relu", "mul"],
});

/** Layers that each read all before them. */
function dense(first: Tensor, w: Weight, layers: number): Tensor {
  const { shape: [, c] } = first;
  const parts = [first];
  for (let k = 1; k <= layers; k++) {
    const all = parts.length === 1 ? first : concat(parts, 1);
    const options = { padding: 1 };
    parts.push(nn.conv2d(all.tanh(), w(c, k * c, 3, 3), options));
  }
  return concat(parts, 1).mul(2);
}

const LAYERS = ["tanh", "conv2d", "tanh", "conv2d", "tanh", "conv2d", "mul"];

onPass("the concatenations of a dense block become slices of the last", {
  pass,
  shapes: [[1, 2, 8, 8]],
  body: ([x], w) => dense(x.exp(), w, 3),
  calls: ["exp", ...LAYERS],
});

onPass("and what must be copied is there before its readers", {
  pass,
  shapes: [[1, 2, 8, 8]],
  body: ([x], w) => dense(x, w, 3),
  calls: ["copy", ...LAYERS],
});

onPass("parts of a dense block that don't lie aligned are concatenated", {
  pass,
  shapes: [[1, 1, 3, 3]],
  body: ([x], w) => dense(x.exp(), w, 2),
  calls: [
    ...["exp", "tanh", "conv2d", "copy", "tanh", "conv2d", "copy", "mul"],
  ],
});
