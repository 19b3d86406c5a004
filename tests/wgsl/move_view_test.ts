import { assertEquals, assertThrows } from "@std/assert";
import { ShapeError } from "../../wgsl/errors.ts";
import { copy } from "../../wgsl/move/copy.ts";
import {
  expand,
  permute,
  reshape,
  reshapedStrides,
  resolveShape,
  slice,
} from "../../wgsl/move/view.ts";
import type { View } from "../../wgsl/op.ts";
import { contiguousView, sizeOf } from "../../wgsl/shape.ts";
import { host, runReference } from "../support/plan.ts";

/** A view of the numbers 0, 1, 2, … */
function counted(shape: readonly number[]): View {
  return contiguousView({ shape, dtype: "f32" });
}

/** What a view of the numbers 0, 1, 2, … shows. */
function shown(view: View, of: number): number[] {
  const x = host(Array(of).keys(), [of]);
  const given = { inputs: [x], views: [view], attrs: { dtype: view.dtype } };
  return [...runReference(copy, given)[0].data];
}

Deno.test("permute shows the axes in another order", () => {
  const view = permute.view(counted([2, 3]), { axes: [1, 0] });
  assertEquals(view.shape, [3, 2]);
  assertEquals(shown(view, 6), [0, 3, 1, 4, 2, 5]);
  const cube = permute.view(counted([2, 3, 4]), { axes: [2, 0, 1] });
  assertEquals([cube.shape, cube.strides], [[4, 2, 3], [1, 12, 4]]);
  assertEquals(permute.view(counted([]), { axes: [] }).shape, []);
});

Deno.test("expand repeats axes of size 1 and puts new ones in front", () => {
  const view = expand.view(counted([3, 1]), { shape: [2, 3, 2] });
  assertEquals(view.strides, [0, 1, 0]);
  assertEquals(shown(view, 3), [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
  assertEquals(shown(expand.view(counted([]), { shape: [3] }), 1), [0, 0, 0]);
  assertEquals(expand.view(counted([1]), { shape: [0] }).shape, [0]);
});

Deno.test("slice shows a box, or every so many elements of it", () => {
  const view = slice.view(counted([4, 5]), {
    starts: [1, 0],
    ends: [3, 5],
    steps: [1, 2],
  });
  assertEquals(view.shape, [2, 3]);
  assertEquals(shown(view, 20), [5, 7, 9, 10, 12, 14]);
  const again = slice.view(view, { starts: [1, 1], ends: [2, 3] });
  assertEquals(shown(again, 20), [12, 14]);
  const empty = slice.view(counted([4]), { starts: [4], ends: [4] });
  assertEquals([empty.shape, empty.offset], [[0], 0]);
});

Deno.test("reshape keeps the order, wherever the view starts", () => {
  const tail = slice.view(counted([4, 6]), { starts: [2, 0], ends: [4, 6] });
  const view = reshape.view(tail, { shape: [3, -1] });
  assertEquals([view.shape, view.strides], [[3, 4], [4, 1]]);
  assertEquals(shown(view, 24), [...Array(24).keys()].slice(12));
});

Deno.test("reshape joins axes over those of size 1, and not over gaps", () => {
  const view = (shape: number[], strides: number[]): View => ({
    shape,
    strides,
    offset: 0,
    dtype: "f32",
  });
  // The stride of an axis of size 1 says nothing.
  assertEquals(reshapedStrides(view([2, 1, 3], [3, 99, 1]), [6]), [1]);
  assertEquals(reshapedStrides(view([2, 1, 3], [3, 99, 1]), [3, 2]), [2, 1]);
  const gaps = view([1, 2, 3], [14, 7, 1]);
  assertEquals(reshapedStrides(gaps, [6]), undefined);
  assertEquals(reshapedStrides(gaps, [2, 1, 3])?.toSpliced(1, 1), [7, 1]);
  const columns = view([4, 6], [1, 4]);
  assertEquals(reshapedStrides(columns, [4, 2, 3]), [1, 12, 4]);
  assertEquals(reshapedStrides(columns, [8, 3]), undefined);
});

Deno.test("resolveShape finds the size that is left open", () => {
  assertEquals(resolveShape([4, 6], [2, -1]), [2, 12]);
  assertEquals(resolveShape([4, 6], [-1]), [24]);
  assertEquals(resolveShape([0, 6], [-1, 3]), [0, 3]);
  assertEquals(resolveShape([], [1, 1]), [1, 1]);
  assertEquals(sizeOf(resolveShape([5], [5])), 5);
});

Deno.test("views name what doesn't fit", () => {
  const x = counted([4, 6]);
  const cases: [() => unknown, string][] = [
    [
      () => resolveShape([4, 6], [5, 5]),
      "Cannot reshape [4, 6] to [5, 5]: 24 elements do not fill 25",
    ],
    [
      () => resolveShape([4, 6], [5, -1]),
      "Cannot reshape [4, 6] to [5, -1]: 24 elements do not divide by 5",
    ],
    [
      () => resolveShape([4, 6], [-1, -1]),
      "Cannot reshape [4, 6] to [-1, -1]: sizes are whole numbers from 0, and one of them may be -1",
    ],
    [
      () => resolveShape([0], [0, -1]),
      "Cannot reshape [0] to [0, -1]: -1 could be any size beside an empty axis, name it",
    ],
    [
      () => permute.view(x, { axes: [0, 0] }),
      "Cannot permute [4, 6] to axes [0, 0]: expected each of its 2 axes once",
    ],
    [
      () => permute.view(x, { axes: [1] }),
      "Cannot permute [4, 6] to axes [1]: expected each of its 2 axes once",
    ],
    [
      () => expand.view(x, { shape: [4, 12] }),
      "Cannot expand [4, 6] to [4, 12]: only axes of size 1 and new ones in front can grow",
    ],
    [
      () => expand.view(x, { shape: [6] }),
      "Cannot expand [4, 6] to [6]: only axes of size 1 and new ones in front can grow",
    ],
    [
      () => slice.view(x, { starts: [0], ends: [2] }),
      "Cannot slice [4, 6] with 1 bounds: expected one for each of its 2 axes",
    ],
    [
      () => slice.view(x, { starts: [0, 2], ends: [4, 7] }),
      "Cannot slice axis 1 of [4, 6] from 2 to 7 in steps of 1: expected 0 ≤ start ≤ end ≤ 6 and a step from 1",
    ],
  ];
  for (const [run, message] of cases) {
    assertEquals(assertThrows(run, ShapeError).message, message);
  }
});
