/** How often a classifier is right. */
import { noGrad } from "../core/autograd.ts";
import { arange, zeros } from "../core/create.ts";
import { ShapeError } from "../core/errors.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { isFloat } from "../core/tensor_base.ts";
import { formatShape, sameShape } from "../wgsl/shape.ts";

/**
 * Part of the labels at which the highest score stands; of equal ones the first counts, and NaN is the highest. A scalar.
 *
 * logits: `[N, C, …]`, labels: `[N, …]`, integers
 *
 * @throws {ShapeError} Where the shapes don't fit each other.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const logits = tensor([[0.1, 0.9], [0.8, 0.2]]);
 * const labels = tensor([1, 1], { dtype: "i32" });
 * assertEquals(await nn.accuracy(logits, labels).item(), 0.5);
 * ```
 */
export function accuracy(logits: Tensor, labels: Tensor): Tensor {
  return tidy(() => noGrad(() => hits(logits, labels).to("f32").mean()));
}

/**
 * Part of the labels whose score is among the `k` highest; of equal ones the first count. A label whose score is NaN is never found, and other scores
 * that are NaN count as higher. A scalar.
 *
 * logits: `[N, C, …]`, labels: `[N, …]`, integers
 *
 * @throws {ShapeError} Where the shapes don't fit each other.
 * @throws {RangeError} For a `k` that isn't an integer of 1 or more.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const logits = tensor([[3, 2, 1], [3, 2, 1]]);
 * const labels = tensor([1, 2], { dtype: "i32" });
 * assertEquals(await nn.topK(logits, labels, 2).item(), 0.5);
 * ```
 */
export function topK(logits: Tensor, labels: Tensor, k: number): Tensor {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(
      `Cannot look for labels among the ${k} highest scores: expected an integer of 1 or more`,
    );
  }
  checkShapes(logits, labels);
  return tidy(() =>
    noGrad(() => {
      const place = labels.to("i32").unsqueeze(1);
      const own = logits.gather(1, place);
      const classes = arange(logits.shape[1])
        .reshape([-1, ...labels.shape.slice(1).map(() => 1)]);
      const before = logits.eq(own).logicalAnd(classes.lt(place));
      const higher = logits.gt(own).logicalOr(logits.isNan());
      const rank = higher.logicalOr(before).to("i32").sum([1]);
      const found = rank.lt(k).logicalAnd(own.squeeze(1).isNan().logicalNot());
      return found.to("f32").mean();
    })
  );
}

/** Options of {@linkcode confusionMatrix}. */
export interface ConfusionOptions {
  /** Number of classes. @default that of the scores; must be given with guesses */
  readonly classes?: number;
}

/**
 * Counts how often each class was taken for each: row i, column j is the number of examples of class i that were guessed as class j. Matrices of
 * several batches are added with `add`. i32.
 *
 * guesses: scores `[N, C, …]` or classes `[N, …]`, labels: `[N, …]`, integers → `[C, C]`
 *
 * @throws {ShapeError} Where the shapes don't fit each other.
 * @throws {RangeError} For guesses without a number of classes, or classes outside of it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const guesses = tensor([0, 1, 1, 2], { dtype: "i32" });
 * const labels = tensor([0, 1, 2, 2], { dtype: "i32" });
 * const matrix = nn.confusionMatrix(guesses, labels, { classes: 3 });
 * assertEquals(await matrix.array(), [[1, 0, 0], [0, 1, 0], [0, 1, 1]]);
 * ```
 */
export function confusionMatrix(
  guesses: Tensor,
  labels: Tensor,
  options: ConfusionOptions = {},
): Tensor {
  const scored = isFloat(guesses.dtype);
  if (scored) checkShapes(guesses, labels);
  else if (!sameShape(guesses.shape, labels.shape)) {
    throw new ShapeError(
      `Cannot compare guesses of shape ${
        formatShape(guesses.shape)
      } with labels of shape ${
        formatShape(labels.shape)
      }: expected the same shape`,
      [guesses.shape, labels.shape],
    );
  }
  const classes = options.classes ?? (scored ? guesses.shape[1] : undefined);
  if (classes === undefined) {
    throw new RangeError(
      "Cannot count guesses: their number of classes is unknown, pass { classes }",
    );
  }
  return tidy(() =>
    noGrad(() => {
      const guessed = scored ? guesses.argmax(1) : guesses.to("i32");
      if (guessed.size === 0) {
        return zeros([classes, classes], { dtype: "i32" });
      }
      const rows = labels.to("i32").flatten().oneHot(classes);
      const columns = guessed.flatten().oneHot(classes);
      return rows.transpose(0, 1).matmul(columns).round().to("i32");
    })
  );
}

/** Whether each label has the highest score: bool of the labels' shape. */
export function hits(logits: Tensor, labels: Tensor): Tensor {
  checkShapes(logits, labels);
  return logits.argmax(1).eq(labels.to("i32"));
}

/** Whether labels are classes, one for each row of scores. */
export function areScores(outputs: Tensor, targets: Tensor): boolean {
  const { shape, dtype } = targets;
  return !isFloat(dtype) && outputs.rank === shape.length + 1 &&
    outputs.rank > 1 && sameShape(without1(outputs.shape), shape);
}

function checkShapes(logits: Tensor, labels: Tensor): void {
  if (areScores(logits, labels)) return;
  throw new ShapeError(
    `Cannot compare scores of shape ${
      formatShape(logits.shape)
    } with ${labels.dtype} labels of shape ${
      formatShape(labels.shape)
    }: expected [N, C, …] and integers of [N, …]`,
    [logits.shape, labels.shape],
  );
}

function without1(shape: readonly number[]): number[] {
  return shape.filter((_, axis) => axis !== 1);
}
