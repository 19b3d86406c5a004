/** Initial values of parameters: functions that fill a tensor in place. */
import { noGrad } from "../core/autograd.ts";
import { full, rand, randn } from "../core/create.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { isSkipping } from "./init_skip.ts";
import {
  kaimingNormal,
  type KaimingOptions,
  kaimingUniform,
  orthogonal,
  truncatedNormal,
  type TruncatedNormalOptions,
  xavierNormal,
  xavierUniform,
} from "./init_draw.ts";

/** Fills a tensor, unrecorded. */
function fill(x: Tensor, make: () => Tensor): Tensor {
  if (isSkipping()) return x;
  tidy(() => noGrad(() => x.assign(make().to(x.dtype))));
  return x;
}

/**
 * Fills with uniform numbers of [low, high).
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.Linear(64, 64);
 * nn.init.uniform_(layer.weight, 2, 3);
 * const [least, most] = [layer.weight.min(), layer.weight.max()];
 * assert(await least.item() >= 2 && await most.item() < 3);
 * ```
 */
export function uniform_(x: Tensor, low = 0, high = 1): Tensor {
  return fill(x, () => rand(x.shape, { low, high }));
}

/**
 * Fills with normal numbers.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.Linear(64, 64);
 * nn.init.normal_(layer.weight, 0, 0.1);
 * const std = Math.sqrt(await layer.weight.square().mean().item());
 * assertAlmostEquals(std, 0.1, 0.01);
 * ```
 */
export function normal_(x: Tensor, mean = 0, std = 1): Tensor {
  return fill(x, () => randn(x.shape, { mean, std }));
}

/**
 * Fills with one number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Linear(64, 64);
 * nn.init.constant_(layer.bias!, 0.5);
 * assertEquals(await layer.bias!.mean().item(), 0.5);
 * ```
 */
export function constant_(x: Tensor, value: number): Tensor {
  return fill(x, () => full(x.shape, value));
}

/**
 * Fills with zeros.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Linear(64, 64);
 * nn.init.zeros_(layer.bias!);
 * assertEquals(await layer.bias!.sum().item(), 0);
 * ```
 */
export function zeros_(x: Tensor): Tensor {
  return constant_(x, 0);
}

/**
 * Fills with ones.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Linear(64, 64);
 * nn.init.ones_(layer.bias!);
 * assertEquals(await layer.bias!.sum().item(), 64);
 * ```
 */
export function ones_(x: Tensor): Tensor {
  return constant_(x, 1);
}

/**
 * Fills with {@linkcode xavierUniform} numbers.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.Linear(64, 64);
 * nn.init.xavierUniform_(layer.weight);
 * const std = Math.sqrt(await layer.weight.square().mean().item());
 * assertAlmostEquals(std, 1 / 8, 0.01);
 * ```
 */
export function xavierUniform_(x: Tensor, gain = 1): Tensor {
  return fill(x, () => xavierUniform(x.shape, gain));
}

/**
 * Fills with {@linkcode xavierNormal} numbers.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.Linear(64, 64);
 * nn.init.xavierNormal_(layer.weight);
 * const std = Math.sqrt(await layer.weight.square().mean().item());
 * assertAlmostEquals(std, 1 / 8, 0.01);
 * ```
 */
export function xavierNormal_(x: Tensor, gain = 1): Tensor {
  return fill(x, () => xavierNormal(x.shape, gain));
}

/**
 * Fills with {@linkcode kaimingUniform} numbers.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.Linear(64, 64);
 * nn.init.kaimingUniform_(layer.weight);
 * const std = Math.sqrt(await layer.weight.square().mean().item());
 * assertAlmostEquals(std, Math.sqrt(2) / 8, 0.01);
 * ```
 */
export function kaimingUniform_(
  x: Tensor,
  options: KaimingOptions = {},
): Tensor {
  return fill(x, () => kaimingUniform(x.shape, options));
}

/**
 * Fills with {@linkcode kaimingNormal} numbers.
 *
 * @example
 * ```ts
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = zoo.lenet({ activation: "relu" });
 * net.apply((module) => {
 *   if (module instanceof nn.Conv2d) {
 *     nn.init.kaimingNormal_(module.weight, { mode: "fanOut" });
 *     if (module.bias) nn.init.zeros_(module.bias);
 *   }
 * });
 * ```
 */
export function kaimingNormal_(
  x: Tensor,
  options: KaimingOptions = {},
): Tensor {
  return fill(x, () => kaimingNormal(x.shape, options));
}

/**
 * Fills with {@linkcode truncatedNormal} numbers.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.Linear(64, 64);
 * nn.init.truncatedNormal_(layer.weight, { high: 1 });
 * assert(await layer.weight.max().item() <= 1);
 * ```
 */
export function truncatedNormal_(
  x: Tensor,
  options: TruncatedNormalOptions = {},
): Tensor {
  return fill(x, () => truncatedNormal(x.shape, options));
}

/**
 * Fills with an {@linkcode orthogonal} matrix.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.Linear(64, 64);
 * nn.init.orthogonal_(layer.weight, 2);
 * const std = Math.sqrt(await layer.weight.square().mean().item());
 * assertAlmostEquals(std, 2 / 8, 0.01);
 * ```
 */
export function orthogonal_(x: Tensor, gain = 1): Tensor {
  return fill(x, () => orthogonal(x.shape, gain));
}
