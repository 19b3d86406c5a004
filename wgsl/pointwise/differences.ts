/**
 * Where results differ from PyTorch's by more than their stated accuracy, over the special values of tests/fixtures/special_values.json.
 *
 * The tests hold to this table exactly: a difference that isn't here fails, and so does an entry that is no longer true. It is for devices
 * that keep subnormal numbers, as PyTorch does; one that flushes them gives 0 for every float below 2^-126 in arithmetic.
 */

/** One result that differs. */
export interface Difference {
  readonly op: string;
  readonly input: number;
  /** PyTorch 1.13.1's float32 result. */
  readonly pytorch: number;
  /** Ours, to the op's accuracy. */
  readonly ours: number;
  /** Where: in kernels, in the float64 reference (the CPU device), or in both. */
  readonly on: "gpu" | "reference" | "both";
  readonly why: string;
}

const SUBNORMAL = 9.99994610111476e-41;
const LEAST_NORMAL = 2 ** -126;
const TINY = 9.999999682655225e-21;
const SMALL = 1.0000000116860974e-7;
const MILLI = 0.0010000000474974513;
const MOST = 3.4028234663852886e38;

const CANCELS = "PyTorch computes e^x - 1, we expm1(x), which keeps the digits";
const OVERFLOWS = "e^-x overflows in float32, not in float64";

/** α·(e^x - 1) with PyTorch's cancellation, for the two functions that contain it. */
function cancelling(
  op: string,
  slope: number,
  small: number,
  milli: number,
): Difference[] {
  const below = (x: number, pytorch: number): Difference => ({
    op,
    input: -x,
    pytorch,
    ours: slope * (x > SMALL ? Math.expm1(-x) : -x),
    on: "both",
    why: CANCELS,
  });
  return [
    below(0, 0),
    below(SUBNORMAL, 0),
    below(LEAST_NORMAL, 0),
    below(TINY, 0),
    below(SMALL, small),
    below(MILLI, milli),
  ];
}

/** All differences, by op. */
export const DIFFERENCES: readonly Difference[] = [
  {
    op: "log1p",
    input: MOST,
    pytorch: Infinity,
    ours: 88.72284,
    on: "both",
    why: "1 + x overflows in PyTorch's vector library",
  },
  {
    op: "sigmoid",
    input: -89,
    pytorch: 0,
    ours: 2.227363e-39,
    on: "reference",
    why: OVERFLOWS,
  },
  {
    op: "sigmoid",
    input: -100,
    pytorch: 0,
    ours: 3.783506e-44,
    on: "reference",
    why: OVERFLOWS,
  },
  {
    op: "silu",
    input: -89,
    pytorch: -0,
    ours: -1.9823535e-37,
    on: "reference",
    why: OVERFLOWS,
  },
  {
    op: "silu",
    input: -100,
    pytorch: -0,
    ours: -3.7204474e-42,
    on: "reference",
    why: OVERFLOWS,
  },
  {
    op: "silu",
    input: -104,
    pytorch: -0,
    ours: -7.146622e-44,
    on: "reference",
    why: OVERFLOWS,
  },
  ...cancelling("elu", 1, -1.1920928955078125e-7, -0.0009995102882385254),
  ...cancelling(
    "selu",
    1.0507009873554805 * 1.6732632423543772,
    -2.0958177060492744e-7,
    -0.0017572384094819427,
  ),
  {
    op: "hardswish",
    input: MOST,
    pytorch: Infinity,
    ours: MOST,
    on: "reference",
    why: "6·x overflows in float32, not in float64",
  },
];
