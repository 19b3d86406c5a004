/** The geometry of normalisation in tensor calls, for gradient rules. */
import type { Tensor } from "../../core/tensor.ts";
import { type NormAttrs, spaceOf } from "./geometry.ts";

/** A tensor of x's shape over the five axes. */
export function spread(x: Tensor, attrs: NormAttrs): Tensor {
  return x.reshape(spaceOf(attrs));
}

/** A tensor of one value a channel, to be broadcast over the five axes. */
export function channelsIn(
  x: Tensor,
  { groups, channels }: NormAttrs,
): Tensor {
  return x.reshape([1, 1, groups, channels, 1]);
}

/** The two columns of statistics, to be broadcast over the five axes. */
export function columnsOf(
  stats: Tensor,
  { samples, groups }: NormAttrs,
): [Tensor, Tensor] {
  const column = (i: number) =>
    stats.slice(1, i, i + 1).reshape([1, samples, groups, 1, 1]);
  return [column(0), column(1)];
}

/** The mean of each group, to be broadcast over the five axes. */
export function groupMean(x: Tensor): Tensor {
  return x.mean([0, 3, 4], { keepDims: true });
}
