/** Finding the first value that isn't finite: each op's result is looked at on the device, and the verdicts are read at the end. */
import { noGrad } from "./autograd.ts";
import { AnomalyError } from "./errors.ts";
import { currentPath, withoutInterrupts } from "./runtime.ts";
import { outsideScopes, tidy } from "./scope.ts";
import type { Storage } from "./storage.ts";
import type { Tensor } from "./tensor.ts";
import { isFloat } from "./tensor_base.ts";
import { watchOps } from "./watch.ts";

/** Where a value came from. */
interface Source {
  readonly op: string;
  readonly path: string | undefined;
  /** The op whose gradient was being computed, with its layer. */
  readonly gradientOf: string | undefined;
  /** Position of the operand, where the value was there before the op. */
  readonly operand: number | undefined;
}

/** A tensor's largest magnitude, which is NaN or infinite if any of its values is. */
interface Verdict {
  readonly source: Source;
  readonly magnitude: Tensor;
}

/**
 * Runs `body` and looks at the output of every op in it, forward and backward, the optimiser's steps included. Rejects with an error that names the
 * first op with a NaN or an infinity among its results, and its layer; or the operand, where a value that wasn't finite came from outside.
 *
 * Takes about twice as long, and keeps a number for each op until the end: for a step or a few, not for a whole training.
 *
 * @throws {AnomalyError}
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { AnomalyError, init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([1, 0], { requiresGrad: true });
 * await assertRejects(
 *   () => nn.detectAnomaly(() => x.sqrt().sum().backward()),
 *   AnomalyError,
 *   "in the gradient of sqrt",
 * );
 * ```
 */
export async function detectAnomaly<T>(
  body: () => T | Promise<T>,
): Promise<T> {
  const verdicts: Verdict[] = [];
  const known = new WeakSet<Storage>();
  let looking = false;
  const look = (x: Tensor, source: Source) => {
    if (!isFloat(x.dtype) || x.size === 0) return;
    known.add(x.storage);
    const magnitude = outsideScopes(() =>
      noGrad(() => tidy(() => x.detach().abs().max()))
    );
    verdicts.push({ source, magnitude });
  };
  const stop = watchOps((op, inputs, outputs, gradientOf) => {
    // The ops that look aren't looked at.
    if (looking) return;
    looking = true;
    const path = currentPath();
    try {
      for (const [operand, x] of inputs.entries()) {
        if (outputs.includes(x) || known.has(x.storage)) continue;
        look(x, { op, path, gradientOf, operand });
      }
      for (const y of outputs) {
        look(y, { op, path, gradientOf, operand: undefined });
      }
    } finally {
      looking = false;
    }
  });
  try {
    const result = await body();
    stop();
    await judge(verdicts);
    return result;
  } finally {
    stop();
    for (const { magnitude } of verdicts) magnitude.dispose();
  }
}

async function judge(verdicts: readonly Verdict[]): Promise<void> {
  const values = await withoutInterrupts(() =>
    Promise.all(verdicts.map(({ magnitude }) => magnitude.item()))
  );
  const first = values.findIndex((value) => !Number.isFinite(value));
  if (first < 0) return;
  const { op, path, gradientOf, operand } = verdicts[first].source;
  const value = Number.isNaN(values[first]) ? "NaN" : "infinity";
  const where = (path ? ` in ${path}` : "") +
    (gradientOf ? ` in the gradient of ${gradientOf}` : "");
  const what = operand === undefined
    ? `${op}${where} gave it`
    : `operand ${operand} of ${op}${where} had it before`;
  throw new AnomalyError(
    `Cannot trust the result: the first value that isn't finite is ${value}, ${what}`,
    { op, path, gradientOf, operand },
  );
}
