import { concat, stack, tensor } from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { gather, indexSelect, scatterAdd } from "../../wgsl/move/gather.ts";
import { pad } from "../../wgsl/move/pad.ts";
import { sample, testGradients } from "../support/gradcheck.ts";

testGradients(
  "permute and transpose have their derivatives",
  (x) => [
    x.permute([2, 0, 1]).square(),
    x.transpose(0, 1).square(),
    x.transpose().transpose(0, 1).square(),
  ],
  [sample([2, 3, 2], 1)],
);

testGradients(
  "reshape, flatten, squeeze and unsqueeze have their derivatives",
  (x) => [
    x.reshape([4, 3]).square(),
    x.flatten(1).square(),
    x.squeeze(1).square(),
    x.unsqueeze(0).square(),
    x.permute([2, 1, 0]).reshape([6, 2]).square(),
  ],
  [sample([2, 1, 6], 2)],
);

testGradients(
  "expand sums over the axes that it repeats",
  (x, y) => [
    x.expand([2, 3, 2]).square(),
    x.expand([-1, 2]).square(),
    y.expand([2, 2]).square(),
  ],
  [sample([3, 1], 3), sample([], 4)],
);

testGradients(
  "sumTo repeats what it summed",
  (
    x,
  ) => [x.sumTo([3]).square(), x.sumTo([2, 1]).square(), x.sumTo([]).square()],
  [sample([2, 3], 3)],
);

testGradients(
  "slice, select and split have their derivatives, with steps too",
  (x) => [
    x.slice(1, 1, 4).square(),
    x.slice(1, 0, 5, 2).square(),
    x.slice(1, 1, 5, 3).slice(0, 1).square(),
    x.slice(0, 1, 1).square(),
    x.select(1, -1).square(),
    ...x.split(2, 1).map((part) => part.square()),
  ],
  [sample([2, 5], 4)],
);

testGradients(
  "contiguous and clone have their derivatives",
  (x) => [x.transpose().contiguous().square(), x.clone().square()],
  [sample([2, 3], 4)],
);

testGradients(
  "concat and stack have their derivatives along each axis",
  (x, y) => [
    concat([x, y], 0).square(),
    concat([x, x.square(), x], 1),
    stack([x, x.neg()], 2).square(),
    stack([x.transpose(), x.transpose()], -1).square(),
  ],
  [sample([2, 3], 5), sample([1, 3], 6)],
);

testGradients(
  "gather has its derivatives where an element is picked often or never",
  (x) => [
    x.gather(0, tensor([[0, 1, 1], [0, 0, 1]], { dtype: "i32" })).square(),
    x.gather(1, tensor([[2], [2]], { dtype: "u32" })).square(),
    x.gather(1, tensor([[0, 0, 0, 2]], { dtype: "i32" })).square(),
    apply(gather, [x, tensor([[1]], { dtype: "i32" })], { axis: -1 })[0],
  ],
  [sample([2, 3], 7)],
);

testGradients(
  "indexSelect has its derivatives",
  (x) => {
    const index = tensor([2, 0, 2, 2], { dtype: "i32" });
    return [
      apply(indexSelect, [x, index], { axis: 1 })[0].square(),
      apply(indexSelect, [x.transpose(), index], { axis: 0 })[0].square(),
    ];
  },
  [sample([2, 3], 8)],
);

testGradients(
  "scatterAdd has its derivatives",
  (x) => {
    const index = tensor([[1, 1, 0], [3, 0, 0]], { dtype: "i32" });
    return [
      apply(scatterAdd, [x, index], { axis: 1, size: 4 })[0].square(),
      apply(scatterAdd, [x, index], { axis: 0, size: 4 })[0].square(),
    ];
  },
  [sample([2, 3], 9)],
);

testGradients(
  "pad has its derivatives in each mode",
  (x) => [
    apply(pad, [x], { before: [1, 0], after: [0, 2], value: 3 })[0].square(),
    apply(pad, [x], { before: [0, 1], after: [1, 0], steps: [2, 3] })[0]
      .square(),
    apply(pad, [x], { before: [1, 2], after: [1, 1], mode: "reflect" })[0]
      .square(),
    apply(pad, [x], { before: [0, 2], after: [2, 1], mode: "replicate" })[0]
      .square(),
  ],
  [sample([2, 3], 1)],
);
