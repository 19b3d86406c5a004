/** Copies, what is computed twice, padding, transposed products, elementwise chains and what nobody reads. */
import { full, nn, ones, pad as padded, randn } from "../../../mod.ts";
import { onPass } from "../../support/passes.ts";

onPass("copies of what lies contiguous are left out", {
  pass: "copies",
  shapes: [[2, 3]],
  body: ([x]) => x.clone().exp().clone().relu(),
  calls: ["exp", "relu"],
});

onPass("but not those that are results, that turn or cut, or change the type", {
  pass: "copies",
  shapes: [[2, 3]],
  body: ([x]) => [
    x.exp().clone(),
    x.transpose(0, 1).clone().relu(),
    x.slice(0, 1, 2).clone().relu(),
    x.to("i32").relu(),
  ],
  calls: ["exp", "copy", "copy", "relu", "copy", "relu", "copy", "relu"],
});

onPass("what is computed twice from the same is computed once", {
  pass: "common",
  shapes: [[2, 3]],
  body: ([x]) => {
    const [a, b] = [x.exp().mul(2), x.exp().mul(2)];
    return a.relu().add(b.tanh());
  },
  calls: ["exp", "mul", "relu", "tanh", "add"],
});

onPass("but not by other numbers, of other views, nor what is drawn", {
  pass: "common",
  shapes: [[2, 2], [2]],
  body: ([x, y]) => {
    const { dtype } = x;
    const infinite = full([2], Infinity, { dtype });
    const negative = full([2], -Infinity, { dtype });
    return [
      x.mul(2).add(x.mul(3)),
      x.transpose(0, 1).exp().add(x.exp()),
      y.square().add(1).mul(infinite).tanh(),
      y.square().add(1).mul(negative).tanh(),
      randn([2], { dtype }).add(randn([2], { dtype })),
      ones([2], { dtype }).div(full([2], -0, { dtype })).tanh().sub(y),
      ones([2], { dtype }).div(full([2], 0, { dtype })).tanh().sub(y),
    ];
  },
  calls: [
    ...["mul", "mul", "add", "exp", "exp", "add"],
    ...["square", "add", "mul", "tanh", "mul", "tanh"],
    ...["normal", "normal", "add", "sub", "sub"],
  ],
});

onPass("zeros around planes become padding of the convolution", {
  pass: "padding",
  shapes: [[1, 2, 4, 5]],
  body: ([x], w) =>
    nn.conv2d(padded(x, [1, 0, 2, 3]), w(2, 2, 3, 3), { padding: 1 }),
  calls: ["conv2d + pad"],
});

onPass("but not other values, modes, axes or cuts, nor with two readers", {
  pass: "padding",
  shapes: [[1, 2, 4, 4]],
  body: ([x], w) => {
    const shared = padded(x, [1, 1, 1, 1]);
    return [
      nn.conv2d(padded(x, [1, 1, 1, 1], { value: 1 }), w(1, 2, 3, 3)),
      nn.conv2d(padded(x, [1, 1, 1, 1], { mode: "reflect" }), w(1, 2, 3, 3)),
      nn.conv2d(padded(x, [0, 0, 0, 0, 1, 0]), w(1, 3, 3, 3)),
      nn.conv2d(padded(x, [1, -1, 1, 1]), w(1, 2, 3, 3)),
      nn.conv2d(shared, w(1, 2, 3, 3)),
      nn.maxPool2d(shared, 2),
    ];
  },
  calls: [
    ...["pad", "pad", "conv2d", "pad", "conv2d", "pad", "conv2d"],
    ...["pad", "conv2d", "conv2d", "maxPool2dValues"],
  ],
});

onPass("what nobody reads isn't computed", {
  pass: "dead",
  shapes: [[2, 3]],
  body: ([x]) => {
    x.exp().mul(2).sum();
    return x.relu();
  },
  calls: ["relu"],
});

onPass("products that are copied transposed are computed so", {
  pass: "transpose",
  shapes: [[3, 4], [4, 5]],
  body: ([a, b]) => [
    a.matmul(b).transpose(0, 1).contiguous().mul(2),
    b.transpose(0, 1).matmul(a.transpose(0, 1)).transpose(0, 1).contiguous()
      .exp(),
  ],
  calls: ["matmul + transpose", "mul", "matmul + transpose", "exp"],
});

onPass(
  "but not where somebody else reads the product, or it is not one matrix",
  {
    pass: "transpose",
    shapes: [[3, 4], [4, 5], [2, 3, 4]],
    body: ([a, b, c]) => {
      const y = a.matmul(b);
      return [
        y.transpose(0, 1).contiguous().mul(2),
        y.relu(),
        c.matmul(b).transpose(1, 2).contiguous().mul(2),
      ];
    },
    calls: ["matmul", "copy", "mul", "relu", "matmul", "copy", "mul"],
  },
);

onPass("copies that turn a part of a product stay", {
  pass: "transpose",
  shapes: [[3, 4], [4, 5]],
  body: ([a, b]) =>
    a.matmul(b).slice(1, 0, 3).transpose(0, 1).contiguous().mul(2),
  calls: ["matmul", "copy", "mul"],
});
