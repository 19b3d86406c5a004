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
import { matmul } from "../../wgsl/matmul/matmul.ts";
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

/** A product of two matrices. */
function product(m: number, k: number, n: number) {
  const view = (...shape: number[]) => contiguousView({ shape, dtype: "f32" });
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
  assertEquals(new Tuning(SOFTWARE).choose(matmul, request)?.name, "tile");
  assertEquals(new Tuning(DISCRETE).choose(matmul, request)?.name, "workgroup");
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
  assertEquals(tuning.choose(matmul, product(800, 400, 400))?.name, "tile");
  tuning.choices.set(shapeClass(matmul, request), {
    ...choice,
    kernels: { ...kernels, "wgsl/matmul/tile.wgsl": "00000000" },
  });
  assertEquals(tuning.choose(matmul, request)?.name, "tile");
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
