/** Kernels find their place in a grid that is folded into two dimensions because one doesn't hold its workgroups. */
import { assertEquals } from "@std/assert";
import { copy } from "../../wgsl/move/copy.ts";
import { arange, eye, full, linspace } from "../../wgsl/move/fill.ts";
import { gather, indexSelect, scatterAdd } from "../../wgsl/move/gather.ts";
import { oneHot } from "../../wgsl/move/one_hot.ts";
import { pad } from "../../wgsl/move/pad.ts";
import type { HostArray, View } from "../../wgsl/op.ts";
import { add } from "../../wgsl/pointwise/arithmetic_binary.ts";
import { neg } from "../../wgsl/pointwise/arithmetic_unary.ts";
import { where } from "../../wgsl/pointwise/select.ts";
import { avgPool2d, avgPool2dBackward } from "../../wgsl/pool/avg_pool2d.ts";
import {
  maxPool2d,
  maxPool2dBackward,
  maxPool2dGather,
} from "../../wgsl/pool/max_pool2d.ts";
import { maxPool2dValues } from "../../wgsl/pool/max_pool2d_values.ts";
import { argMax } from "../../wgsl/reduce/arg.ts";
import { cumsum } from "../../wgsl/reduce/cumsum.ts";
import { sum } from "../../wgsl/reduce/reduce.ts";
import { dropout } from "../../wgsl/random/dropout.ts";
import { softmax, softmaxBackward } from "../../wgsl/softmax/softmax.ts";
import { checkFolded } from "../support/folded.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";
import { square } from "../support/pool_windows.ts";

/** Small indices of a shape. */
function indices(shape: readonly number[], below: number): HostArray {
  const { data } = noise(shape, 7, "u32");
  return host(data.map((n) => n % below), shape, "i32");
}

/** A view whose axes don't merge. */
function transposed(rows: number, columns: number): View {
  const shape = [columns, rows];
  return { shape, strides: [1, columns], offset: 0, dtype: "f32" };
}

Deno.test("kernels that fill, copy and pad find their place in a folded grid", async () => {
  const shape = [1300];
  const dtype = "f32";
  const length = 1300;
  const inputs: HostArray[] = [];
  await checkFolded(full, { inputs, attrs: { shape, value: 2, dtype } });
  await checkFolded(arange, {
    inputs,
    attrs: { start: 3, step: 2, length, dtype },
  });
  await checkFolded(linspace, { inputs, attrs: { start: 0, end: 1, length } });
  await checkFolded(eye, { inputs, attrs: { rows: 37, columns: 40, dtype } });
  await checkFolded(copy, { inputs: [noise(shape)], attrs: { dtype } });
  await checkFolded(copy, {
    inputs: [noise([130, 90])],
    views: [transposed(130, 90)],
    attrs: { dtype },
  });
  await checkFolded(pad, {
    inputs: [noise([30, 40])],
    attrs: { before: [1, 2], after: [0, 3] },
  });
});

Deno.test("kernels that gather and scatter find their place in a folded grid", async () => {
  const inputs = [noise([40, 33]), indices([40, 33], 33)];
  await checkFolded(gather, { inputs, attrs: { axis: 1 } });
  await checkFolded(indexSelect, {
    inputs: [noise([40, 33]), indices([37], 33)],
    attrs: { axis: 1 },
  });
  for (const size of [33, 100]) {
    await checkFolded(scatterAdd, {
      inputs,
      attrs: { axis: 1, size },
      length: 33,
    });
  }
  await checkFolded(oneHot, {
    inputs: [indices([100], 13)],
    attrs: { classes: 13, dtype: "f32" },
  });
});

Deno.test("kernels of pooling find their place in a folded grid", async () => {
  const x = noise([4, 5, 26, 16]);
  const inputSize = [26, 16] as const;
  const attrs = square(1);
  const average = { ...attrs, countIncludePad: true };
  const inputs = [x];
  const folded = [
    ...await checkFolded(maxPool2d, { inputs, attrs }),
    ...await checkFolded(maxPool2dValues, { inputs, attrs }),
    ...await checkFolded(avgPool2d, { inputs, attrs: average }),
    ...await checkFolded(avgPool2dBackward, {
      inputs,
      attrs: { ...average, inputSize },
    }),
  ];
  const [y, places] = runReference(maxPool2d, { inputs, attrs });
  const back = { attrs: { ...attrs, inputSize } };
  folded.push(
    ...await checkFolded(maxPool2dBackward, { ...back, inputs: [y, places] }),
    ...await checkFolded(maxPool2dGather, { ...back, inputs: [x, places] }),
  );
  assertEquals(folded, [
    "pool/max_pool2d.wgsl",
    "pool/max_pool2d_tiled.wgsl",
    "pool/max_pool2d_values.wgsl",
    "pool/max_pool2d_values_tiled.wgsl",
    "pool/avg_pool2d.wgsl",
    "pool/avg_pool2d_tiled.wgsl",
    "pool/avg_pool2d_backward.wgsl",
    "pool/avg_pool2d_backward_tiled.wgsl",
    "pool/max_pool2d_backward.wgsl",
    "pool/max_pool2d_backward_tiled.wgsl",
    "pool/max_pool2d_gather.wgsl",
  ]);
});

Deno.test("elementwise kernels find their place in a folded grid", async () => {
  const a = noise([70, 100]);
  const b = noise([70, 100], 2);
  const condition = noise([70, 100], 3, "bool");
  const variants = ["vec4", "naive"];
  const given = { attrs: {}, variants };
  await checkFolded(neg, { ...given, inputs: [a] });
  await checkFolded(add, { ...given, inputs: [a, b] });
  await checkFolded(where, { ...given, inputs: [condition, a, b] });
});

Deno.test("elementwise kernels walk rows that take several workgroups each", async () => {
  const [x, y] = [noise([9, 1300]), noise([1300, 9], 2)];
  const truth = noise([1300, 9], 3, "bool");
  const view = transposed(1300, 9);
  const condition = { ...view, dtype: "bool" as const };
  const attrs = {};
  await checkOp(neg, { inputs: [x], views: [view], attrs });
  await checkOp(add, { inputs: [x, y], views: [undefined, view], attrs });
  await checkOp(where, {
    inputs: [truth, x, y],
    views: [condition, undefined, view],
    attrs,
  });
});

Deno.test("elementwise kernels walk six axes that don't merge, each operand its own way", async () => {
  // The second has last axes long enough for the kernels that spread them over the dispatch.
  for (const shape of [[4, 2, 3, 6, 2, 3], [3, 2, 4, 5, 9, 16]]) {
    const view = (order: readonly number[], dtype: "f32" | "bool"): View => {
      const strides = new Array<number>(6);
      let step = 1;
      for (const axis of order) {
        strides[axis] = step;
        step *= shape[axis];
      }
      return { shape, strides, offset: 0, dtype };
    };
    const a = view([0, 2, 4, 1, 3, 5], "f32");
    const b = view([3, 1, 5, 0, 4, 2], "f32");
    const c = view([2, 0, 1, 5, 3, 4], "bool");
    const size = [shape.reduce((n, m) => n * m)];
    const [x, y] = [noise(size), noise(size, 2)];
    const truth = noise(size, 3, "bool");
    const attrs = {};
    const ran = [
      await checkOp(neg, { inputs: [x], views: [a], attrs }),
      await checkOp(add, { inputs: [x, y], views: [a, b], attrs }),
      await checkOp(where, { inputs: [truth, x, y], views: [c, a, b], attrs }),
    ];
    const want = shape[5] === 16 ? ["grid", "naive"] : ["naive"];
    assertEquals(ran, [want, want, want]);
  }
});

Deno.test("reductions, running sums and gathering walk five axes that don't merge", async () => {
  const shape = [2, 3, 2, 3, 4, 2];
  const order = [4, 1, 5, 0, 3, 2];
  const strides = new Array<number>(6);
  let step = 1;
  for (const axis of order) {
    strides[axis] = step;
    step *= shape[axis];
  }
  const views: View[] = [{ shape, strides, offset: 2, dtype: "f32" }];
  const inputs = [noise([290])];
  for (const axes of [[2], [0, 1, 2, 4, 5], [1, 3, 5]]) {
    const attrs = { axes, keepDims: false };
    await checkOp(sum, { inputs, views, attrs, length: 96 });
  }
  for (const axis of [3, 4]) {
    const attrs = { axis, reverse: false };
    await checkOp(cumsum, { inputs, views, attrs, length: 4 });
    await checkOp(argMax, { inputs, views, attrs: { axis, keepDims: true } });
    await checkOp(gather, {
      inputs: [...inputs, indices(shape, 3)],
      views: [...views, undefined],
      attrs: { axis },
    });
  }
});

Deno.test("sums walk eight axes with gaps between them", async () => {
  const shape = new Array<number>(8).fill(2);
  // 255, 127, …, 1: no two axes merge.
  const strides = shape.map((_, axis) => 2 ** (8 - axis) - 1);
  await checkOp(sum, {
    inputs: [noise([600])],
    views: [{ shape, strides, offset: 0, dtype: "f32" }],
    attrs: { axes: shape.map((_, axis) => axis), keepDims: false },
    length: 256,
  });
});

Deno.test("dropout and softmax find their place in a folded grid", async () => {
  await checkFolded(dropout, {
    inputs: [noise([3000])],
    attrs: { key: [1, 2], counter: 3, p: 0.25 },
  });
  const inputs = [noise([330, 3]), noise([330, 3], 2)];
  const attrs = { axis: 1 };
  await checkFolded(softmax, { inputs: inputs.slice(1), attrs, length: 3 });
  await checkFolded(softmaxBackward, { inputs, attrs, length: 3 });
});
