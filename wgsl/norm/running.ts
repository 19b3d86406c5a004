/** Running statistics of batch norm. */
import { DTypeError, ShapeError } from "../errors.ts";
import {
  bind,
  f32,
  linearGrid,
  splitBox,
  storageType,
  windowOf,
  words,
} from "../launch.ts";
import type { Op } from "../op.ts";
import { formatShape, itemBytes, sameShape, sizeOf } from "../shape.ts";
import code from "./running.wgsl" with { type: "text" };

const kernel = { label: "wgsl/norm/running.wgsl", code };

/** Invocations of a workgroup, as written in the kernel. */
const WORKGROUP = 64;

/** Attributes of `updateRunning`. */
export interface RunningAttrs {
  /** Share of the new statistics. */
  readonly momentum: number;
  /** Elements that they were taken of, at least two. */
  readonly count: number;
}

/**
 * Moves running statistics towards those of a batch, in place: `mean = (1 − momentum)·mean + momentum·stats[:, 0]`, and the variance likewise with the
 * unbiased `stats[:, 1]·count / (count − 1)`, as PyTorch does.
 *
 * `mean, variance: [C], stats: [C, 2] → mean, variance`. Throws a ShapeError or DTypeError for tensors that don't fit together.
 */
export const updateRunning: Op<RunningAttrs> = {
  name: "updateRunning",
  inPlace: [0, 1],
  volatile: true,
  infer([mean, variance, stats]) {
    const n = sizeOf(mean.shape);
    if (
      !sameShape(variance.shape, mean.shape) || !sameShape(stats.shape, [n, 2])
    ) {
      throw new ShapeError(
        `Cannot update running statistics ${formatShape(mean.shape)} and ${
          formatShape(variance.shape)
        } with ${
          formatShape(stats.shape)
        }: expected [C], [C] and [C, 2] for one C`,
        [mean.shape, variance.shape, stats.shape],
      );
    }
    const types = [mean.dtype, variance.dtype, stats.dtype];
    const double = stats.dtype === "f64";
    const allowed = double ? ["f64"] : ["f32", "f16"];
    if (types.slice(0, 2).some((t) => !allowed.includes(t) || t !== types[0])) {
      throw new DTypeError(
        `Cannot update running statistics of ${types[0]} and ${
          types[1]
        } with ${stats.dtype}: expected both of one float type${
          double ? ", f64" : ", f32 or f16"
        }`,
        types,
      );
    }
    return [mean, variance];
  },
  variants: [{
    name: "naive",
    plan({ inputs: [mean, variance, stats], attrs, limits }) {
      const n = sizeOf(mean.shape);
      if (n === 0) return { launches: [] };
      const walks = [
        { strides: [1], offset: mean.offset, dtype: mean.dtype },
        { strides: [1], offset: variance.offset, dtype: variance.dtype },
        { strides: [2], offset: stats.offset, dtype: stats.dtype },
      ];
      const launches = splitBox([n], walks, limits).map((box) => {
        const [first, second, pairs] = walks.map((w) => windowOf(w, box));
        // The walk's window ends with the first word of the last pair.
        const both = { ...pairs, size: pairs.size + 4 };
        return {
          kernel,
          declarations: `alias T = ${storageType(mean.dtype)};`,
          bindings: [
            bind("output", 0, "write", first),
            bind("output", 1, "write", second),
            bind("input", 2, "read", both),
          ],
          params: words(
            box.size[0],
            first.base,
            second.base,
            pairs.base / 2,
            f32(attrs.momentum),
            f32(attrs.count / (attrs.count - 1)),
          ),
          workgroups: linearGrid(box.size[0], WORKGROUP, limits),
          trips: 0,
          flops: box.size[0] * 7,
          bytes: box.size[0] * (4 * itemBytes(mean.dtype) + 8),
        };
      });
      return { launches };
    },
  }],
  reference([mean, variance, stats], outputs, { momentum, count }) {
    const unbiased = count / (count - 1);
    for (let c = 0; c < mean.data.length; c++) {
      const [m, v] = [stats.data[2 * c], stats.data[2 * c + 1] * unbiased];
      outputs[0].data[c] = (1 - momentum) * mean.data[c] + momentum * m;
      outputs[1].data[c] = (1 - momentum) * variance.data[c] + momentum * v;
    }
  },
};
