/** Compiled steps whose planes lie channel by channel, where that is asked for. */
import { assert, assertEquals } from "@std/assert";
import { nn, randint, randn, scope, type Tensor, zoo } from "../../mod.ts";
import { onBothDevices } from "../support/devices.ts";

/** Losses of a few steps, and how many calls of the plan have planes channel by channel. */
async function train(
  net: nn.Module,
  batches: readonly (readonly [Tensor, Tensor])[],
  passes: nn.CompileStepOptions["passes"] = {},
): Promise<{ readonly losses: number[]; readonly moved: number }> {
  const optimizer = new nn.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  const loss = nn.crossEntropy;
  using step = nn.compileStep(net, { loss, optimizer, passes });
  const losses: number[] = [];
  for (const [x, y] of batches) {
    using _ = scope();
    losses.push(await step(x, y).item());
  }
  optimizer.dispose();
  const { calls } = step.explain();
  return {
    losses,
    moved: calls.filter(({ order }) => order === "CNHW").length,
  };
}

onBothDevices(
  "planes of a step lie channel by channel where that is asked for, and the step learns the same",
  async (device) => {
    using _ = scope();
    const dtype = device === "cpu" ? "f64" : "f32";
    const make = () =>
      zoo.d2lDenseNet({ growthRate: 4, initFeatures: 8 }).to(dtype);
    const net = make();
    const other = make();
    other.loadStateDict(net.stateDict());
    const batches = Array.from(
      { length: 4 },
      () => [randn([3, 1, 32, 32], { dtype }), randint(0, 10, [3])] as const,
    );
    const plain = await train(net, batches);
    const moved = await train(other, batches, { layout: true });
    assertEquals(plain.moved, 0);
    assert(moved.moved > 50, `${moved.moved}`);
    const allowed = device === "cpu" ? 1e-12 : 2e-5;
    plain.losses.forEach((loss, i) =>
      assert(Math.abs(loss - moved.losses[i]) < allowed, `Loss ${i}`)
    );
    net.dispose();
    other.dispose();
  },
);
