/** Keeping gradients from being too large. */
import { noGrad } from "../../core/autograd.ts";
import { zeros } from "../../core/create.ts";
import { stack } from "../../core/join.ts";
import { outsideScopes, tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";

/** Options of {@linkcode clipGradNorm}. */
export interface ClipOptions {
  /** Which norm: `(Σ |g|ᵖ)^(1/p)`, or the largest absolute value for Infinity. @default 2 */
  readonly normType?: number;
}

/**
 * Scales the gradients of all parameters by one factor, `maxNorm / (norm + 1e-6)` but at most 1, so that their norm, taken as that of one long vector, is
 * at most `maxNorm` (Pascanu, Mikolov & Bengio 2013, algorithm 1). Gradients that are not finite stay so: look at what is returned.
 *
 * Returns the norm before, a scalar on the device; 0 without gradients.
 *
 * @throws {RangeError} For a norm type that isn't above 0, or a negative maximum.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const w = tensor([1, 1], { requiresGrad: true });
 * w.mul(tensor([3, 4])).sum().backward();
 * assertEquals(await nn.clipGradNorm([w], 1).item(), 5);
 * assertAlmostEquals((await w.grad!.read())[0], 0.6, 1e-6);
 * ```
 */
export function clipGradNorm(
  parameters: Iterable<Tensor>,
  maxNorm: number,
  { normType = 2 }: ClipOptions = {},
): Tensor {
  if (!(normType > 0)) {
    throw new RangeError(
      `Cannot clip by the norm of type ${normType}: expected a number above 0`,
    );
  }
  requireBound(maxNorm);
  const given = withGradients(parameters);
  return tidy(() =>
    noGrad(() => {
      if (given.length === 0) return zeros([]);
      const norms = given.map((p) => normOf(p.grad as Tensor, normType));
      const norm = normOf(stack(norms), normType);
      const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 });
      for (const p of given) change(p, (grad) => grad.mul(factor.to(p.dtype)));
      return norm;
    })
  );
}

/**
 * Limits each element of the gradients to `-clipValue … clipValue`. NaN stays.
 *
 * @throws {RangeError} For a negative value.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const w = tensor([1, 1], { requiresGrad: true });
 * w.mul(tensor([-3, 0.5])).sum().backward();
 * nn.clipGradValue([w], 1);
 * assertEquals(await w.grad!.array(), [-1, 0.5]);
 * ```
 */
export function clipGradValue(
  parameters: Iterable<Tensor>,
  clipValue: number,
): void {
  requireBound(clipValue);
  for (const p of withGradients(parameters)) {
    change(p, (grad) => grad.clamp({ min: -clipValue, max: clipValue }));
  }
}

function withGradients(parameters: Iterable<Tensor>): Tensor[] {
  return [...parameters].filter((p) => p.grad !== null);
}

function requireBound(bound: number): void {
  if (bound >= 0) return;
  throw new RangeError(
    `Cannot clip gradients to ${bound}: expected a number of 0 or more`,
  );
}

function normOf(x: Tensor, type: number): Tensor {
  const wide = x.dtype === "f16" ? x.to("f32") : x;
  if (type === Infinity) return wide.abs().max();
  if (type === 2) return wide.square().sum().sqrt();
  if (type === 1) return wide.abs().sum();
  return wide.abs().pow(type).sum().pow(1 / type);
}

/** Puts another gradient in a gradient's place; like it, it belongs to no scope. */
function change(p: Tensor, make: (grad: Tensor) => Tensor): void {
  p.grad = outsideScopes(() =>
    tidy(() => noGrad(() => make(p.grad as Tensor)))
  );
}
