/** Choosing variants: by measurement, by the adapter's class, by the op's own order. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { DeviceInfo } from "../../core/backend.ts";
import {
  adapterClass,
  candidatesOf,
  kernelsOf,
  shapeClass,
  Tuning,
} from "../../core/gpu/tuning.ts";
import { currentGpu } from "../../core/runtime.ts";
import {
  FileFormatError,
  init,
  loadTuning,
  randn,
  saveTuning,
  scope,
  tune,
} from "../../mod.ts";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import { matmul } from "../../wgsl/matmul/matmul.ts";
import { mean, sum } from "../../wgsl/reduce/reduce.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { PORTABLE_LIMITS } from "../support/plan.ts";

const SOFTWARE: DeviceInfo = {
  backend: "webgpu",
  name: "llvmpipe (LLVM 15.0.6, 256 bits)",
  vendor: "",
  architecture: "",
  software: true,
  features: [],
  limits: PORTABLE_LIMITS,
};
const DISCRETE: DeviceInfo = {
  ...SOFTWARE,
  name: "NVIDIA GeForce RTX 4070",
  software: false,
};

function view(...shape: number[]) {
  return contiguousView({ shape, dtype: "f32" });
}

/** A product of two matrices. */
function product(m: number, k: number, n: number) {
  return {
    inputs: [view(m, k), view(k, n)],
    outputs: [view(m, n)],
    attrs: {},
    limits: PORTABLE_LIMITS,
  };
}

Deno.test("adapters are told apart by their names", () => {
  const named = (name: string) =>
    adapterClass({ ...SOFTWARE, software: false, name });
  assertEquals(adapterClass(SOFTWARE), "software");
  assertEquals(named("NVIDIA GeForce RTX 4070"), "discrete");
  assertEquals(named("Apple M2 Pro"), "apple");
  assertEquals(named("Intel(R) UHD Graphics 620"), "integrated");
});

Deno.test("without measurement a software adapter takes the op's first variant, a discrete GPU the one with workgroup memory", () => {
  const request = product(512, 512, 512);
  assertEquals(new Tuning(SOFTWARE).choose(matmul, request)?.name, "packed");
  assertEquals(new Tuning(DISCRETE).choose(matmul, request)?.name, "workgroup");
});

Deno.test("without measurement a discrete GPU takes the convolutions that stage in workgroup memory, where their blocks are filled, and software adapters im2col for deep layers at strides, and columns for their weights", () => {
  const chosen = (
    info: DeviceInfo,
    x: readonly number[],
    w: readonly number[],
    groups = 1,
  ) => {
    const attrs = {
      stride: [2, 2],
      padding: [1, 1, 1, 1],
      dilation: [1, 1],
      groups,
    } as const;
    const inputs = [view(...x), view(...w)];
    const outputs = conv2d.infer(inputs, attrs).map(contiguousView);
    const tuning = new Tuning(info);
    const limits = PORTABLE_LIMITS;
    const [, , ...kernelSize] = w;
    const gradient = {
      inputs: [inputs[0], outputs[0]],
      outputs: [inputs[1]],
      attrs: { ...attrs, kernelSize: kernelSize as [number, number] },
      limits,
    };
    return [
      tuning.choose(conv2d, { inputs, outputs, attrs, limits })?.name,
      tuning.choose(conv2dWeightGradient, gradient)?.name,
    ];
  };
  const layer = [[1, 64, 56, 56], [128, 64, 3, 3]] as const;
  assertEquals(chosen(SOFTWARE, ...layer), ["rows", "tiled"]);
  assertEquals(chosen(DISCRETE, ...layer), [
    "implicit_gemm_workgroup",
    "implicit_gemm_workgroup",
  ]);
  const deep = [[1, 128, 9, 9], [128, 128, 3, 3]] as const;
  assertEquals(chosen(SOFTWARE, ...deep), ["im2col_matmul", "columns"]);
  assertEquals(
    chosen(SOFTWARE, [1, 128, 14, 14], [128, 128, 3, 3])[0],
    "rows",
    "7 outputs fill most of a tile",
  );
  assertEquals(
    chosen(DISCRETE, ...deep)[0],
    "rows",
    "25 outputs leave most of a block empty",
  );
  assertEquals(
    chosen(DISCRETE, [1, 3, 32, 32], [16, 3, 3, 3]),
    ["rows", "tiled"],
  );
  assertEquals(
    chosen(DISCRETE, [1, 64, 56, 56], [64, 1, 3, 3], 64),
    ["depthwise_workgroup", "depthwise"],
  );
});

Deno.test("without measurement software adapters take convolutions of many tiles and taps a row in pairs of rows", () => {
  const chosen = (info: DeviceInfo, batch: number, taps: number) => {
    const inputs = [view(batch, 6, 14, 14), view(16, 6, taps, taps)];
    const attrs = {
      stride: [1, 1],
      padding: [0, 0, 0, 0],
      dilation: [1, 1],
      groups: 1,
    } as const;
    const outputs = conv2d.infer(inputs, attrs).map(contiguousView);
    const request = { inputs, outputs, attrs, limits: PORTABLE_LIMITS };
    return new Tuning(info).choose(conv2d, request)?.name;
  };
  assertEquals(chosen(SOFTWARE, 64, 5), "row_pairs");
  assertEquals(chosen(SOFTWARE, 64, 3), "rows");
  assertEquals(chosen(SOFTWARE, 1, 5), "rows", "few tiles");
  assertEquals(chosen(DISCRETE, 64, 5), "rows", "few registers");
});

Deno.test("without measurement a discrete GPU reduces long rows in trees, and averages them so too", () => {
  const inputs = [view(1024, 100)];
  const attrs = { axes: [1], keepDims: false };
  for (const op of [sum, mean]) {
    const outputs = op.infer(inputs, attrs).map(contiguousView);
    const request = { inputs, outputs, attrs, limits: PORTABLE_LIMITS };
    assertEquals(new Tuning(DISCRETE).choose(op, request)?.name, "tree");
    assertEquals(new Tuning(SOFTWARE).choose(op, request)?.name, "rows");
  }
});

Deno.test("a measured choice holds for sizes within a factor of two, and ends when a kernel is edited", () => {
  const tuning = new Tuning(SOFTWARE);
  const request = product(400, 400, 400);
  const kernels = kernelsOf(candidatesOf(matmul, request), request);
  const choice = { variant: "tile_8x8", kernels, ms: 1 };
  tuning.choices.set(shapeClass(matmul, request), choice);
  assertEquals(tuning.choose(matmul, request)?.name, "tile_8x8");
  assertEquals(
    tuning.choose(matmul, product(300, 500, 257))?.name,
    "tile_8x8",
  );
  assertEquals(tuning.choose(matmul, product(800, 400, 400))?.name, "packed");
  tuning.choices.set(shapeClass(matmul, request), {
    ...choice,
    kernels: { ...kernels, "wgsl/matmul/tile.wgsl": "00000000" },
  });
  assertEquals(tuning.choose(matmul, request)?.name, "packed");
});

Deno.test("tune measures the variants of the calls that it sees, leaves no memory behind, and its choices survive a file", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const { choices } = currentGpu()!.tuning;
  choices.clear();
  const a = randn([96, 96]);
  const want = await a.matmul(a).array();
  const results = await tune(() => a.matmul(a).dispose());
  assertEquals(results.length, 1);
  const [{ shapeClass: name, ms, before }] = results;
  assertEquals(
    name,
    "matmul f32[<=128,<=128] f32[<=128,<=128] f32[<=128,<=128] {}",
  );
  assertEquals(before, "tile");
  assert(ms.length >= 4 && ms.every(([, time]) => time > 0));
  assert(ms.every(([, time], i) => i === 0 || time >= ms[i - 1][1]));

  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    // Whatever is fastest here, another variant gives the same product.
    const choice = { ...choices.get(name)!, variant: "naive" };
    choices.set(name, choice);
    await saveTuning(path);
    choices.clear();
    await loadTuning(path);
    assertEquals(choices.get(name), choice);
    await Deno.writeTextFile(path, '{"version":0}');
    const error = await assertRejects(() => loadTuning(path), FileFormatError);
    assertEquals(error.rule, "expected tuning of version 1");
    assertEquals(
      error.message,
      `Cannot read ${path}: expected tuning of version 1`,
    );
  } finally {
    choices.clear();
    await Deno.remove(path);
  }
  assertEquals(await a.matmul(a).array(), want);
});

Deno.test("nothing is measured on the CPU device", async () => {
  await init({ device: "cpu", seed: 0 });
  using _ = scope();
  assertEquals(await tune(() => randn([4, 4]).sum()), []);
});
