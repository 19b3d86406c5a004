/** What arithmetic keeps for backward: nothing that its rule doesn't read. */
import { assertEquals } from "@std/assert";
import { ones, type Tensor, tensor } from "../../core/mod.ts";
import {
  div,
  floorDivide,
  mul,
  pow,
  remainder,
} from "../../wgsl/pointwise/arithmetic_binary.ts";
import { savesOf } from "../../wgsl/op.ts";
import { liveMemory, onBothDevices } from "../support/devices.ts";

/** Functions of a tensor and a number, and the bytes that 100 floats cost until backward, the result included. */
const KEPT: readonly (readonly [string, (x: Tensor) => Tensor, number])[] = [
  ["x·2", (x) => x.mul(2), 400],
  ["x / 2", (x) => x.div(2), 400],
  ["x + 2", (x) => x.add(2), 400],
  ["the remainder of x by 2", (x) => x.remainder(2), 400],
  ["x⁰", (x) => x.pow(0), 400],
  ["x³", (x) => x.pow(3), 800],
  ["x·x", (x) => x.mul(x), 800],
];

for (const [title, f, bytes] of KEPT) {
  onBothDevices(
    `${title} keeps ${bytes - 400} bytes of its input for backward`,
    async () => {
      const x = ones([100], { requiresGrad: true });
      const before = liveMemory().bytes;
      const between = x.add(1);
      const y = f(between);
      between.dispose();
      assertEquals(liveMemory().bytes - before, bytes);
      y.sum().backward();
      assertEquals((await x.grad!.read()).length, 100);
    },
  );
}

onBothDevices(
  "a number on the left is divided and raised with what that takes",
  async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.pow(-1).mul(6).add(x.mul(0).add(2).pow(x));
    y.sum().backward();
    const [first, second] = await x.grad!.read();
    const log = Math.log(2);
    assertEquals(
      [first, second].map((v) => Math.round(v * 1e4)),
      [-6 + 2 * log, -1.5 + 4 * log].map((v) => Math.round(v * 1e4)),
    );
  },
);

Deno.test("the rules of numbers read the operand, the result or neither", () => {
  const saved = (op: typeof mul, scalar: number, side: "left" | "right") =>
    savesOf(op.gradient, { scalar, side });
  assertEquals(saved(mul, 3, "left"), {});
  assertEquals(saved(div, 3, "right"), {});
  assertEquals(saved(div, 3, "left"), { inputs: [0] });
  assertEquals(saved(remainder, 3, "left"), { inputs: [0] });
  assertEquals(saved(floorDivide, 3, "left"), {});
  assertEquals(saved(pow, 3, "left"), { inputs: [], outputs: [0] });
  assertEquals(saved(pow, 0, "left"), { inputs: [0], outputs: [0] });
  assertEquals(savesOf(mul.gradient, {}), { inputs: [0, 1] });
});
