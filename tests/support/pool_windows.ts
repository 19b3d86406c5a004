/** The windows that max pooling is tested with, with and without indices. */
import type { MaxPool2dAttrs } from "../../wgsl/pool/max_pool2d.ts";
import type { Pair } from "../../wgsl/pool/window.ts";

/** Attributes with the same number along both axes. */
export function square(
  kernel: number,
  stride = kernel,
  padding = 0,
  dilation = 1,
  ceilMode = false,
): MaxPool2dAttrs {
  const pair = (n: number): Pair => [n, n];
  return {
    kernel: pair(kernel),
    stride: pair(stride),
    padding: pair(padding),
    dilation: pair(dilation),
    ceilMode,
  };
}

/** Windows of every kind, by what is special about them. */
export const WINDOWS: readonly [string, MaxPool2dAttrs][] = [
  ["2 x 2, stride 2", square(2)],
  ["3 x 3, stride 2, padding 1", square(3, 2, 1)],
  ["3 x 3, stride 2, ceil mode", square(3, 2, 0, 1, true)],
  ["3 x 3, stride 1, padding 1", square(3, 1, 1)],
  ["2 x 2, stride 3, which skips", square(2, 3)],
  ["3 x 3, stride 2, padding 1, dilation 2", square(3, 2, 1, 2)],
  ["1 x 1", square(1)],
  ["8 x 8, too large for registers", square(8, 3, 4)],
  ["3 x 2, stride 1 x 3, padding 1 x 0, dilation 2 x 1", {
    kernel: [3, 2],
    stride: [1, 3],
    padding: [1, 0],
    dilation: [2, 1],
    ceilMode: true,
  }],
  ["2 x 5, stride 3 x 2, padding 0 x 2", {
    kernel: [2, 5],
    stride: [3, 2],
    padding: [0, 2],
    dilation: [1, 1],
    ceilMode: true,
  }],
];
