/** Resizing pictures and volumes as a function. */
import { tidy } from "../core/scope.ts";
import { apply, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../wgsl/errors.ts";
import { resize, type ResizeMode } from "../wgsl/resize/resize.ts";
import { formatShape } from "../wgsl/shape.ts";

/** How {@linkcode interpolate} fills in between elements: by the nearest, or linearly along one, two or three axes. */
export type InterpolateMode = "nearest" | "linear" | "bilinear" | "trilinear";

/** Options of {@linkcode interpolate}: a size or a factor. */
export interface InterpolateOptions {
  /** Lengths of the axes after the channels, or one for all. */
  readonly size?: number | readonly number[];
  /** Outputs to an input along each axis after the channels, or one for all. */
  readonly scaleFactor?: number | readonly number[];
  /** @default "nearest" */
  readonly mode?: InterpolateMode;
  /** Whether the corners of x and y lie on each other, instead of their edges. Not for "nearest". @default false */
  readonly alignCorners?: boolean;
}

/** Rank of what each mode takes. */
const RANKS = { linear: 3, bilinear: 4, trilinear: 5 } as const;

/**
 * Resizes the axes after the channels.
 *
 * `x: [N, C, H, W] → [N, C, OH, OW]`, and as well `[N, C, L]` and `[N, C, D, H, W]`. OH is the size, or ⌊H·factor⌋; where a factor is given, places
 * are computed with it, as in PyTorch, and not with OH / H. Output row i looks at row ⌊i·H/OH⌋ for "nearest" and otherwise between the two rows
 * around (i + ½)·H/OH − ½, or around i·(H − 1)/(OH − 1) with `alignCorners`.
 *
 * @throws {ShapeError} when the mode doesn't fit x's rank, or the size isn't one positive integer an axis
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, interpolate, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[0, 1], [2, 3]]]]);
 * assertEquals(await interpolate(x, { scaleFactor: [1, 2] }).array(), [[[
 *   [0, 0, 1, 1],
 *   [2, 2, 3, 3],
 * ]]]);
 * const y = interpolate(x, { size: [2, 4], mode: "bilinear" });
 * assertEquals(await y.array(), [[[[0, 0.25, 0.75, 1], [2, 2.25, 2.75, 3]]]]);
 * ```
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode = "nearest", alignCorners = false } = options;
  checkMode(x, mode, alignCorners);
  const targets = targetsOf(x, options);
  const how: ResizeMode = mode === "nearest"
    ? "nearest"
    : alignCorners
    ? "corners"
    : "linear";
  // Axes that shrink come before those that grow, so that less lies between.
  const order = targets.toSorted((a, b) => a.growth - b.growth);
  return tidy(() =>
    order.reduce(
      (y, { axis, size, factor }) => {
        if (size === y.shape[axis] && factor === undefined) return y;
        return apply(resize, [y], { axis, size, mode: how, factor })[0];
      },
      x.alias(),
    )
  );
}

interface Target {
  readonly axis: number;
  readonly size: number;
  readonly factor?: number;
  readonly growth: number;
}

function checkMode(
  x: Tensor,
  mode: InterpolateMode,
  alignCorners: boolean,
): void {
  if (mode === "nearest") {
    if (alignCorners) {
      throw new TypeError(
        'Cannot interpolate with mode "nearest" and alignCorners: only linear modes align corners',
      );
    }
    if (x.rank >= 3 && x.rank <= 5) return;
  } else if (RANKS[mode] === x.rank) return;
  const expected = mode === "nearest" ? "3, 4 or 5" : RANKS[mode];
  throw new ShapeError(
    `Cannot interpolate ${
      formatShape(x.shape)
    } with mode "${mode}": expected ${expected} axes, [batch, channels, ..]`,
    [x.shape],
  );
}

/** What becomes of each axis after the channels. */
function targetsOf(
  x: Tensor,
  { size, scaleFactor }: InterpolateOptions,
): Target[] {
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new TypeError(
      `Cannot interpolate with ${
        size === undefined ? "neither size nor" : "both size and"
      } scaleFactor: expected one of them`,
    );
  }
  const axes = x.rank - 2;
  const sizes = perAxis(x, size, axes, "sizes");
  const factors = perAxis(x, scaleFactor, axes, "factors");
  return Array.from({ length: axes }, (_, d) => {
    const length = x.shape[d + 2];
    const factor = factors?.[d];
    if (factor !== undefined && !(factor > 0 && factor < Infinity)) {
      throw new ShapeError(
        `Cannot interpolate by a factor of ${factor}: expected a positive number`,
      );
    }
    const target = sizes?.[d] ?? Math.floor(length * (factor ?? 1));
    return { axis: d + 2, size: target, factor, growth: target / length };
  });
}

function perAxis(
  x: Tensor,
  value: number | readonly number[] | undefined,
  axes: number,
  name: string,
): readonly number[] | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number") return new Array<number>(axes).fill(value);
  if (value.length === axes) return value;
  throw new ShapeError(
    `Cannot interpolate ${
      formatShape(x.shape)
    } with ${value.length} ${name}: expected ${axes}, one for each axis after the channels`,
    [x.shape],
  );
}
