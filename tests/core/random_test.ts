import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  init,
  rand,
  randint,
  randn,
  randomState,
  seed,
  setRandomState,
  ShapeError,
} from "../../core/mod.ts";
import { dropout } from "../../nn/functional_dropout.ts";
import { ones } from "../../core/mod.ts";
import { type DeviceName, onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

/** The bits of what a few random calls give. */
async function draw(): Promise<Uint32Array[]> {
  const values = await Promise.all(
    [
      rand([5]),
      randn([3, 3]),
      randint(0, 100, [7]).to("f32"),
      dropout(ones([9])),
    ].map((x) => x.read()),
  );
  return values.map((data) => new Uint32Array(data.buffer));
}

onBothDevices(
  "the same seed gives the same bits, another seed others",
  async (device: DeviceName) => {
    await init({ device, seed: 42 });
    const first = await draw();
    const second = await draw();
    assertNotEquals(second, first);
    await init({ device, seed: 42 });
    assertEquals(await draw(), first);
    seed(42);
    assertEquals(await draw(), first);
    seed(43);
    assertNotEquals(await draw(), first);
  },
);

onBothDevices("seeds above 2^32 differ from those below", async () => {
  seed(5);
  const low = await draw();
  seed(2 ** 32 + 5);
  assertNotEquals(await draw(), low);
});

onBothDevices(
  "without a seed each start is another",
  async (device: DeviceName) => {
    await init({ device });
    const first = await draw();
    await init({ device });
    assertNotEquals(await draw(), first);
  },
);

onBothDevices(
  "the stream goes on from a state that was kept, also through JSON",
  async () => {
    seed(7);
    await draw();
    const state = JSON.parse(JSON.stringify(randomState()));
    const next = await draw();
    await draw();
    setRandomState(state);
    assertEquals(await draw(), next);
  },
);

onBothDevices("neighbouring calls don't overlap", async () => {
  seed(1);
  const whole = await rand([64]).read();
  seed(1);
  const parts = [await rand([20]).read(), await rand([20]).read()];
  assertEquals(parts[0], whole.slice(0, 20));
  assertEquals(parts[1], whole.slice(20, 40));
});

onBothDevices("options set the range, mean and dtype", async () => {
  const uniform = await rand([1000], { low: -2, high: 3 }).read();
  assert(uniform.every((x) => x >= -2 && x < 3));
  assert(Math.min(...uniform) < -1.9 && Math.max(...uniform) > 2.9);
  const mean = await randn([4000], { mean: 10, std: 0.5 }).mean().item();
  assert(Math.abs(mean - 10) < 0.05, `${mean}`);
  const whole = await randint(-3, 3, [500]).read();
  assertEquals([...new Set(whole)].sort((a, b) => a - b), [
    -3,
    -2,
    -1,
    0,
    1,
    2,
  ]);
  assertEquals(rand([1], { dtype: "f16" }).dtype, "f16");
  assertEquals(randint(0, 2, [1], { dtype: "u32" }).dtype, "u32");
  assertEquals(randn([2], { requiresGrad: true }).requiresGrad, true);
});

onBothDevices("shapes are checked before a number is drawn", () => {
  seed(3);
  const state = randomState();
  for (const make of [rand, randn]) {
    assertFails(
      () => make([-1]),
      ShapeError,
      "Cannot make a tensor of shape [-1]: -1 is not a size, expected integers of 0 or more",
    );
  }
  assertEquals(randomState(), state);
  assertEquals(rand([0]).shape, [0]);
});
