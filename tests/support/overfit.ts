/** Learning a few pictures by heart: what every network must be able to do. */
import { assert } from "@std/assert";
import { nn, noGrad, scope, type Tensor, tensor } from "../../mod.ts";
import { assertGradients, picture } from "./made_up.ts";

/** How {@linkcode overfit} trains. */
export interface OverfitOptions {
  /** Of each picture. */
  readonly shape: readonly [number, number, number];
  /** `[8, ...shape]`. @default noise */
  readonly pictures?: Tensor;
  /** Adam's. @default 1e-3 */
  readonly lr?: number;
  /** The most that it may take. @default 60 */
  readonly steps?: number;
  /** @default crossEntropy */
  readonly loss?: (logits: Tensor, labels: Tensor) => Tensor;
}

/** What {@linkcode overfit} saw. */
export interface Overfitted {
  /** Whether all pictures are told right, with a loss below a half. */
  readonly done: boolean;
  /** Of each step. */
  readonly losses: readonly number[];
}

/**
 * Trains a network on eight pictures, each a class of its own, until it tells them apart. Expects each of its parameters to get a gradient in the
 * first step.
 */
export async function overfit(
  net: nn.Module,
  options: OverfitOptions,
): Promise<Overfitted> {
  using _ = scope();
  const { shape, lr = 1e-3, steps = 60, loss = nn.crossEntropy } = options;
  const { pictures: x = picture([8, ...shape], 77) } = options;
  const labels = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: "i32" });
  const optimizer = new nn.Adam(net.parameters(), { lr });
  const losses: number[] = [];
  let done = false;
  while (losses.length < steps && !done) {
    using inner = scope();
    optimizer.zeroGrad();
    const logits = inner.keep(net(x));
    const value = loss(logits, labels);
    value.backward();
    if (losses.length === 0) await assertGradients(net);
    optimizer.step();
    losses.push(await value.item());
    const right = noGrad(() => nn.accuracy(logits, labels));
    done = await right.item() === 1 && losses.at(-1)! < 0.5;
    logits.dispose();
  }
  return { done, losses };
}

/** Expects {@linkcode overfit} to come to its end. Returns the steps that it took. */
export async function assertOverfits(
  net: nn.Module,
  options: OverfitOptions,
): Promise<number> {
  const { done, losses } = await overfit(net, options);
  assert(done, `After ${losses.length} steps the losses are ${losses}`);
  return losses.length;
}
