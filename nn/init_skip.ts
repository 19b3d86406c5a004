/** Doing without initial values. */
let skipping = false;

/**
 * Runs `make` without drawing initial values: parameters hold zeros, and the functions that fill do nothing. For networks whose weights are loaded, as
 * drawing takes longer than loading for the large ones (PyTorch's `torch.nn.utils.skip_init`).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const layer = nn.init.skipInit(() => new nn.Linear(2, 1));
 * assertEquals(await layer.weight.array(), [[0, 0]]);
 * ```
 */
export function skipInit<T>(make: () => T): T {
  const before = skipping;
  skipping = true;
  try {
    return make();
  } finally {
    skipping = before;
  }
}

/** Whether a {@linkcode skipInit} is running. */
export function isSkipping(): boolean {
  return skipping;
}
