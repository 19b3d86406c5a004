/** Padding as a function. */
import { tidy } from "../core/scope.ts";
import { apply, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../wgsl/errors.ts";
import { pad as padOp, type PadMode } from "../wgsl/move/pad.ts";
import { formatShape } from "../wgsl/shape.ts";

/** Options of {@linkcode pad}. */
export interface PadOptions {
  /** One value, x mirrored about its edge elements, or its edge elements repeated. @default "constant" */
  readonly mode?: PadMode;
  /** What the border holds in mode "constant". @default 0 */
  readonly value?: number;
}

/**
 * Puts a border around x, and cuts one off where an amount is negative, which only mode "constant" takes.
 *
 * `pads` are amounts before and after each axis, the last axis first, as in PyTorch: `[left, right, top, bottom]` for pictures
 * `x: [N, C, H, W] → [N, C, top + H + bottom, left + W + right]`. Axes that they don't reach stay as they are.
 *
 * @throws {ShapeError} when the amounts aren't pairs or don't fit x's axes; "reflect" needs amounts below the axis's size
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, pad, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[1, 2, 3]]);
 * assertEquals(await pad(x, [1, 2]).array(), [[0, 1, 2, 3, 0, 0]]);
 * const mirrored = pad(x, [2, 1], { mode: "reflect" });
 * assertEquals(await mirrored.array(), [[3, 2, 1, 2, 3, 2]]);
 * ```
 */
export function pad(
  x: Tensor,
  pads: readonly number[],
  options: PadOptions = {},
): Tensor {
  const { mode = "constant", value = 0 } = options;
  if (pads.length % 2 !== 0 || pads.length > 2 * x.rank) {
    throw new ShapeError(
      `Cannot pad ${
        formatShape(x.shape)
      } by ${pads.length} amounts: expected two for each axis to pad, the last axis first, at most ${
        2 * x.rank
      }`,
      [x.shape],
    );
  }
  const amount = (axis: number, side: 0 | 1): number =>
    pads[2 * (x.rank - 1 - axis) + side] ?? 0;
  const before = x.shape.map((_, d) => amount(d, 0));
  const after = x.shape.map((_, d) => amount(d, 1));
  if (mode !== "constant") {
    return apply(padOp, [x], { before, after, mode })[0];
  }
  return tidy(() => {
    const kept = x.shape.reduce((y, n, d) => {
      const [start, end] = [Math.max(-before[d], 0), Math.max(-after[d], 0)];
      if (start + end === 0) return y;
      if (start + end <= n) return y.slice(d, start, n - end);
      throw new ShapeError(
        `Cannot cut ${start} and ${end} off axis ${d} of ${
          formatShape(x.shape)
        }: it has ${n} elements`,
        [x.shape],
      );
    }, x.alias());
    const [outer, inner] = [before, after].map((amounts) =>
      amounts.map((n) => Math.max(n, 0))
    );
    const bordered = [...outer, ...inner].some((n) => n > 0);
    if (!bordered) return kept;
    return apply(padOp, [kept], { before: outer, after: inner, value })[0];
  });
}
