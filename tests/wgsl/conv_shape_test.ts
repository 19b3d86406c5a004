/** The shape rules of convolutions, and the geometry that their kernels share. */
import { assertEquals, assertThrows } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import {
  forwardCorrelation,
  inputGradientCorrelations,
} from "../../wgsl/conv/correlation.ts";
import {
  type Conv2dAttrs,
  geometryOf,
  type Sides,
} from "../../wgsl/conv/geometry.ts";
import { cutSum, type Trips } from "../../wgsl/conv/cut.ts";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, Meta, Shape } from "../../wgsl/op.ts";
import { PLAIN } from "../support/convolution.ts";
import { PORTABLE_LIMITS } from "../support/plan.ts";

function f32(shape: Shape): Meta {
  return { shape, dtype: "f32" };
}

/** Asserts the shape that convolving gives, or the whole message of its error. */
function assertConv(
  shapes: readonly Shape[],
  attrs: Partial<Conv2dAttrs>,
  want: Shape | string,
): void {
  const infer = () => conv2d.infer(shapes.map(f32), { ...PLAIN, ...attrs });
  if (typeof want !== "string") {
    assertEquals(infer(), [f32(want)]);
    return;
  }
  assertEquals(assertThrows(infer, ShapeError).message, want);
}

Deno.test("the output has the batch of the input, the channels of the weight, and the size that the formula gives", () => {
  assertConv([[8, 3, 32, 32], [16, 3, 5, 5]], {}, [8, 16, 28, 28]);
  assertConv([[8, 3, 224, 224], [64, 3, 7, 7]], {
    stride: [2, 2],
    padding: [3, 3, 3, 3],
  }, [8, 64, 112, 112]);
  assertConv([[1, 4, 10, 11], [6, 2, 3, 2]], {
    stride: [2, 3],
    padding: [1, 2, 0, 4],
    dilation: [2, 3],
    groups: 2,
  }, [1, 6, 5, 4]);
  assertConv([[0, 1, 5, 5], [2, 1, 5, 5], [2]], {}, [0, 2, 1, 1]);
});

Deno.test("channels that don't fit are refused with both counts", () => {
  assertConv(
    [[8, 3, 32, 32], [16, 1, 5, 5]],
    {},
    "Cannot convolve [8, 3, 32, 32] with [16, 1, 5, 5]: the input has 3 channels, the weight expects 1 (1 a group × 1 groups)",
  );
  assertConv(
    [[8, 6, 32, 32], [16, 4, 5, 5]],
    { groups: 2 },
    "Cannot convolve [8, 6, 32, 32] with [16, 4, 5, 5]: the input has 6 channels, the weight expects 8 (4 a group × 2 groups)",
  );
  assertConv(
    [[8, 3, 32, 32], [16, 1, 5, 5]],
    { groups: 2 },
    "Cannot convolve [8, 3, 32, 32] with [16, 1, 5, 5]: 2 groups don't divide 3 input channels",
  );
  assertConv(
    [[8, 6, 32, 32], [16, 2, 5, 5]],
    { groups: 3 },
    "Cannot convolve [8, 6, 32, 32] with [16, 2, 5, 5]: 3 groups don't divide 16 output channels",
  );
  assertConv(
    [[8, 3, 32, 32], [16, 3, 5, 5], [1, 16]],
    {},
    "Cannot convolve [8, 3, 32, 32] with [16, 3, 5, 5]: the bias is [1, 16], expected [16]",
  );
});

Deno.test("tensors of another rank are refused, and a single image told how to become a batch", () => {
  assertConv(
    [[3, 32, 32], [16, 3, 5, 5]],
    {},
    "Cannot convolve [3, 32, 32] with [16, 3, 5, 5]: the input needs 4 axes [batch, channels, height, width], not 3; unsqueeze(0) makes one image a batch, [1, 3, 32, 32]",
  );
  assertConv(
    [[32, 32], [16, 3, 5, 5]],
    {},
    "Cannot convolve [32, 32] with [16, 3, 5, 5]: the input needs 4 axes [batch, channels, height, width], not 2",
  );
  assertConv(
    [[1, 3, 32, 32], [3, 5, 5]],
    {},
    "Cannot convolve [1, 3, 32, 32] with [3, 5, 5]: the weight needs 4 axes [output channels, input channels / groups, height, width], not 3",
  );
});

Deno.test("an output without elements is refused with the formula and its numbers", () => {
  assertConv(
    [[1, 1, 3, 3], [1, 1, 5, 5]],
    {},
    "Cannot convolve [1, 1, 3, 3] with [1, 1, 5, 5]: output height floor((3 + 0 + 0 - 1*(5 - 1) - 1) / 1) + 1 = -1 is not positive",
  );
  assertConv(
    [[1, 1, 9, 6], [1, 1, 3, 3]],
    { stride: [2, 3], padding: [1, 1, 1, 0], dilation: [2, 4] },
    "Cannot convolve [1, 1, 9, 6] with [1, 1, 3, 3]: output width floor((6 + 1 + 0 - 4*(3 - 1) - 1) / 3) + 1 = 0 is not positive",
  );
});

Deno.test("empty planes, channels and kernels are refused", () => {
  const cases: [Shape, Shape, string][] = [
    [[1, 0, 3, 3], [1, 0, 1, 1], "the input has no channels"],
    [[1, 1, 3, 3], [0, 1, 1, 1], "the weight has no output channels"],
    [
      [1, 1, 0, 3],
      [1, 1, 1, 1],
      "the input's height and width must be positive",
    ],
    [
      [1, 1, 3, 3],
      [1, 1, 1, 0],
      "the kernel's height and width must be positive",
    ],
  ];
  for (const [x, w, why] of cases) {
    assertConv(
      [x, w],
      {},
      `Cannot convolve [${x.join(", ")}] with [${w.join(", ")}]: ${why}`,
    );
  }
});

Deno.test("strides, dilations, padding and groups that make no sense are refused", () => {
  const shapes = [[1, 2, 5, 5], [2, 2, 3, 3]];
  const call = "Cannot convolve [1, 2, 5, 5] with [2, 2, 3, 3]";
  const cases: [Partial<Conv2dAttrs>, string][] = [
    [
      { stride: [0, 1] },
      "expected stride [height, width] of 2 integers from 1 to 65535 but found [0, 1]",
    ],
    [
      { stride: [1, 1.5] },
      "expected stride [height, width] of 2 integers from 1 to 65535 but found [1, 1.5]",
    ],
    [
      { dilation: [1, 70000] },
      "expected dilation [height, width] of 2 integers from 1 to 65535 but found [1, 70000]",
    ],
    [
      { padding: [0, -1, 0, 0] },
      "expected padding [top, bottom, left, right] of 4 integers from 0 to 65535 but found [0, -1, 0, 0]",
    ],
    [
      { padding: [1, 1] as unknown as Sides },
      "expected padding [top, bottom, left, right] of 4 integers from 0 to 65535 but found [1, 1]",
    ],
    [{ groups: 0 }, "expected a positive number of groups but found 0"],
    [{ groups: 0.5 }, "expected a positive number of groups but found 0.5"],
  ];
  for (const [attrs, why] of cases) {
    assertConv(shapes, attrs, `${call}: ${why}`);
  }
});

Deno.test("operands must be of one floating-point type", () => {
  const of = (a: DType, b: DType) => () =>
    conv2d.infer([
      { shape: [1, 1, 3, 3], dtype: a },
      { shape: [1, 1, 3, 3], dtype: b },
    ], PLAIN);
  assertEquals(of("f64", "f64")()[0].dtype, "f64");
  const call = "Cannot convolve [1, 1, 3, 3] with [1, 1, 3, 3]";
  assertEquals(
    assertThrows(of("f32", "f16"), DTypeError).message,
    `${call}: expected operands of one type among f32, f16, f64 but found f32, f16`,
  );
  assertEquals(
    assertThrows(of("i32", "i32"), DTypeError).message,
    `${call}: expected operands of one type among f32, f16, f64 but found i32, i32`,
  );
});

Deno.test("gradients check what they are given against the sizes of the convolution", () => {
  const input = (dy: Shape, w: Shape, inputSize: [number, number]) => () =>
    conv2dInputGradient.infer([f32(dy), f32(w)], { ...PLAIN, inputSize });
  assertEquals(input([2, 4, 3, 3], [4, 5, 3, 3], [5, 5])(), [
    f32([2, 5, 5, 5]),
  ]);
  assertEquals(
    assertThrows(input([2, 4, 3, 3], [4, 5, 3, 3], [6, 5]), ShapeError).message,
    "Cannot take [2, 4, 3, 3] back through a convolution with [4, 5, 3, 3] to planes of [6, 5]: expected the gradient of the output [2, 4, 4, 3] but found [2, 4, 3, 3]",
  );
  assertEquals(
    assertThrows(input([2, 4, 3, 3], [4, 5, 3, 3], [0, 5]), ShapeError).message,
    "Cannot take [2, 4, 3, 3] back through a convolution with [4, 5, 3, 3] to planes of [0, 5]: the input's height and width must be positive",
  );
  const weight = (x: Shape, dy: Shape, kernelSize: [number, number]) => () =>
    conv2dWeightGradient.infer([f32(x), f32(dy)], { ...PLAIN, kernelSize });
  assertEquals(weight([2, 5, 5, 5], [2, 4, 3, 3], [3, 3])(), [
    f32([4, 5, 3, 3]),
  ]);
  assertEquals(
    assertThrows(weight([2, 5, 5, 5], [1, 4, 3, 3], [3, 3]), ShapeError)
      .message,
    "Cannot take the gradient of a 3 x 3 kernel between [2, 5, 5, 5] and [1, 4, 3, 3]: expected the gradient of the output [2, 4, 3, 3] but found [1, 4, 3, 3]",
  );
});

/** Which (input, tap, output) triples a convolution multiplies along its rows, as `input:tap:output`, from the definition. */
function triples(
  { input, output, kernel, stride, dilation, padding }: ReturnType<
    typeof geometryOf
  >,
): Set<string> {
  const found = new Set<string>();
  for (let o = 0; o < output[0]; o++) {
    for (let t = 0; t < kernel[0]; t++) {
      const i = o * stride[0] + t * dilation[0] - padding[0];
      if (i >= 0 && i < input[0]) found.add(`${i}:${t}:${o}`);
    }
  }
  return found;
}

Deno.test("correlations of the forward pass and the input gradient multiply the same pairs as the definition", () => {
  for (let seed = 0; seed < 200; seed++) {
    const pick = (salt: number, least: number, most: number) =>
      least +
      (Math.imul(seed + 1, 2654435761 + salt) >>> 8) % (most - least + 1);
    const attrs: Conv2dAttrs = {
      ...PLAIN,
      stride: [pick(2, 1, 5), 1],
      dilation: [pick(4, 1, 5), 1],
      padding: [pick(6, 0, 6), pick(8, 10, 14), 0, 0],
    };
    const rows = pick(10, 1, 3);
    const g = geometryOf([1, 1, pick(12, 1, 9), 2], [1, 1, rows, 2], attrs, "");
    const want = triples(g);

    const forward = forwardCorrelation(g);
    const found = new Set<string>();
    for (let o = 0; o < forward.count[0]; o++) {
      for (let t = 0; t < forward.taps[0]; t++) {
        const i = forward.origin[0] + o * forward.stride[0] +
          t * forward.dilation[0];
        if (i >= 0 && i < forward.source[0]) found.add(`${i}:${t}:${o}`);
      }
    }
    assertEquals(found, want);

    const back = new Set<string>();
    const inputs: number[] = [];
    for (const c of inputGradientCorrelations(g)) {
      for (let n = 0; n < c.count[0]; n++) {
        const i = c.first[0] + n * c.step[0];
        inputs.push(i);
        for (let t = 0; t < c.taps[0]; t++) {
          const o = c.origin[0] + n * c.stride[0] + t * c.dilation[0];
          const tap = c.tapFirst[0] + t * c.tapStep[0];
          if (o >= 0 && o < c.source[0]) back.add(`${i}:${tap}:${o}`);
        }
      }
    }
    assertEquals(back, want);
    assertEquals(
      inputs.sort((a, b) => a - b),
      Array.from({ length: g.input[0] }, (_, i) => i),
    );
  }
});

Deno.test("cut sums cover each tap once and stay below the loop limit", () => {
  const kernels = [[1, 1], [3, 3], [1, 50], [50, 1], [40, 37], [
    7,
    200,
  ]] as const;
  const loops: readonly Trips[] = [
    (channels, [rows, columns]) => channels * (1 + rows * (1 + columns)),
    (channels, [rows, columns]) => channels * rows * Math.ceil(columns / 7),
  ];
  for (const kernel of kernels) {
    for (const tripsOf of loops) {
      for (const maxLoopTrips of [10, 57, 1000, 60000]) {
        const limits = { ...PORTABLE_LIMITS, maxLoopTrips };
        const { ranges, channels } = cutSum(kernel, tripsOf, limits);
        let taps = 0;
        for (const { size } of ranges) {
          taps += size[0] * size[1];
          const trips = tripsOf(channels, size);
          assertEquals(trips <= maxLoopTrips, true, `${kernel}: ${trips}`);
        }
        assertEquals(taps, kernel[0] * kernel[1]);
      }
    }
  }
});
