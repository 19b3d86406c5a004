/** Dropping values at random, in training. */
import { nextRandom, ones } from "../core/create.ts";
import { tidy } from "../core/scope.ts";
import { apply, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../wgsl/errors.ts";
import { dropout as dropoutOp } from "../wgsl/random/dropout.ts";
import { formatShape } from "../wgsl/shape.ts";

/** Options of {@linkcode dropout}, {@linkcode dropout2d} and {@linkcode alphaDropout}. */
export interface DropoutOptions {
  /** Probability of dropping a value. @default 0.5 */
  readonly p?: number;
  /** Whether to drop at all. @default true */
  readonly training?: boolean;
}

/** The probability of a call, or 0 where nothing is dropped. */
function probabilityOf({ p = 0.5, training = true }: DropoutOptions): number {
  if (!(p >= 0 && p <= 1)) {
    throw new RangeError(
      `Cannot drop with probability ${p}: expected a number from 0 to 1`,
    );
  }
  return training ? p : 0;
}

/**
 * Sets values to 0 with probability `p` and divides the others by 1 - p (Srivastava et al. 2014, section 10: inverted).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { dropout, init, ones } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const values = new Set(await dropout(ones([100]), { p: 0.75 }).read());
 * assertEquals(values, new Set([0, 4]));
 * ```
 */
export function dropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  const p = probabilityOf(options);
  if (p === 0) return x.alias();
  return apply(dropoutOp, [x], { p, ...nextRandom(x.shape) })[0];
}

/** A factor for each element of `shape`: 0 with probability `p`, else 1 / (1 - p). */
function factors(shape: readonly number[], p: number, like: Tensor): Tensor {
  return dropout(ones(shape, { dtype: like.dtype }), { p });
}

/**
 * Sets whole channels to 0 with probability `p` and divides the others by 1 - p, as neighbours in a feature map say much the same (Tompson et al. 2015,
 * arXiv:1411.4280, section 3.2). `x: [N, C, …] → the same`
 *
 * @throws {ShapeError} Where x has no channels.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { dropout2d, init, ones } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const sums = dropout2d(ones([1, 50, 4, 4])).sum([2, 3]);
 * assertEquals(new Set(await sums.read()), new Set([0, 32]));
 * ```
 */
export function dropout2d(x: Tensor, options: DropoutOptions = {}): Tensor {
  const p = probabilityOf(options);
  if (x.rank < 2) {
    throw new ShapeError(
      `Cannot drop channels of ${formatShape(x.shape)}: expected [N, C, …]`,
      [x.shape],
    );
  }
  if (p === 0) return x.alias();
  const shape = x.shape.map((n, axis) => axis < 2 ? n : 1);
  return tidy(() => x.mul(factors(shape, p, x)));
}

/** What SELU tends to far below 0: -scale·alpha (Klambauer et al. 2017, arXiv:1706.02515, equation 2). */
const SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772;

/**
 * Sets values to SELU's lower limit with probability `p`, then scales and shifts all so that mean 0 and variance 1 stay (Klambauer et al. 2017,
 * arXiv:1706.02515, section 3, "new dropout technique").
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { alphaDropout, init, randn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const x = randn([100_000]);
 * assertEquals(Math.round(10 * await alphaDropout(x).square().mean().item()), 10);
 * ```
 */
export function alphaDropout(x: Tensor, options: DropoutOptions = {}): Tensor {
  const p = probabilityOf(options);
  if (p === 0) return x.alias();
  if (p === 1) return tidy(() => x.mul(0));
  const scale = 1 / Math.sqrt((1 - p) * (1 + p * SELU_FLOOR ** 2));
  const shift = -scale * p * SELU_FLOOR;
  return tidy(() => {
    // 0 or 1.
    const kept = factors(x.shape, p, x).mul(1 - p);
    return x.sub(SELU_FLOOR).mul(kept).add(SELU_FLOOR).mul(scale).add(shift);
  });
}
