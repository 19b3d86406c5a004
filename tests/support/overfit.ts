/** Learning a few pictures by heart: what every network must be able to do. */
import { assert } from "@std/assert";
import { nn, noGrad, scope, type Tensor, tensor } from "../../mod.ts";
import { assertGradients, picture } from "./made_up.ts";

/** How {@linkcode assertOverfits} trains. */
export interface OverfitOptions {
  /** Of each picture. */
  readonly shape: readonly [number, number, number];
  /** Adam's. @default 1e-3 */
  readonly lr?: number;
  /** The most that it may take. @default 60 */
  readonly steps?: number;
  /** @default crossEntropy */
  readonly loss?: (logits: Tensor, labels: Tensor) => Tensor;
}

/**
 * Expects a network to tell eight pictures of noise apart, each a class of its own, after some steps, and each of its parameters to get a gradient in the
 * first. Returns the steps that it took.
 */
export async function assertOverfits(
  net: nn.Module,
  { shape, lr = 1e-3, steps = 60, loss = nn.crossEntropy }: OverfitOptions,
): Promise<number> {
  using _ = scope();
  const x = picture([8, ...shape], 77);
  const labels = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: "i32" });
  const optimizer = new nn.Adam(net.parameters(), { lr });
  const losses: number[] = [];
  while (losses.length < steps) {
    using inner = scope();
    optimizer.zeroGrad();
    const logits = inner.keep(net(x));
    const value = loss(logits, labels);
    value.backward();
    if (losses.length === 0) await assertGradients(net);
    optimizer.step();
    losses.push(await value.item());
    const right = noGrad(() => nn.accuracy(logits, labels));
    const done = await right.item() === 1 && losses.at(-1)! < 0.5;
    logits.dispose();
    if (done) return losses.length;
  }
  assert(false, `After ${steps} steps the losses are ${losses}`);
}
