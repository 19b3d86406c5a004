/** Parameters whose gradients are put aside. */
import { Leaf } from "../core/autograd.ts";
import type { Tensor } from "../core/tensor.ts";

/** Runs `body` while leaves have no gradients. Those that they get meanwhile are freed. */
export function withoutGradients<T>(
  leaves: readonly Tensor[],
  body: () => T,
): T {
  const held = new Map<Leaf, Tensor | undefined>();
  for (const { edge } of leaves) {
    if (!(edge instanceof Leaf) || held.has(edge)) continue;
    held.set(edge, edge.grad);
    edge.grad = undefined;
  }
  try {
    return body();
  } finally {
    for (const [leaf, grad] of held) {
      leaf.grad?.dispose();
      leaf.grad = grad;
    }
  }
}
