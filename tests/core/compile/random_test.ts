/** Plans of functions that are made up at random, against running them call by call. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import {
  compile,
  CompileError,
  type nn,
  noGrad,
  randn,
  randomState,
  scope,
  setRandomState,
  type Tensor,
} from "../../../mod.ts";
import { PASSES } from "../../../core/compile/mod.ts";
import { onDevice } from "../../support/devices.ts";
import { dice, randomFunction } from "../../support/random_function.ts";

/** Expects a plan's results to be those of the function, for two inputs in turn. */
async function assertSame(
  f: (x: Tensor) => Tensor[],
  make: () => Tensor,
  allowed: number,
  what: string,
  options: nn.CompileOptions = {},
  bound = false,
): Promise<void> {
  using _ = scope();
  const example = make();
  noGrad(() => f(example)); // makes its weights
  const run = await compile(f, example, options);
  for (let k = 0; k < 2; k++) {
    const x = make();
    const state = randomState();
    const want = noGrad(() => f(x));
    setRandomState(state);
    const got = run(x);
    assertEquals(got.map(({ shape }) => shape), want.map(({ shape }) => shape));
    for (const [i, y] of want.entries()) {
      const [a, b] = [await got[i].read(), await y.read()];
      const scale = Math.max(1, ...Array.from(b, Math.abs));
      const worst = Math.max(0, ...Array.from(b, (v, j) => Math.abs(v - a[j])));
      assertLessOrEqual(worst / scale, allowed, `${what}, result ${i}`);
    }
  }
  if (bound) await assertSameWithin(f, example, run, allowed, what, options);
  run.dispose();
}

/** Expects the same within fewer bytes, where that can be. */
async function assertSameWithin(
  f: (x: Tensor) => Tensor[],
  x: Tensor,
  free: nn.Compiled<Tensor[]>,
  allowed: number,
  what: string,
  options: nn.CompileOptions,
): Promise<void> {
  const maxBytes = Math.floor(free.bytes * 0.75);
  try {
    using run = await compile(f, x, { ...options, maxBytes });
    assertLessOrEqual(run.bytes, maxBytes);
    const state = randomState();
    const want = free(x);
    setRandomState(state);
    const got = run(x);
    for (const [i, y] of want.entries()) {
      const [a, b] = [await got[i].read(), await y.read()];
      const scale = Math.max(1, ...Array.from(b, Math.abs));
      const worst = Math.max(0, ...Array.from(b, (v, j) => Math.abs(v - a[j])));
      assertLessOrEqual(worst / scale, allowed, `${what} within bytes, ${i}`);
    }
    bounded++;
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
  }
}

/** Functions that were run within fewer bytes. */
let bounded = 0;

/** A picture of a seed's shape. */
function pictures(seed: number, dtype: "f32" | "f64"): () => Tensor {
  const roll = dice(seed);
  // Planes of 64 and of 16 elements lie aligned for f32, those of 9 don't.
  const side = [8, 4, 3][roll(3)];
  const shape = [1 + roll(2), 1 + roll(4), side, side];
  return () => randn(shape, { dtype });
}

const FIRST = Number(Deno.env.get("FUZZ_FIRST") ?? 1);
const CPU = Number(Deno.env.get("FUZZ_COUNT") ?? 200);
const GPU = Number(Deno.env.get("FUZZ_COUNT") ?? 30);

onDevice(
  "cpu",
  "a plan computes what its function does in float64",
  async () => {
    for (let seed = FIRST; seed < FIRST + CPU; seed++) {
      const f = randomFunction(seed, 6 + seed % 20, "f64");
      const make = pictures(seed, "f64");
      await assertSame(f, make, 1e-12, `Seed ${seed}`, {}, true);
    }
    assert(bounded > 0, "none within fewer bytes");
  },
);

onDevice(
  "cpu",
  "a plan computes what its function does in float32",
  async () => {
    for (let seed = FIRST; seed < FIRST + CPU; seed++) {
      const f = randomFunction(seed, 6 + seed % 20);
      await assertSame(f, pictures(seed, "f32"), 1e-5, `Seed ${seed}`);
    }
  },
);

onDevice(
  "webgpu",
  "a plan computes what its function does in float32",
  async () => {
    for (let seed = FIRST; seed < FIRST + GPU; seed++) {
      const f = randomFunction(seed, 6 + seed % 20);
      await assertSame(f, pictures(seed, "f32"), 1e-5, `Seed ${seed}`);
    }
  },
);

onDevice("cpu", "each pass alone leaves the values as they are", async () => {
  for (const { name } of PASSES) {
    const others = PASSES.filter((pass) => pass.name !== name);
    const passes = Object.fromEntries(others.map((p) => [p.name, false]));
    for (let seed = 100; seed < 112; seed++) {
      const f = randomFunction(seed, 6 + seed % 20, "f64");
      const what = `${name} alone, seed ${seed}`;
      await assertSame(f, pictures(seed, "f64"), 1e-12, what, { passes });
    }
  }
});
