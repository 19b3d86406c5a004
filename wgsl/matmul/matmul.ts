/** Products of matrices, batched and broadcast, with an optional bias for linear layers. */
import { DTypeError, ShapeError } from "../errors.ts";
import type { HostArray, Meta, Op, Request, Shape, Variant } from "../op.ts";
import {
  broadcastStrides,
  contiguousView,
  formatShape,
  sameShape,
} from "../shape.ts";
import { naive, staged, tileCount, tiles, type TileSize } from "./forms.ts";
import { type Form, planProduct } from "./plan.ts";
import { problemOf } from "./problem.ts";

/** `matmul` has no attributes. */
export type MatmulAttrs = Readonly<Record<string, never>>;

/** Invocations below which a launch leaves a device idle, so that a long k is cut into pieces that run side by side. */
const BUSY = 2048;

/** Fewest steps of k that are worth a piece of their own: its sums are written and read once more. */
const SHORTEST_PIECE = 256;

/**
 * Matrix product, by the rules of `torch.matmul` for tensors of two axes and more: leading axes are a batch and broadcast.
 *
 * `a: [..., m, k] · b: [..., k, n] (+ bias: [n]) → [..., m, n]`
 *
 * Operands may be transposed views: no kernel needs them contiguous. Sums are kept in float32 for f16 too. With k = 0 the product is
 * zero, plus the bias. Throws a ShapeError where sizes don't fit or an operand has fewer than two axes (reshape vectors first), and a
 * DTypeError unless all inputs have the same floating-point dtype.
 */
export const matmul: Op<MatmulAttrs> = {
  name: "matmul",
  strided: true,
  infer(inputs) {
    const [a, b, bias] = inputs;
    const shape = productShape(a.shape, b.shape);
    if (bias) expectBias(bias.shape, shape);
    expectSameFloat(inputs);
    return [{ shape, dtype: a.dtype }];
  },
  variants: [
    variant("split_k", tiles(tileFor, piecesFor), isLongAndSmall),
    variant("tile", tiles(tileFor)),
    variant("tile_16x8", tiles(() => ({ rows: 16, cols: 8 }))),
    variant("tile_8x8", tiles(() => ({ rows: 8, cols: 8 }))),
    variant("tile_4x8", tiles(() => ({ rows: 4, cols: 8 }))),
    variant("workgroup", staged),
    variant("naive", naive),
  ],
  reference([a, b, bias], [c]) {
    const [m, n] = c.shape.slice(-2);
    const k = a.shape[a.shape.length - 1];
    const starts = [a, b].map((x) => batchStarts(x, c.shape));
    for (let batch = 0, out = 0; out < c.data.length; batch++) {
      const [aStart, bStart] = starts.map((list) => list[batch]);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++, out++) {
          let sum = 0;
          for (let d = 0; d < k; d++) {
            sum += a.data[aStart + i * k + d] * b.data[bStart + d * n + j];
          }
          c.data[out] = bias ? sum + bias.data[j] : sum;
        }
      }
    }
  },
  gradient: {
    saves: { inputs: [0, 1] },
    // c = a·b + bias: da = dc·bᵀ, db = aᵀ·dc, dbias = Σ dc, each summed over the axes along which it was broadcast.
    rule({ grads: [dc], inputs: [a, b], inputMetas, needs }) {
      if (!dc) return inputMetas.map(() => null);
      const [aShape, bShape, biasShape] = inputMetas.map(({ shape }) => shape);
      const da = needs[0] ? dc.matmul(b.transpose(-2, -1)).sumTo(aShape) : null;
      let db = null;
      if (needs[1] && bShape.length === 2) {
        // One b for all batches: their rows make one tall product, whose k is the sum over batches too.
        const rows = a.reshape([rowsOf(aShape), aShape[aShape.length - 1]]);
        const grads = dc.reshape([rowsOf(dc.shape), bShape[1]]);
        db = rows.transpose(0, 1).matmul(grads);
      } else if (needs[1]) {
        db = a.transpose(-2, -1).matmul(dc).sumTo(bShape);
      }
      if (!biasShape) return [da, db];
      return [da, db, needs[2] ? dc.sumTo(biasShape) : null];
    },
  },
};

function variant(
  name: string,
  form: Form,
  applies?: (request: Request<MatmulAttrs>) => boolean,
): Variant<MatmulAttrs> {
  return { name, applies, plan: (request) => planProduct(request, form) };
}

/** The tile for a product: as large as the outputs fill, since larger tiles read less for each multiply-add. */
function tileFor(size: readonly number[]): TileSize {
  const [, , m, n] = size;
  const cols = n <= 4 ? 4 : 8;
  const rows = m <= 4 ? 4 : m <= 8 ? 8 : 16;
  return { rows, cols };
}

/** As many pieces as make a launch busy, but none too short. */
function piecesFor(size: readonly number[]): number {
  const busy = Math.ceil(BUSY / tileCount(size, tileFor(size)));
  return Math.min(busy, Math.floor(size[4] / SHORTEST_PIECE));
}

function isLongAndSmall(request: Request<MatmulAttrs>): boolean {
  return piecesFor(problemOf(request).shape.slice(-5)) > 1;
}

function productShape(a: Shape, b: Shape): number[] {
  const what = `Cannot multiply ${formatShape(a)} by ${formatShape(b)}`;
  const expected = "[..., m, k] by [..., k, n]";
  if (a.length < 2 || b.length < 2) {
    throw new ShapeError(
      `${what}: expected at least 2 axes in each, ${expected}`,
      [a, b],
    );
  }
  const [m, k] = a.slice(-2);
  const [inner, n] = b.slice(-2);
  if (k !== inner) {
    throw new ShapeError(
      `${what}: inner sizes ${k} and ${inner} differ, expected ${expected}`,
      [a, b],
    );
  }
  const rank = Math.max(a.length, b.length);
  const shape = [...new Array<number>(rank - 2), m, n];
  for (let d = 3; d <= rank; d++) {
    const [p, q] = [a[a.length - d] ?? 1, b[b.length - d] ?? 1];
    if (p !== q && p !== 1 && q !== 1) {
      throw new ShapeError(
        `${what}: batch sizes ${p} and ${q} of axis ${-d} differ and neither is 1`,
        [a, b],
      );
    }
    shape[rank - d] = p === 1 ? q : p;
  }
  return shape;
}

function expectBias(bias: Shape, product: Shape): void {
  const expected = product.slice(-1);
  if (sameShape(bias, expected)) return;
  throw new ShapeError(
    `Cannot add a bias of ${formatShape(bias)} to a product of ${
      formatShape(product)
    }: expected ${formatShape(expected)}`,
    [bias, product],
  );
}

function expectSameFloat(inputs: readonly Meta[]): void {
  const dtypes = inputs.map(({ dtype }) => dtype);
  const floats = ["f32", "f16", "f64"];
  if (dtypes.every((d) => d === dtypes[0] && floats.includes(d))) return;
  throw new DTypeError(
    `Cannot multiply ${dtypes.slice(0, 2).join(" by ")}${
      dtypes.length > 2 ? ` and add ${dtypes[2]}` : ""
    }: expected one floating-point dtype for all`,
    dtypes,
  );
}

/** Number of rows of a tensor seen as one tall matrix. */
function rowsOf(shape: Shape): number {
  return shape.slice(0, -1).reduce((rows, n) => rows * n, 1);
}

/** Where the matrix of each batch of a product starts in an operand. */
function batchStarts(x: HostArray, product: Shape): number[] {
  const batch = product.slice(0, -2);
  const { shape, strides, dtype } = contiguousView(x);
  const steps = broadcastStrides({
    shape: shape.slice(0, -2),
    strides: strides.slice(0, -2),
    offset: 0,
    dtype,
  }, batch);
  return batch.reduce(
    (starts, n, d) =>
      starts.flatMap((start) =>
        Array.from({ length: n }, (_, i) => start + i * steps[d])
      ),
    [0],
  );
}
