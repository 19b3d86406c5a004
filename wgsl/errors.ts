/**
 * The errors that a shape rule or a launch plan can raise, with their facts as fields. The rooms above add theirs in core/errors.ts.
 */
import type { DType, Shape } from "./op.ts";

/** Shapes that don't fit an operation. `shapes` are those it was given. */
export class ShapeError extends TypeError {
  override readonly name = "ShapeError";

  constructor(message: string, readonly shapes: readonly Shape[] = []) {
    super(message);
  }
}

/** Element types that don't fit an operation. `dtypes` are those it was given. */
export class DTypeError extends TypeError {
  override readonly name = "DTypeError";

  constructor(message: string, readonly dtypes: readonly DType[] = []) {
    super(message);
  }
}

/** A device limit that an operation would pass: what was asked for, and what the device allows. */
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
