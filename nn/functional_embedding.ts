/** Rows of a table by number. */
import { checkIndices } from "../core/indices.ts";
import { tidy } from "../core/scope.ts";
import { apply, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../wgsl/errors.ts";
import { indexSelect } from "../wgsl/move/gather.ts";
import { formatShape } from "../wgsl/shape.ts";

/** Options of {@linkcode embedding}. */
export interface EmbeddingOptions {
  /** A row that no gradient flows into; negative ones count from the end. @default none */
  readonly paddingIdx?: number;
}

/** The position of a padding row, from the start. */
export function paddingRow(index: number, rows: number): number {
  if (Number.isInteger(index) && index >= -rows && index < rows) {
    return index < 0 ? index + rows : index;
  }
  throw new RangeError(
    `Cannot pad with row ${index}: the table has rows 0 to ${rows - 1}`,
  );
}

/**
 * The rows of a table that `indices` names. `indices: [..] of i32 or u32, weight: [V, D] → [.., D]`
 *
 * Indices must lie in 0 … V - 1. Those that come from the host are checked at the call; computed ones outside give rows of NaN.
 *
 * @throws {ShapeError | DTypeError} Where the table isn't a matrix, or the indices aren't integers.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { embedding, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const table = tensor([[0, 1], [2, 3], [4, 5]]);
 * const rows = embedding(tensor([2, 0], { dtype: "i32" }), table);
 * assertEquals(await rows.array(), [[4, 5], [0, 1]]);
 * ```
 */
export function embedding(
  indices: Tensor,
  weight: Tensor,
  options: EmbeddingOptions = {},
): Tensor {
  if (weight.rank !== 2) {
    throw new ShapeError(
      `Cannot look rows up in ${formatShape(weight.shape)}: expected [V, D]`,
      [weight.shape],
    );
  }
  const [rows, width] = weight.shape;
  checkIndices("look rows up", indices, rows);
  const { paddingIdx } = options;
  return tidy(() => {
    const flat = indices.flatten();
    let picked = apply(indexSelect, [weight, flat], { axis: 0 })[0];
    if (paddingIdx !== undefined && picked.requiresGrad) {
      const padding = flat.eq(paddingRow(paddingIdx, rows)).unsqueeze(1);
      picked = padding.where(picked.detach(), picked);
    }
    return picked.reshape([...indices.shape, width]);
  });
}
