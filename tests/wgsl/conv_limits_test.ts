/** Convolutions keep to a device's limits: bindings, loop trips and workgroups. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { Conv2dAttrs, Pair } from "../../wgsl/conv/geometry.ts";
import { LimitError } from "../../wgsl/errors.ts";
import type { AnyOp, DType, Limits, Plan, Shape } from "../../wgsl/op.ts";
import { contiguousView, itemBytes, sizeOf } from "../../wgsl/shape.ts";
import { checkOp, noise, PORTABLE_LIMITS } from "../support/plan.ts";

const MIB = 1024 * 1024;
const BOTH = ["tiled", "naive"];

/** One of the three forms: its op, the shapes of its inputs, its attributes and how many terms it sums. */
interface Form {
  readonly op: AnyOp;
  readonly shapes: readonly Shape[];
  readonly attrs: unknown;
  readonly length: number;
}

/** The three forms of a 3 x 3 convolution with padding 1, or another kernel without. */
function formsOf(
  x: readonly [number, number, number, number],
  filters: number,
  { kernel = [3, 3], groups = 1, bias = false }: {
    kernel?: Pair;
    groups?: number;
    bias?: boolean;
  } = {},
): [Form, Form, Form] {
  const side = kernel[0] === 3 ? 1 : 0;
  const attrs: Conv2dAttrs = {
    stride: [1, 1],
    padding: [side, side, side, side],
    dilation: [1, 1],
    groups,
  };
  const w = [filters, x[1] / groups, ...kernel];
  const f32 = (shape: Shape) => ({ shape, dtype: "f32" as const });
  const [{ shape: dy }] = conv2d.infer([f32(x), f32(w)], attrs);
  const inputSize: Pair = [x[2], x[3]];
  const taps = kernel[0] * kernel[1];
  return [
    {
      op: conv2d,
      shapes: bias ? [x, w, [filters]] : [x, w],
      attrs,
      length: w[1] * taps,
    },
    {
      op: conv2dInputGradient,
      shapes: [dy, w],
      attrs: { ...attrs, inputSize },
      length: filters / groups * taps,
    },
    {
      op: conv2dWeightGradient,
      shapes: [x, dy],
      attrs: { ...attrs, kernelSize: kernel },
      length: x[0] * dy[2] * dy[3],
    },
  ];
}

async function check(
  { op, shapes, attrs, length }: Form,
  limits: Partial<Limits>,
  dtype: DType = "f32",
  variants = BOTH,
): Promise<void> {
  const inputs = shapes.map((shape, i) => noise(shape, i + 1, dtype));
  const given = { inputs, attrs, limits, length, variants };
  assertEquals(await checkOp(op, given), variants);
}

/** The plan of a variant, where it applies. */
function planOf(
  { op, shapes, attrs }: Form,
  name: string,
  limits: Limits,
): Plan | undefined {
  const inputs = shapes.map((shape) => contiguousView({ shape, dtype: "f32" }));
  const outputs = op.infer(inputs, attrs).map(contiguousView);
  const request = { inputs, outputs, attrs, limits };
  const variant = op.variants.find((v) => v.name === name);
  assert(variant);
  return variant.applies?.(request) === false
    ? undefined
    : variant.plan(request);
}

/** Counts of launches by form and variant, to see that operands were cut indeed. */
function launchCounts(forms: readonly Form[], limits: Limits) {
  return forms.map((form) =>
    BOTH.map((variant) => planOf(form, variant, limits)?.launches.length)
  );
}

const SMALL = { maxStorageBufferBindingSize: MIB };

Deno.test("batches of images larger than a binding are cut by image", async () => {
  for (const form of formsOf([15, 3, 96, 96], 3)) await check(form, SMALL);
});

Deno.test("one image larger than a binding is cut by channels, and sums go on from launch to launch", async () => {
  for (const form of formsOf([1, 48, 96, 96], 2, { bias: true })) {
    await check(form, SMALL);
  }
  for (const form of formsOf([1, 2, 96, 96], 48, { bias: true })) {
    await check(form, SMALL);
  }
});

Deno.test("weights larger than a binding are cut by output channels, then input channels", async () => {
  for (const form of formsOf([2, 160, 3, 4], 320, { bias: true })) {
    await check(form, SMALL);
  }
});

Deno.test("where a tile of filters doesn't fit a binding, the naive kernel takes them one by one", async () => {
  const limits = { maxStorageBufferBindingSize: 32768 };
  const [forward] = formsOf([1, 300, 2, 40], 2, { kernel: [1, 31] });
  await check(forward, limits, "f32", ["naive"]);
});

Deno.test("groups larger than a binding together are cut between and inside groups", async () => {
  const forms = formsOf([1, 42, 96, 96], 42, { groups: 6, bias: true });
  for (const form of forms) await check(form, SMALL);
});

Deno.test("half-precision operands are cut as well", async () => {
  for (const form of formsOf([1, 60, 96, 97], 2)) {
    await check(form, SMALL, "f16");
  }
});

Deno.test("a limit of 1 MiB really cuts these operands", () => {
  const limits = { ...PORTABLE_LIMITS, ...SMALL };
  assertEquals(launchCounts(formsOf([15, 3, 96, 96], 3), limits), [
    [3, 2],
    [3, 2],
    [7, 3],
  ]);
  assertEquals(launchCounts(formsOf([1, 48, 96, 96], 2), limits), [
    [3, 2],
    [3, 2],
    [6, 4],
  ]);
});

Deno.test("sums longer than the loop limit go on from launch to launch", async () => {
  const limits = { maxLoopTrips: 1000 };
  for (const form of formsOf([2, 130, 3, 5], 140, { bias: true })) {
    await check(form, limits);
  }
  for (const form of formsOf([1, 2, 41, 52], 3, { kernel: [40, 41] })) {
    await check(form, limits);
  }
  const [forward, input] = formsOf([1, 1, 1, 1300], 2, { kernel: [1, 1201] });
  await check(forward, limits);
  await check(input, limits);
});

Deno.test("a weight gradient over more outputs than parts can take is summed in rounds", async () => {
  const [, , weight] = formsOf([3, 1, 80, 81], 2);
  await check(weight, { maxLoopTrips: 100 });
});

Deno.test("launches fold into two dimensions where one allows too few workgroups", async () => {
  for (const form of formsOf([2, 9, 9, 11], 5)) {
    await check(form, { maxComputeWorkgroupsPerDimension: 7 });
  }
});

/** Checks a plan against limits and the buffers that it binds, without running it. */
function assertKeeps(form: Form, plan: Plan, limits: Limits): void {
  const { op, shapes, attrs } = form;
  const metas = shapes.map((shape) => ({ shape, dtype: "f32" as const }));
  const bytes = (list: readonly { shape: Shape; dtype: DType }[]) =>
    list.map(({ shape, dtype }) => sizeOf(shape) * itemBytes(dtype));
  const sizes = {
    input: bytes(metas),
    output: bytes(op.infer(metas, attrs)),
    scratch: plan.scratch ?? [],
  };
  for (const size of sizes.scratch) assert(size <= limits.maxBufferSize);
  for (const launch of plan.launches) {
    const { label } = launch.kernel;
    assert(launch.trips <= limits.maxLoopTrips, `${label}: ${launch.trips}`);
    for (const n of launch.workgroups) assert(n >= 1 && n <= 65535, label);
    for (const { slot, index, offset, size } of launch.bindings) {
      assert(offset % 256 === 0 && size % 4 === 0, label);
      assert(size <= limits.maxStorageBufferBindingSize, `${label}: ${size}`);
      assert(
        offset + size <= Math.ceil(sizes[slot][index] / 4) * 4,
        `${label}: ${slot} ${index} ends at ${offset + size}`,
      );
    }
  }
}

Deno.test("plans for the layers of large networks keep to portable limits", () => {
  const layers = [
    formsOf([64, 64, 224, 224], 64, { bias: true }),
    formsOf([256, 3, 224, 224], 64),
    formsOf([64, 512, 28, 28], 512),
    formsOf([1, 512, 7, 7], 4096, { kernel: [7, 7] }),
    formsOf([32, 512, 56, 56], 512, { groups: 512 }),
    formsOf([8, 2048, 7, 7], 2048, { kernel: [1, 1] }),
  ];
  for (const form of layers.flat()) {
    for (const variant of BOTH) {
      const plan = planOf(form, variant, PORTABLE_LIMITS);
      if (!plan) continue;
      assertKeeps(form, plan, PORTABLE_LIMITS);
      assert(plan.launches.length < 200, `${plan.launches.length} launches`);
    }
  }
});

Deno.test("a plane larger than a binding is refused with its bytes and the limit", () => {
  const limits = { ...PORTABLE_LIMITS, ...SMALL };
  for (const form of formsOf([1, 1, 600, 500], 1)) {
    const error = assertThrows(() => planOf(form, "naive", limits), LimitError);
    assertEquals(
      error.message,
      "Cannot convolve 600 x 500 planes: one plane of the input takes 1200000 bytes, and the device's maxStorageBufferBindingSize is 1048576",
    );
    assertEquals([error.asked, error.limit], [1200000, MIB]);
  }
});
