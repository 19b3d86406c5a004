/** Who looks at the ops that run, if anybody. */
import type { Tensor } from "./tensor.ts";

/**
 * Sees an op after it ran. For one that writes in place, the outputs are those of its inputs that it changed. `gradientOf` names the op, and its
 * layer, whose gradient is being computed.
 */
export type OpWatcher = (
  op: string,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  gradientOf: string | undefined,
) => void;

const watchers = new Set<OpWatcher>();
let gradientOf: string | undefined;

/** Shows every op to `watcher` until the returned function is called. */
export function watchOps(watcher: OpWatcher): () => void {
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
  };
}

/** Shows an op that ran to those who watch. */
export function showOp(
  op: string,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): void {
  for (const watcher of watchers) watcher(op, inputs, outputs, gradientOf);
}

/** The op, with its layer, whose gradient is being computed, where somebody watches. */
export function currentGradient(): string | undefined {
  return gradientOf;
}

/** Whether anybody watches. */
export function isWatched(): boolean {
  return watchers.size > 0;
}

/** Runs `body` as the gradient of the op that `title` names. */
export function inGradientOf<T>(title: string, body: () => T): T {
  const before = gradientOf;
  gradientOf = title;
  try {
    return body();
  } finally {
    gradientOf = before;
  }
}
