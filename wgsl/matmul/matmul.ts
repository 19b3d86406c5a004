/** Products of matrices, batched and broadcast, which can end in an epilogue: the bias and activation of a linear layer, say. */
import {
  checkEpilogue,
  epilogueInputs,
  epilogueReference,
} from "../epilogue.ts";
import { epilogueGradient, savesOutput } from "../epilogue_gradient.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import type {
  HostArray,
  Meta,
  Op,
  Request,
  Saves,
  Shape,
  Variant,
} from "../op.ts";
import { broadcastStrides, contiguousView, formatShape } from "../shape.ts";
import { naive, staged, tileCount, tiles, type TileSize } from "./forms.ts";
import { packingPays, planPacked } from "./packed.ts";
import { type Form, planProduct } from "./plan.ts";
import {
  epilogueOf,
  type MatmulAttrs,
  OWN_INPUTS,
  problemOf,
} from "./problem.ts";

export type { MatmulAttrs } from "./problem.ts";

/** Invocations below which a launch leaves a device idle, so that a long k is cut into pieces that run side by side. */
const BUSY = 2048;

/** Fewest steps of k that are worth a piece of their own: its sums are written and read once more. */
const SHORTEST_PIECE = 256;

/**
 * Matrix product, by the rules of `torch.matmul` for tensors of two axes and more: leading axes are a batch and broadcast.
 *
 * `a: [..., m, k] · b: [..., k, n] → [..., m, n]`
 *
 * The operands of the epilogue follow, see {@linkcode Epilogue}: `[n]` each, or `[m]` where rows count channels, the same for all batches; the residual
 * and the slope `[..., m, n]`. Without the attribute, a third input is a bias.
 *
 * a and b may be transposed views: no kernel needs them contiguous. Sums are kept in float32 for f16 too. With k = 0 the product is
 * zero, and the epilogue is applied to that. Throws a ShapeError where sizes don't fit or an operand has fewer than two axes (reshape vectors first), and a
 * DTypeError unless all inputs have the same floating-point dtype.
 */
export const matmul: Op<MatmulAttrs> = {
  name: "matmul",
  strided: [0, 1],
  infer(inputs, attrs) {
    const [a, b] = inputs;
    const c = { shape: productShape(a.shape, b.shape), dtype: a.dtype };
    expectSameFloat(a, b);
    const epilogue = epilogueOf(attrs, inputs.length) ?? {};
    const channels = c.shape[channelAxis(attrs, c.shape)];
    const call = callOf(a.shape, b.shape);
    checkEpilogue(inputs, epilogue, OWN_INPUTS, c, channels, call);
    return [c];
  },
  variants: [
    { name: "packed", applies: packingPays, plan: planPacked },
    variant("split_k", tiles(tileFor, piecesFor), isLongAndSmall),
    variant("tile", tiles(tileFor)),
    variant("tile_16x8", tiles(() => ({ rows: 16, cols: 8 }))),
    variant("tile_8x8", tiles(() => ({ rows: 8, cols: 8 }))),
    variant("tile_4x8", tiles(() => ({ rows: 4, cols: 8 }))),
    variant("workgroup", staged),
    variant("naive", naive),
  ],
  reference(inputs, [c], attrs) {
    const [a, b] = inputs;
    const epilogue = epilogueOf(attrs, inputs.length);
    const finish = epilogueReference(epilogue, OWN_INPUTS, inputs);
    const rows = attrs.channels === "rows";
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
          c.data[out] = finish(sum, rows ? i : j, out);
        }
      }
    }
  },
  gradient: {
    saves: savesFor,
    // c = a·b: da = dc·bᵀ, db = aᵀ·dc, each summed over the axes along which it was broadcast.
    rule(context) {
      const { attrs, grads: [dy], inputs: [a, b], inputMetas, needs } = context;
      if (!dy) return inputMetas.map(() => null);
      const { sum: dc, operands } = epilogueGradient({
        context,
        epilogue: epilogueOf(attrs, inputMetas.length) ?? {},
        first: OWN_INPUTS,
        dy,
        axis: channelAxis(attrs, dy.shape),
        again: (inputs, epilogue) =>
          context.apply(matmul, inputs, { ...attrs, epilogue })[0],
      });
      const [aShape, bShape] = inputMetas.map(({ shape }) => shape);
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
      return [da, db, ...operands];
    },
  },
};

/** The factors, and what the epilogue needs: a scale or an activation looks at values inside it, a slope at its operand. */
function savesFor(attrs: MatmulAttrs): Saves {
  const { epilogue } = attrs;
  const inside = epilogue?.affine || epilogue?.slope || epilogue?.activation;
  const count = inside ? epilogueInputs(epilogue, OWN_INPUTS).count : 2;
  return {
    inputs: Array.from({ length: count }, (_, i) => i),
    outputs: savesOutput(epilogue) ? [0] : [],
  };
}

/** The axis of a product that counts the epilogue's channels. */
function channelAxis({ channels }: MatmulAttrs, product: Shape): number {
  return product.length - (channels === "rows" ? 2 : 1);
}

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
  const what = callOf(a, b);
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

function callOf(a: Shape, b: Shape): string {
  return `Cannot multiply ${formatShape(a)} by ${formatShape(b)}`;
}

function expectSameFloat(a: Meta, b: Meta): void {
  if (a.dtype === b.dtype && ["f32", "f16", "f64"].includes(a.dtype)) return;
  throw new DTypeError(
    `Cannot multiply ${a.dtype} by ${b.dtype}: expected one floating-point dtype for both`,
    [a.dtype, b.dtype],
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
