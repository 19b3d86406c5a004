/** Plans of functions that are made up at random, against running them call by call. */
import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
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

/** Expects tensors to be those that are wanted. */
async function assertNear(
  got: readonly Tensor[],
  want: readonly Tensor[],
  allowed: number,
  what: string,
): Promise<void> {
  assertEquals(got.map(({ shape }) => shape), want.map(({ shape }) => shape));
  for (const [i, y] of want.entries()) {
    const [a, b] = [await got[i].read(), await y.read()];
    const scale = Math.max(1, ...Array.from(b, Math.abs));
    const worst = Math.max(0, ...Array.from(b, (v, j) => Math.abs(v - a[j])));
    assertLessOrEqual(worst / scale, allowed, `${what}, result ${i}`);
  }
}

/** Expects a plan's results to be those of the function, for two inputs in turn, and gives the bytes that it holds. */
async function assertSame(
  f: (x: Tensor) => Tensor[],
  make: () => Tensor,
  allowed: number,
  what: string,
  options: nn.CompileOptions = {},
): Promise<number> {
  using _ = scope();
  const example = make();
  noGrad(() => f(example)); // makes its weights
  using run = await compile(f, example, options);
  const { bytes } = run;
  assertLessOrEqual(bytes, options.maxBytes ?? Infinity);
  for (let k = 0; k < 2; k++) {
    const x = make();
    const state = randomState();
    const want = noGrad(() => f(x));
    setRandomState(state);
    await assertNear(run(x), want, allowed, what);
  }
  return bytes;
}

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
      await assertSame(f, pictures(seed, "f64"), 1e-12, `Seed ${seed}`);
    }
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

onDevice("cpu", "a plan within fewer bytes computes the same", async () => {
  let bounded = 0;
  for (let seed = FIRST; seed < FIRST + CPU; seed++) {
    const make = pictures(seed, "f64");
    const what = `Seed ${seed} within fewer bytes`;
    // Its weights belong to a scope: each time it makes its own.
    const same = (options?: nn.CompileOptions) => {
      const f = randomFunction(seed, 6 + seed % 20, "f64");
      return assertSame(f, make, 1e-12, what, options);
    };
    const options = { maxBytes: Math.floor(await same() * 0.75) };
    try {
      await same(options);
      bounded++;
    } catch (error) {
      // Most are too small to have anything to free.
      const tooSmall = error instanceof CompileError &&
        error.message.includes(` within ${options.maxBytes} bytes: `);
      if (!tooSmall) throw error;
    }
  }
  assertGreater(bounded, 0);
});

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
