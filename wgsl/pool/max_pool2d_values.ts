/** Max pooling where nobody asks where the maxima stand: a third to a half less to write. */
import type { Op } from "../op.ts";
import {
  canTile,
  maxPool2d,
  type MaxPool2dAttrs,
  planNaive,
  planTiled,
} from "./max_pool2d.ts";
import tallCode from "./max_pool2d_values_tall.wgsl" with { type: "text" };
import tiledCode from "./max_pool2d_values_tiled.wgsl" with { type: "text" };
import code from "./max_pool2d_values.wgsl" with { type: "text" };
import { fitsTall, outputTiles, tallTiles } from "./tiles.ts";

const NAIVE = { label: "wgsl/pool/max_pool2d_values.wgsl", code };
const TALL = {
  label: "wgsl/pool/max_pool2d_values_tall.wgsl",
  code: tallCode,
};
const TILED = {
  label: "wgsl/pool/max_pool2d_values_tiled.wgsl",
  code: tiledCode,
};

/**
 * Largest value of each window: the first output of `maxPool2d`.
 *
 * `x: [N, C, H, W] → [N, C, OH, OW]`. NaN is larger than everything. Where a window's maxima are −0 and +0, which are equal, the zero may be of
 * another sign than that of `maxPool2d`. There is no gradient, as it takes the indices.
 */
export const maxPool2dValues: Op<MaxPool2dAttrs> = {
  name: "maxPool2dValues",
  infer: (inputs, attrs) => maxPool2d.infer(inputs, attrs).slice(0, 1),
  variants: [
    {
      name: "tall",
      applies: ({ attrs }) => fitsTall(attrs),
      plan: (request) => planTiled(TALL, request, tallTiles),
    },
    {
      name: "tiled",
      applies: canTile,
      plan: (request) => planTiled(TILED, request, outputTiles),
    },
    { name: "naive", plan: (request) => planNaive(NAIVE, request) },
  ],
  reference(inputs, [values], attrs) {
    const { shape } = values;
    const data = new Int32Array(values.data.length);
    const indices = { shape, dtype: "i32" as const, data };
    maxPool2d.reference(inputs, [values, indices], attrs);
  },
};
