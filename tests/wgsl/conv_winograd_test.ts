/** Winograd's way to a 3 x 3 convolution agrees with the reference, whatever the sizes, and is chosen where it pays. */
import { assert, assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import type { Conv2dAttrs, Sides } from "../../wgsl/conv/geometry.ts";
import { WINOGRAD_FORMS } from "../../wgsl/conv/winograd_forms.ts";
import type { DType, Limits, Op } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  applicable,
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runVariant,
} from "../support/plan.ts";
import { WINOGRAD_FACTOR } from "../support/tolerance.ts";

/** F(4×4) needs more room than the direct sums, F(2×2) doesn't. */
const FACTORS = { winograd: WINOGRAD_FACTOR, winograd_wide: WINOGRAD_FACTOR };

const FORMS = Object.keys(WINOGRAD_FORMS);

/** The op with Winograd's forms as its only variants, also where they don't pay. */
function alone<Attrs>(op: Op<Attrs>): Op<Attrs> {
  const variants = op.variants.filter(({ name }) => FORMS.includes(name));
  assert(variants.length === FORMS.length);
  return {
    ...op,
    variants: variants.map(({ name, plan }) => ({ name, plan })),
  };
}

function attrsOf(padding: Sides): Conv2dAttrs {
  return { stride: [1, 1], padding, dilation: [1, 1], groups: 1 };
}

interface Options {
  readonly padding?: Sides;
  readonly bias?: boolean;
  readonly limits?: Partial<Limits>;
  readonly dtype?: DType;
}

/** Checks a convolution of `x` with as many filters, and its input gradient. */
async function check(
  x: readonly [number, number, number, number],
  filters: number,
  { padding = [1, 1, 1, 1], bias = false, limits, dtype = "f32" }: Options = {},
): Promise<void> {
  const attrs = attrsOf(padding);
  const w = noise([filters, x[1], 3, 3], 2, dtype);
  const inputs = [
    noise(x, 1, dtype),
    w,
    ...(bias ? [noise([filters], 3, dtype)] : []),
  ];
  const [{ shape }] = conv2d.infer(inputs, attrs);
  const shared = { factors: FACTORS, ...(limits ? { limits } : {}) };
  await checkOp(alone(conv2d), {
    inputs,
    attrs,
    length: 9 * x[1],
    ...shared,
  });
  await checkOp(alone(conv2dInputGradient), {
    inputs: [noise(shape, 4, dtype), w],
    attrs: { ...attrs, inputSize: [x[2], x[3]] },
    length: 9 * filters,
    ...shared,
  });
}

Deno.test("Winograd: planes around the tiles' 4 x 4 agree with the reference", async () => {
  const sizes = [[1, 1], [3, 4], [4, 5], [5, 3], [8, 7], [7, 9], [2, 13]];
  for (const [height, width] of sizes) {
    await check([1, 3, height, width], 2, { bias: true });
  }
});

Deno.test("Winograd: channels around the fours of sums and the tiles' 4 to 16 agree with the reference", async () => {
  for (const channels of [1, 3, 4, 5, 8, 9, 12, 13, 16, 17, 33]) {
    await check([1, channels, 5, 6], 34 - channels, { bias: true });
  }
});

Deno.test("Winograd: batches whose tiles don't make whole eights or sixteens agree with the reference", async () => {
  for (const batch of [1, 2, 3, 5]) await check([batch, 5, 9, 6], 6);
  await check([3, 65, 9, 9], 36);
});

Deno.test("Winograd: padding of each side by its own, none, and beyond the kernel agree with the reference", async () => {
  await check([2, 3, 7, 8], 4, { padding: [0, 0, 0, 0] });
  await check([2, 3, 7, 8], 4, { padding: [0, 2, 1, 0], bias: true });
  await check([1, 2, 3, 4], 3, { padding: [5, 1, 3, 7] });
});

Deno.test("Winograd: images larger than a binding go one by one, and many tiles in several rounds", async () => {
  const limits = { maxStorageBufferBindingSize: 1024 * 1024 };
  await check([3, 16, 86, 90], 3, { bias: true, limits });
  await check([2, 3, 86, 90], 16, { bias: true, limits });
});

Deno.test("Winograd: half-precision operands are transformed and summed in single precision", async () => {
  await check([2, 5, 7, 9], 3, { bias: true, dtype: "f16" });
  await check([1, 3, 4, 5], 17, { dtype: "f16" });
});

Deno.test("Winograd: values worked by hand", async () => {
  const picture = Array.from({ length: 25 }, (_, i) => i % 7);
  // Each of these kernels moves the picture by a row and a column.
  const corner = (at: number) =>
    Array.from({ length: 9 }, (_, i) => Number(i === at));
  const w = host([...corner(0), ...corner(8)], [2, 1, 3, 3]);
  const inputs = [host(picture, [1, 1, 5, 5]), w, host([0, 100], [2])];
  const attrs = attrsOf([1, 1, 1, 1]);
  const moved = (by: number, bias: number) =>
    picture.map((_, i) => {
      const [row, column] = [Math.floor(i / 5) + by, i % 5 + by];
      const inside = Math.min(row, column) >= 0 && Math.max(row, column) < 5;
      return bias + (inside ? picture[row * 5 + column] : 0);
    });
  for (const name of FORMS) {
    const [y] = await runVariant(conv2d, name, { inputs, attrs });
    assertEquals(
      Array.from(y.data, (v) => Math.round(v * 1e4) / 1e4 + 0),
      [...moved(-1, 0), ...moved(1, 100)],
      name,
    );
  }
});

Deno.test("an empty batch is no work for Winograd either", async () => {
  await check([0, 40, 9, 9], 40);
});

Deno.test("Winograd is the default for 3 x 3 taps and 32 channels on each side, from 4 tiles of 2 x 2 or 20 of 4 x 4 on, and no other geometry's", async () => {
  const first = (
    x: readonly number[],
    w: readonly number[],
    change: Partial<Conv2dAttrs> = {},
  ) => {
    const attrs = { ...attrsOf([1, 1, 1, 1]), ...change };
    const inputs = [noise(x), noise(w)];
    return applicable(conv2d, { inputs, attrs })[0];
  };
  assertEquals(first([5, 32, 8, 8], [32, 32, 3, 3]), "winograd_wide");
  assertEquals(first([5, 32, 5, 5], [32, 32, 3, 3]), "winograd_wide");
  assertEquals(first([19, 32, 4, 4], [32, 32, 3, 3]), "winograd_2x2_wide");
  assertEquals(first([1, 32, 4, 3], [32, 32, 3, 3]), "winograd_2x2_wide");
  // Wide products are in tiles of 32 channels, of which 0.7 must be filled.
  assertEquals(first([5, 32, 8, 8], [44, 32, 3, 3]), "winograd");
  assertEquals(first([5, 32, 8, 8], [45, 32, 3, 3]), "winograd_wide");
  assertEquals(first([1, 32, 4, 3], [44, 32, 3, 3]), "winograd_2x2");
  assertEquals(first([3, 32, 2, 2], [32, 32, 3, 3]), "rows");
  assertEquals(first([2, 31, 8, 8], [32, 31, 3, 3]), "rows");
  assertEquals(first([2, 32, 8, 8], [31, 32, 3, 3]), "rows");
  assertEquals(first([2, 32, 9, 9], [32, 32, 3, 2]), "rows");
  assertEquals(first([2, 64, 8, 8], [64, 32, 3, 3], { groups: 2 }), "rows");
  for (const name of ["stride", "dilation"] as const) {
    const two = { [name]: [2, 1] };
    assertEquals(first([2, 32, 17, 8], [32, 32, 3, 3], two), "rows");
  }
  const inputs = [noise([5, 32, 8, 8]), noise([32, 32, 3, 3])];
  const given = { inputs, attrs: attrsOf([1, 1, 1, 1]), factors: FACTORS };
  const ran = await checkOp(conv2d, { ...given, length: 9 * 32 });
  assertEquals(ran.slice(0, FORMS.length), FORMS);
});

Deno.test("Winograd leaves what doesn't fit a binding to the direct kernels", () => {
  const direct = ["tiled", "naive"];
  const all = [...FORMS, ...direct];
  const attrs = attrsOf([1, 1, 1, 1]);
  const names = (x: readonly number[], dtype: "f32" | "f16", bytes: number) => {
    const meta = (shape: readonly number[]) => contiguousView({ shape, dtype });
    const inputs = [meta(x), meta([64, x[1], 3, 3])];
    const outputs = conv2d.infer(inputs, attrs).map(contiguousView);
    const limits = { ...PORTABLE_LIMITS, maxStorageBufferBindingSize: bytes };
    return conv2d.variants
      .filter((v) => v.applies?.({ inputs, outputs, attrs, limits }) ?? true)
      .map(({ name }) => name)
      .filter((name) => all.includes(name));
  };
  assertEquals(names([1, 64, 32, 32], "f32", 2 ** 20), all);
  assertEquals(names([1, 64, 32, 32], "f16", 2 ** 20), all);
  // An image with its 256 bytes of alignment, then the transformed weights, don't fit.
  assertEquals(names([1, 64, 64, 64], "f32", 2 ** 20), direct);
  assertEquals(names([1, 64, 64, 64], "f16", 2 ** 20), all);
  const [, , ...small] = all;
  assertEquals(names([1, 128, 18, 18], "f32", 2 ** 20), small);
  assertEquals(names([1, 257, 18, 18], "f32", 2 ** 20), direct);
});

Deno.test("where weights are constant, F(4x4) is taken from fewer tiles on, as it transforms them once", () => {
  const first = (size: number, constant?: readonly boolean[]) => {
    const inputs = [[1, 128, size, size], [128, 128, 3, 3]].map((shape) =>
      contiguousView({ shape, dtype: "f32" })
    );
    const attrs = {
      stride: [1, 1],
      padding: [1, 1, 1, 1],
      dilation: [1, 1],
      groups: 1,
    } as const;
    const request = {
      inputs,
      outputs: conv2d.infer(inputs, attrs).map(contiguousView),
      attrs,
      limits: PORTABLE_LIMITS,
      ...(constant && { constant }),
    };
    return conv2d.variants.find(({ applies }) => applies?.(request) ?? true)
      ?.name;
  };
  assertEquals(first(14), "winograd_2x2_wide");
  assertEquals(first(14, [false, true]), "winograd_wide");
  assertEquals(first(14, [true, false]), "winograd_2x2_wide");
  assertEquals(first(7, [false, true]), "winograd_2x2_wide");
});
