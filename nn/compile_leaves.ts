/** Parameters whose gradients are put aside. */
import { Leaf } from "../core/autograd.ts";
import type { Tensor } from "../core/tensor.ts";

/** Runs `body` while parameters have gradients of their shapes, whatever those hold, and other leaves have none. */
export function withGradients<T>(
  leaves: readonly Tensor[],
  learned: readonly Tensor[],
  body: () => T,
): T {
  const held = new Map<Leaf, Tensor | undefined>();
  for (const { edge } of leaves) {
    if (!(edge instanceof Leaf) || held.has(edge)) continue;
    held.set(edge, edge.grad);
    edge.grad = undefined;
  }
  // Only shapes are looked at, so each parameter stands for its own gradient.
  for (const p of learned) (p.edge as Leaf).grad = p;
  const own = new Set(learned);
  try {
    return body();
  } finally {
    for (const [leaf, grad] of held) {
      if (leaf.grad && !own.has(leaf.grad)) leaf.grad.dispose();
      leaf.grad = grad;
    }
  }
}
