/** Normalisation in plain loops. */
import type { HostArray } from "../op.ts";
import { countOf, meansOf, type NormAttrs } from "./geometry.ts";

/** Calls `visit` with each element's place, and those of its mean and channel. */
export function eachElement(
  { outer, samples, groups, channels, space }: NormAttrs,
  visit: (at: number, mean: number, channel: number) => void,
): void {
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let p = 0; p < samples; p++) {
      for (let g = 0; g < groups; g++) {
        for (let k = 0; k < channels; k++) {
          for (let s = 0; s < space; s++) {
            visit(at++, p * groups + g, g * channels + k);
          }
        }
      }
    }
  }
}

/** Mean and variance of each group, in two passes. */
export function measure(
  x: HostArray,
  stats: HostArray,
  attrs: NormAttrs,
): void {
  const count = countOf(attrs);
  const means = new Float64Array(meansOf(attrs));
  const variances = new Float64Array(meansOf(attrs));
  if (attrs.centered) {
    eachElement(attrs, (at, m) => means[m] += x.data[at] / count);
  }
  eachElement(attrs, (at, m) => {
    variances[m] += (x.data[at] - means[m]) ** 2 / count;
  });
  means.forEach((mean, m) => {
    stats.data[2 * m] = mean;
    stats.data[2 * m + 1] = variances[m];
  });
}

/**
 * Normalises with statistics. `parameters` are weight and bias, as far as the attributes say that they are there; `finish` is what is done to a value
 * before it is stored.
 */
export function applyReference(
  x: HostArray,
  stats: HostArray,
  parameters: readonly HostArray[],
  y: HostArray,
  attrs: NormAttrs,
  finish: (value: number, at: number) => number,
): void {
  const weight = attrs.weight ? parameters[0].data : undefined;
  const bias = attrs.bias ? parameters[Number(attrs.weight)].data : undefined;
  eachElement(attrs, (at, m, c) => {
    const root = 1 / Math.sqrt(stats.data[2 * m + 1] + attrs.eps);
    const xhat = (x.data[at] - stats.data[2 * m]) * root;
    const value = xhat * (weight ? weight[c] : 1) + (bias ? bias[c] : 0);
    y.data[at] = finish(value, at);
  });
}

/** The gradient of x, and the sums of each channel if there is an array for them. */
export function backwardReference(
  [dy, x, stats, weight]: readonly HostArray[],
  [dx, sums]: readonly HostArray[],
  attrs: NormAttrs,
): void {
  const count = countOf(attrs);
  const rootOf = (m: number) =>
    1 / Math.sqrt(stats.data[2 * m + 1] + attrs.eps);
  const hat = (at: number, m: number) =>
    (x.data[at] - stats.data[2 * m]) * rootOf(m);
  const weighed = (at: number, c: number) =>
    dy.data[at] * (attrs.weight ? weight.data[c] : 1);
  const first = new Float64Array(meansOf(attrs));
  const second = new Float64Array(meansOf(attrs));
  const channels = new Float64Array(attrs.groups * attrs.channels * 2);
  eachElement(attrs, (at, m, c) => {
    const xhat = hat(at, m);
    if (attrs.centered) first[m] += weighed(at, c) / count;
    second[m] += weighed(at, c) * xhat / count;
    channels[2 * c] += dy.data[at];
    channels[2 * c + 1] += dy.data[at] * xhat;
  });
  eachElement(attrs, (at, m, c) => {
    const through = first[m] + hat(at, m) * second[m];
    dx.data[at] = rootOf(m) * (weighed(at, c) - through);
  });
  sums?.data.set(channels);
}
