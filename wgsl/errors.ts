/**
 * The errors that a shape rule or a launch plan can raise, with their facts as fields. The rooms above add theirs in core/errors.ts.
 */
import type { DType, Shape } from "./op.ts";

/**
 * Shapes that don't fit an operation. `shapes` are those it was given.
 *
 * @example
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import { init, ShapeError, zeros } from "@tessera/tessera";
 *
 * await init();
 * const add = () => zeros([2, 3]).add(zeros([4]));
 * assertEquals(assertThrows(add, ShapeError).shapes, [[2, 3], [4]]);
 * ```
 */
export class ShapeError extends TypeError {
  override readonly name = "ShapeError";

  constructor(message: string, readonly shapes: readonly Shape[] = []) {
    super(message);
  }
}

/**
 * Element types that don't fit an operation. `dtypes` are those it was given.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { DTypeError, embedding, init, zeros } from "@tessera/tessera";
 *
 * await init();
 * const words = zeros([2, 2]); // not integers
 * assertThrows(() => embedding(words, zeros([5, 3])), DTypeError);
 * ```
 */
export class DTypeError extends TypeError {
  override readonly name = "DTypeError";

  constructor(message: string, readonly dtypes: readonly DType[] = []) {
    super(message);
  }
}

/**
 * A device limit that an operation would pass: what was asked for, and what the device allows.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { LimitError } from "@tessera/tessera";
 *
 * const error = new LimitError("Cannot launch", 70_000, 65_535);
 * assert(error.asked > error.limit);
 * ```
 */
export class LimitError extends RangeError {
  override readonly name = "LimitError";

  constructor(
    message: string,
    readonly asked: number,
    readonly limit: number,
  ) {
    super(message);
  }
}
