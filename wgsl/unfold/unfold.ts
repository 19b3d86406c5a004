/** Windows of planes as columns (im2col), and columns added back into planes (col2im): each the other's adjoint. */
import { DTypeError, ShapeError } from "../errors.ts";
import type {
  DType,
  HostArray,
  Meta,
  Op,
  Plan,
  Request,
  Shape,
  View,
} from "../op.ts";
import {
  passSize,
  passTrips,
  planeLaunches,
  windowPasses,
} from "../pool/launches.ts";
import type { Pair } from "../pool/window.ts";
import { formatShape } from "../shape.ts";
import foldCode from "./fold.wgsl" with { type: "text" };
import tiledCode from "./unfold_tiled.wgsl" with { type: "text" };
import code from "./unfold.wgsl" with { type: "text" };

const UNFOLD = { label: "wgsl/unfold/unfold.wgsl", code };
const TILED = { label: "wgsl/unfold/unfold_tiled.wgsl", code: tiledCode };
const FOLD = { label: "wgsl/unfold/fold.wgsl", code: foldCode };

/** Most outputs that an invocation of the tiled kernel owns. */
const MOST_TILE = 8;

/** Attributes of `unfold`: a window that slides over planes. Sizes in elements. */
export interface UnfoldAttrs {
  readonly kernel: Pair;
  readonly stride: Pair;
  /** Zeros above and below, left and right. */
  readonly padding: Pair;
  readonly dilation: Pair;
}

/** Attributes of `fold`: those of `unfold` and the height and width of its input. */
export interface FoldAttrs extends UnfoldAttrs {
  readonly size: Pair;
}

/**
 * The elements under each place of a sliding window, as columns: im2col.
 *
 * `x: [N, C, H, W] → [N, C·kh·kw, L]`, L = OH·OW places in row-major order, OH = ⌊(H + 2p − d·(kh − 1) − 1) / s⌋ + 1.
 */
export const unfold: Op<UnfoldAttrs> = {
  name: "unfold",
  infer([x], attrs) {
    checkWindow(attrs, "unfold");
    expectFloat(x, "unfold");
    const [, , ...planes] = x.shape;
    if (x.shape.length !== 4 || planes.includes(0)) {
      throw new ShapeError(
        `Cannot unfold ${
          formatShape(x.shape)
        }: expected 4 axes [batch, channels, height, width], the last two not empty`,
        [x.shape],
      );
    }
    const [n, c, height, width] = x.shape;
    const [down, across] = placesOf([height, width], attrs, "unfold");
    const [kernelH, kernelW] = attrs.kernel;
    return [{
      shape: [n, c * kernelH * kernelW, down * across],
      dtype: x.dtype,
    }];
  },
  variants: [
    { name: "tiled", plan: planTiled },
    { name: "naive", plan: planNaive },
  ],
  reference([x], [y], attrs) {
    y.data.fill(0);
    eachTap(x, attrs, (at, column) => y.data[column] = x.data[at]);
  },
  gradient: {
    rule({ attrs, grads: [dy], inputMetas: [x], apply }) {
      if (!dy) return [null];
      const size: Pair = [x.shape[2], x.shape[3]];
      return apply(fold, [dy], { ...attrs, size });
    },
  },
};

/**
 * Columns added back to where `unfold` took them from: col2im.
 *
 * `x: [N, C·kh·kw, L] → [N, C, H, W]`, where overlapping windows add up and elements under none are 0.
 */
export const fold: Op<FoldAttrs> = {
  name: "fold",
  infer([x], attrs) {
    checkWindow(attrs, "fold");
    expectFloat(x, "fold");
    const { size, kernel } = attrs;
    checkPair("size", size, 1, "fold");
    const [down, across] = placesOf(size, attrs, "fold");
    const taps = kernel[0] * kernel[1];
    const [n, rows, places] = x.shape;
    const fits = x.shape.length === 3 && places === down * across &&
      rows % taps === 0;
    if (!fits) {
      throw new ShapeError(
        `Cannot fold ${formatShape(x.shape)} into planes of ${
          size.join(" x ")
        }: expected [batch, channels*${taps}, ${down * across}] for a ${
          kernel.join(" x ")
        } kernel in ${down} x ${across} places`,
        [x.shape],
      );
    }
    return [{ shape: [n, rows / taps, ...size], dtype: x.dtype }];
  },
  variants: [{ name: "naive", plan: planFold }],
  reference([x], [y], attrs) {
    const sums = new Float64Array(y.data.length);
    eachTap(y, attrs, (at, column) => sums[at] += x.data[column]);
    y.data.set(sums);
  },
  gradient: {
    rule({ attrs: { size: _, ...attrs }, grads: [dy], apply }) {
      return dy ? apply(unfold, [dy], attrs) : [null];
    },
  },
};

function expectFloat({ dtype }: Meta, call: string): void {
  const floats: readonly DType[] = ["f32", "f16", "f64"];
  if (floats.includes(dtype)) return;
  throw new DTypeError(
    `Cannot ${call} ${dtype}: expected one of ${floats.join(", ")}`,
    [dtype],
  );
}

function checkPair(
  name: string,
  [h, w]: Pair,
  least: 0 | 1,
  call: string,
): void {
  if ([h, w].every((n) => Number.isInteger(n) && n >= least)) return;
  throw new ShapeError(
    `Cannot ${call} with ${name} [${h}, ${w}]: expected two ${
      least === 1 ? "positive integers" : "integers that are not negative"
    }`,
  );
}

function checkWindow(attrs: UnfoldAttrs, call: string): void {
  checkPair("kernel", attrs.kernel, 1, call);
  checkPair("stride", attrs.stride, 1, call);
  checkPair("dilation", attrs.dilation, 1, call);
  checkPair("padding", attrs.padding, 0, call);
}

/** Places of the window, down and across. */
function placesOf(
  size: Pair,
  { kernel, stride, padding, dilation }: UnfoldAttrs,
  call: string,
): [number, number] {
  const along = (d: 0 | 1): number => {
    const [k, s, p, step] = [kernel, stride, padding, dilation].map((v) =>
      v[d]
    );
    const places = Math.floor((size[d] + 2 * p - step * (k - 1) - 1) / s) + 1;
    if (places > 0) return places;
    throw new ShapeError(
      `Cannot ${call} planes of ${size.join(" x ")} with a ${
        kernel.join(" x ")
      } kernel: floor((${
        size[d]
      } + 2*${p} - ${step}*(${k} - 1) - 1) / ${s}) + 1 = ${places} places ${
        d === 0 ? "down" : "across"
      }`,
    );
  };
  return [along(0), along(1)];
}

/** Visits each element of planes [N, C, H, W] under each tap of each window, with its index and that of its place in the columns. */
function eachTap(
  { shape }: HostArray,
  attrs: UnfoldAttrs,
  visit: (at: number, column: number) => void,
): void {
  const { kernel, stride, padding, dilation } = attrs;
  const [n, c, height, width] = shape;
  const [down, across] = placesOf([height, width], attrs, "unfold");
  let column = 0;
  for (let plane = 0; plane < n * c; plane++) {
    for (let i = 0; i < kernel[0]; i++) {
      for (let j = 0; j < kernel[1]; j++) {
        for (let oh = 0; oh < down; oh++) {
          const h = oh * stride[0] - padding[0] + i * dilation[0];
          for (let ow = 0; ow < across; ow++, column++) {
            const w = ow * stride[1] - padding[1] + j * dilation[1];
            if (h < 0 || h >= height || w < 0 || w >= width) continue;
            visit((plane * height + h) * width + w, column);
          }
        }
      }
    }
  }
}

function overridesOf(attrs: UnfoldAttrs): Record<string, number> {
  return {
    KERNEL_H: attrs.kernel[0],
    KERNEL_W: attrs.kernel[1],
    STRIDE_H: attrs.stride[0],
    STRIDE_W: attrs.stride[1],
    PADDING_H: attrs.padding[0],
    PADDING_W: attrs.padding[1],
    DILATION_H: attrs.dilation[0],
    DILATION_W: attrs.dilation[1],
  };
}

/** Columns [N, C·taps, L] as planes [N, C, taps, L], as launches over planes cut them. */
function asPlanes(columns: View, planes: Shape, attrs: UnfoldAttrs): View {
  const taps = attrs.kernel[0] * attrs.kernel[1];
  const [n, c] = planes;
  return { ...columns, shape: [n, c, taps, columns.shape[2]] };
}

function planTiled(request: Request<UnfoldAttrs>): Plan {
  const { inputs: [x], outputs: [y], attrs } = request;
  const [, , height, width] = x.shape;
  const [down, across] = placesOf([height, width], attrs, "unfold");
  const TILE = Math.min(MOST_TILE, across);
  const tiles = Math.ceil(across / TILE);
  const taps = attrs.kernel[0] * attrs.kernel[1];
  const outputs = [asPlanes(y, x.shape, attrs)];
  return {
    launches: planeLaunches({ ...request, outputs }, {
      kernel: TILED,
      constants: overridesOf(attrs),
      sizes: { TILE },
      invocations: taps * down * tiles,
      params: [height, width, down, across, tiles],
      trips: TILE,
      flops: 0,
    }),
  };
}

function planNaive(request: Request<UnfoldAttrs>): Plan {
  const { inputs: [x], outputs: [y], attrs } = request;
  const [, , height, width] = x.shape;
  const [down, across] = placesOf([height, width], attrs, "unfold");
  const taps = attrs.kernel[0] * attrs.kernel[1];
  const outputs = [asPlanes(y, x.shape, attrs)];
  return {
    launches: planeLaunches({ ...request, outputs }, {
      kernel: UNFOLD,
      constants: overridesOf(attrs),
      invocations: taps * down * across,
      params: [height, width, down, across],
      trips: 0,
      flops: 0,
    }),
  };
}

function planFold(request: Request<FoldAttrs>): Plan {
  const { inputs: [x], outputs: [y], attrs, limits } = request;
  const [height, width] = attrs.size;
  const [down, across] = placesOf([height, width], attrs, "fold");
  const inputs = [asPlanes(x, y.shape, attrs)];
  return {
    launches: windowPasses(...attrs.kernel, limits).flatMap((pass) =>
      planeLaunches({ ...request, inputs }, {
        kernel: FOLD,
        constants: { ...overridesOf(attrs), ...pass },
        invocations: height * width,
        params: [height, width, down, across],
        trips: passTrips(pass),
        flops: down * across * passSize(pass),
      })
    ),
  };
}
