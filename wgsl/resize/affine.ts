/**
 * Planes seen through affine maps, one a plane: crops, mirror images, turns and zooms of a batch of pictures, each image its own, in one launch.
 *
 * No gradient flows through it: it serves augmentation, whose maps and inputs aren't learned.
 */
import { DTypeError, ShapeError } from "../errors.ts";
import type { DType, Op, Plan, Request } from "../op.ts";
import { planeLaunches } from "../pool/launches.ts";
import { formatShape, sameShape } from "../shape.ts";
import code from "./affine.wgsl" with { type: "text" };

const KERNEL = { label: "wgsl/resize/affine.wgsl", code };

/** Attributes of `affineSample`. */
export interface AffineSampleAttrs {
  /** Sizes of the output's planes. */
  readonly height: number;
  readonly width: number;
  readonly mode: "nearest" | "bilinear";
  /** What stands beyond x. */
  readonly fill: number;
}

/** Numbers along each of the two axes of a map. */
const TERMS = 5;

/**
 * `x: [N, C, H, W], maps: [N, C, 2, 5] → y: [N, C, OH, OW]`
 *
 * Output (i, j) looks at the place with x = a·(j + ½) + b·(i + ½) + c − ½ and y = d·(j + ½) + e·(i + ½) + f − ½, in pixels counted at their
 * centres, each clamped to its own bounds. A plane's map is [[a, b, c, low, high], [d, e, f, low, high]], f32, in which low is −2 and high is W + 1
 * (H + 1) or nearer together, so that places beyond the plane stay small. Pixels beyond x count as `fill`.
 */
export const affineSample: Op<AffineSampleAttrs> = {
  name: "affineSample",
  infer([x, maps], { height, width }) {
    const floats: readonly DType[] = ["f32", "f16", "f64"];
    if (!floats.includes(x.dtype) || !floats.includes(maps.dtype)) {
      throw new DTypeError(
        `Cannot sample ${x.dtype} through maps of ${maps.dtype}: expected floats`,
        [x.dtype, maps.dtype],
      );
    }
    const wanted = [...x.shape.slice(0, 2), 2, TERMS];
    if (x.shape.length !== 4 || !sameShape(maps.shape, wanted)) {
      throw new ShapeError(
        `Cannot sample ${formatShape(x.shape)} through maps ${
          formatShape(maps.shape)
        }: expected [N, C, H, W] and [N, C, 2, ${TERMS}]`,
        [x.shape, maps.shape],
      );
    }
    const whole = [height, width].every((n) => Number.isInteger(n) && n > 0);
    if (!whole || x.shape[2] === 0 || x.shape[3] === 0) {
      throw new ShapeError(
        `Cannot sample ${
          formatShape(x.shape)
        } to ${height}×${width}: expected planes of at least one pixel`,
        [x.shape],
      );
    }
    const shape = [x.shape[0], x.shape[1], height, width];
    return [{ shape, dtype: x.dtype }];
  },
  variants: [{ name: "naive", plan }],
  reference([x, maps], [y], { height, width, mode, fill }) {
    const [planes, h, w] = [x.shape[0] * x.shape[1], x.shape[2], x.shape[3]];
    for (let p = 0; p < planes; p++) {
      const place = (axis: number, i: number, j: number): number => {
        const row = (2 * p + axis) * TERMS;
        const [a, b, c, low, high] = maps.data.subarray(row, row + TERMS);
        const at = a * (j + 0.5) + b * (i + 0.5) + c - 0.5;
        return Math.min(Math.max(at, low), high);
      };
      const pixel = (row: number, column: number): number =>
        row >= 0 && row < h && column >= 0 && column < w
          ? x.data[(p * h + row) * w + column]
          : fill;
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const [px, py] = [place(0, i, j), place(1, i, j)];
          y.data[(p * height + i) * width + j] = mode === "nearest"
            ? pixel(Math.floor(py + 0.5), Math.floor(px + 0.5))
            : between(pixel, py, px);
        }
      }
    }
  },
};

/** The bilinear mean of the four pixels around a place. */
function between(
  pixel: (row: number, column: number) => number,
  py: number,
  px: number,
): number {
  const [top, left] = [Math.floor(py), Math.floor(px)];
  const [dy, dx] = [py - top, px - left];
  const row = (i: number) =>
    (1 - dx) * pixel(i, left) + dx * pixel(i, left + 1);
  return (1 - dy) * row(top) + dy * row(top + 1);
}

function plan(request: Request<AffineSampleAttrs>): Plan {
  const { inputs: [x], attrs: { height, width, mode, fill } } = request;
  const bilinear = mode === "bilinear";
  return {
    launches: planeLaunches(request, {
      kernel: KERNEL,
      constants: { BILINEAR: Number(bilinear), FILL: fill },
      invocations: height * width,
      params: [x.shape[2], x.shape[3], height, width],
      trips: 0,
      flops: height * width * (bilinear ? 19 : 10),
    }),
  };
}
