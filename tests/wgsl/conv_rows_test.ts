/** Convolutions and their input gradients whose inputs are read as vectors, a row of taps at a time. */
import { assert, assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import type { FusedConv2dAttrs, Pair } from "../../wgsl/conv/geometry.ts";
import type { DType, Limits, Shape } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { PLAIN } from "../support/convolution.ts";
import {
  applicable,
  checkOp,
  noise,
  PORTABLE_LIMITS,
  runVariant,
} from "../support/plan.ts";
import { countTrips } from "../support/trips.ts";

const ROWS = ["rows"];
const BOTH = ["rows", "row_pairs"];

interface Given {
  readonly x: Shape;
  readonly w: Shape;
  readonly attrs?: Partial<FusedConv2dAttrs>;
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
  /** @default ROWS */
  readonly variants?: readonly string[];
}

function forwardOf({ x, w, attrs, dtype, limits, variants = ROWS }: Given) {
  return {
    inputs: [noise(x, 1, dtype), noise(w, 2, dtype)],
    attrs: { ...PLAIN, ...attrs },
    length: w[1] * w[2] * w[3],
    limits,
    variants,
  };
}

async function checkForward(given: Given): Promise<void> {
  const ran = await checkOp(conv2d, forwardOf(given));
  assertEquals(ran, given.variants ?? ROWS);
}

/** The gradient in x, of an output of the convolution. */
async function checkBack(given: Given): Promise<void> {
  const { x, w, dtype } = given;
  const forward = forwardOf(given);
  const [{ shape }] = conv2d.infer(forward.inputs, forward.attrs);
  assertEquals(
    await checkOp(conv2dInputGradient, {
      ...forward,
      inputs: [noise(shape, 3, dtype), forward.inputs[1]],
      attrs: { ...forward.attrs, inputSize: [x[2], x[3]] as Pair },
      length: w[0] / (forward.attrs.groups ?? 1) * w[2] * w[3],
    }),
    given.variants ?? ROWS,
  );
}

Deno.test("rows of 1 to 7 taps, of all numbers of rows, agree with the reference", async () => {
  for (const taps of [1, 2, 3, 4, 5, 6, 7]) {
    const given: Given = { x: [2, 2, 9, 18], w: [3, 2, 8 - taps, taps] };
    await checkForward(given);
    await checkBack({ ...given, x: [4, 2, 9, 18] });
  }
});

Deno.test("rows of 2 to 7 taps at stride 2 agree with the reference", async () => {
  for (const taps of [2, 3, 4, 5, 6, 7]) {
    await checkForward({
      x: [2, 2, 9, 38],
      w: [3, 2, 8 - taps, taps],
      attrs: { stride: [2, 2] },
    });
  }
});

Deno.test("rows of outputs around tiles of 8 and 16, which start and end within a vector, agree with the reference", async () => {
  for (const width of [6, 7, 8, 9, 10, 15, 16, 17, 24, 25, 33]) {
    for (const [left, right] of [[0, 0], [1, 2], [3, 1]] as const) {
      const attrs = { padding: [1, 0, left, right] } as const;
      await checkForward({ x: [4, 3, 4, width], w: [9, 3, 3, 3], attrs });
      await checkForward({
        x: [4, 3, 5, 2 * width],
        w: [9, 3, 2, 5],
        attrs: { ...attrs, stride: [1, 2] },
      });
    }
  }
});

Deno.test("channels around a tile's fours, alone in a tile and in several, agree with the reference", async () => {
  for (const filters of [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 19]) {
    for (const width of [10, 20]) {
      await checkForward({ x: [4, 2, 3, width], w: [filters, 2, 2, 3] });
      await checkForward({
        x: [4, 2, 3, 2 * width],
        w: [filters, 2, 2, 3],
        attrs: { stride: [1, 2] },
      });
    }
  }
});

Deno.test("strides and dilations down the plane, and groups, agree with the reference", async () => {
  const given: Given = {
    x: [4, 6, 13, 11],
    w: [9, 2, 3, 3],
    attrs: {
      stride: [3, 1],
      dilation: [2, 1],
      groups: 3,
      padding: [2, 3, 1, 1],
    },
  };
  await checkForward(given);
  await checkBack(given);
  await checkForward({ ...given, attrs: { ...given.attrs, stride: [3, 2] } });
});

Deno.test("input gradients at stride 2, one correlation a remainder, agree with the reference", async () => {
  await checkBack({
    x: [4, 5, 14, 14],
    w: [8, 5, 3, 3],
    attrs: { stride: [2, 2], padding: [1, 1, 1, 1] },
  });
  await checkBack({
    x: [4, 3, 15, 22],
    w: [4, 3, 7, 7],
    attrs: { stride: [2, 2], padding: [3, 3, 3, 3] },
  });
});

Deno.test("pairs of rows, with a last one alone and without, agree with the reference", async () => {
  for (const height of [2, 3, 4, 5]) {
    for (const rows of [2, 3, 5]) {
      const given: Given = {
        x: [4, 3, height, 18],
        w: [6, 3, rows, 5],
        attrs: { padding: [rows >> 1, rows - 1 >> 1, 2, 2] },
        variants: BOTH,
      };
      await checkForward(given);
      await checkBack(given);
    }
  }
});

Deno.test("pairs of rows at strides and dilations, in groups, of half precision and cut for limits agree with the reference", async () => {
  const given: Given = {
    x: [4, 6, 13, 22],
    w: [9, 2, 3, 5],
    attrs: { groups: 3, padding: [2, 3, 1, 1] },
    variants: BOTH,
  };
  await checkForward(given);
  const down = { stride: [2, 1], dilation: [2, 1] } as const;
  await checkForward({ ...given, attrs: { ...given.attrs, ...down } });
  const across = { stride: [1, 2] } as const;
  await checkForward({ ...given, attrs: { ...given.attrs, ...across } });
  await checkForward({ ...given, dtype: "f16" });
  await checkBack({ ...given, dtype: "f16" });
  for (const maxLoopTrips of [34, 39]) {
    await checkForward({ ...given, limits: { maxLoopTrips } });
    await checkBack({ ...given, limits: { maxLoopTrips } });
  }
});

Deno.test("half-precision inputs are read, and outputs stored, as vectors of theirs", async () => {
  for (const width of [19, 20]) {
    const given: Given = {
      x: [4, 3, 5, width],
      w: [6, 3, 3, 5],
      attrs: { padding: [1, 1, 2, 2] },
      dtype: "f16",
    };
    await checkForward(given);
    await checkBack(given);
    await checkForward({ ...given, attrs: { stride: [2, 2] } });
  }
});

Deno.test("sums and operands that are cut for a device's limits agree with the reference", async () => {
  for (const width of [8, 9]) {
    for (const maxLoopTrips of [18, 23]) {
      const given: Given = {
        x: [4, 5, 6, width],
        w: [6, 5, 3, 3],
        attrs: { padding: [1, 1, 1, 1] },
        limits: { maxLoopTrips },
      };
      await checkForward(given);
      await checkBack(given);
    }
  }
  // Images start within a vector.
  await checkForward({
    x: [24, 3, 21, 23],
    w: [5, 3, 3, 3],
    limits: { maxStorageBufferBindingSize: 64 * 1024 },
  });
});

Deno.test("a sum's epilogue is what finishes it, once", async () => {
  const epilogue = {
    bias: true,
    residual: true,
    activation: { name: "relu" },
  } as const;
  for (const width of [19, 20]) {
    const given = forwardOf({
      x: [4, 3, 5, width],
      w: [6, 3, 3, 3],
      attrs: { padding: [1, 1, 1, 1], epilogue },
      variants: BOTH,
    });
    const residual = noise([4, 6, 5, width], 4);
    const inputs = [...given.inputs, noise([6], 3), residual];
    assertEquals(await checkOp(conv2d, { ...given, inputs }), BOTH);
    // Few enough that each is cut.
    for (
      const [variant, maxLoopTrips] of [["rows", 20], [
        "row_pairs",
        36,
      ]] as const
    ) {
      const variants = [variant];
      const cut = { ...given, inputs, limits: { maxLoopTrips }, variants };
      assertEquals(await checkOp(conv2d, cut), variants);
    }
  }
});

Deno.test("an infinite input is seen by its own outputs only, not by those of the row before", async () => {
  const given = forwardOf({
    x: [4, 1, 3, 9],
    w: [1, 1, 1, 3],
    attrs: { padding: [0, 0, 1, 1] },
  });
  const x = given.inputs[0];
  x.data[9] = Infinity;
  const [y] = await runVariant(conv2d, "rows", given);
  const spoilt = Array.from(y.data, Number).flatMap((v, i) =>
    Number.isFinite(v) ? [] : [i]
  );
  assertEquals(spoilt, [9, 10]);
});

Deno.test("infinite inputs and weights are seen by their own outputs only, not by the other row of a pair", async () => {
  for (const row of [0, 1, 2, 3, 4, 5]) {
    const given = forwardOf({ x: [2, 2, 6, 10], w: [2, 2, 3, 3] });
    const [x, w] = given.inputs;
    // All else is positive, so that no two infinities of unlike signs meet.
    for (const { data } of [x, w]) {
      for (let i = 0; i < data.length; i++) data[i] = Math.abs(Number(data[i]));
    }
    x.data[10 * row] = Infinity;
    w.data[row] = Infinity;
    const [one, pairs] = await Promise.all(
      BOTH.map((name) => runVariant(conv2d, name, given)),
    );
    const kinds = (data: ArrayLike<unknown>) =>
      Array.from(data, (value) => Number.isFinite(Number(value)));
    assertEquals(kinds(pairs[0].data), kinds(one[0].data));
    assert(!Array.from(pairs[0].data, Number).some(Number.isNaN));
  }
});

Deno.test("inputs that don't end with a vector, dilated rows, single taps at strides and more than 7 are left to other kernels", () => {
  const takes = (x: Shape, w: Shape, attrs: Partial<FusedConv2dAttrs> = {}) =>
    applicable(conv2d, forwardOf({ x, w, attrs })).includes("rows");
  assert(takes([1, 2, 9, 10], [3, 2, 3, 3]));
  assert(!takes([1, 1, 9, 9], [3, 1, 3, 3]));
  assert(!takes([1, 4, 9, 9], [3, 4, 3, 8]));
  assert(takes([1, 4, 9, 9], [3, 4, 8, 3]));
  assert(!takes([1, 4, 9, 9], [3, 4, 3, 3], { dilation: [1, 2] }));
  assert(!takes([1, 4, 9, 9], [3, 4, 3, 3], { stride: [1, 3] }));
  assert(!takes([1, 4, 9, 9], [3, 4, 3, 1], { stride: [1, 2] }));
});

Deno.test("a pair's rows of outputs stand as far apart as lines of taps, and have more than one", () => {
  const pairs = (
    x: Shape,
    w: Shape,
    attrs: Partial<FusedConv2dAttrs> = {},
  ) => applicable(conv2d, forwardOf({ x, w, attrs })).includes("row_pairs");
  assert(pairs([4, 4, 9, 9], [3, 4, 3, 3]));
  assert(pairs([4, 4, 9, 9], [3, 4, 3, 3], { stride: [1, 2] }));
  assert(!pairs([4, 4, 9, 9], [3, 4, 3, 3], { stride: [2, 1] }));
  assert(!pairs([4, 4, 9, 9], [3, 4, 3, 3], { dilation: [2, 1] }));
  assert(!pairs([4, 4, 9, 9], [3, 4, 9, 3]));
  assert(!pairs([4, 4, 9, 9], [3, 4, 1, 3]));
});

Deno.test("rows of outputs that are made of vectors are stored as such, others one by one", () => {
  const stored = (width: number) => {
    const given = forwardOf({ x: [4, 2, 5, width + 2], w: [3, 2, 3, 3] });
    const { variants } = conv2d;
    const outputs = conv2d.infer(given.inputs, given.attrs);
    const { launches } = variants.find(({ name }) => name === "rows")!.plan({
      inputs: given.inputs.map(contiguousView),
      outputs: outputs.map(contiguousView),
      attrs: given.attrs,
      limits: PORTABLE_LIMITS,
    });
    return launches.at(-1)!.declarations?.match(/alias Y = (.*);/)?.[1];
  };
  assertEquals([19, 20, 22, 24].map(stored), ["T", "vec4<T>", "T", "vec4<T>"]);
});

Deno.test("rows state the trips that they run, and pack their weights first", async () => {
  const given = forwardOf({
    x: [2, 9, 8, 11],
    w: [13, 9, 3, 5],
    attrs: { stride: [1, 2], padding: [1, 1, 1, 1] },
  });
  for (const variant of BOTH) {
    const trips = await countTrips(conv2d, variant, given);
    assertEquals(trips.map(({ label }) => label), [
      "wgsl/conv/pack_weights.wgsl",
      "wgsl/conv/conv2d_rows.wgsl",
    ]);
    for (const { stated, counted } of trips) assertEquals(stated, counted);
  }
});
