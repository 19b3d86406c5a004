/** Sizes and borders along two axes, in the forms that layers take. */

/** One number for both axes, or `[height, width]`. */
export type Size2d = number | readonly [number, number];

/** The two numbers of a {@linkcode Size2d}. */
export function pair(size: Size2d): [number, number] {
  return typeof size === "number" ? [size, size] : [size[0], size[1]];
}

/** Zeros around a picture: one number for all sides, `[vertical, horizontal]`, or `[top, bottom, left, right]`. */
export type Padding2d = Size2d | readonly [number, number, number, number];

/** The four sides of a {@linkcode Padding2d}. */
export function sides(padding: Padding2d): [number, number, number, number] {
  if (typeof padding === "number") return [padding, padding, padding, padding];
  return padding.length === 4
    ? [...padding]
    : [padding[0], padding[0], padding[1], padding[1]];
}

/** Zeros at both ends of an axis that give the output its input's length. The odd one comes last, as in PyTorch. */
export function sameSides(
  taps: number,
  stride: number,
  dilation: number,
): [number, number] {
  if (stride !== 1) {
    throw new RangeError(
      `Cannot give an output the size of its input: padding "same" needs stride 1 but the stride is ${stride}`,
    );
  }
  const total = dilation * (taps - 1);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** The four sides of padding "same" for a kernel `[height, width]`. */
export function sameBorder(
  kernel: readonly [number, number],
  stride: readonly [number, number],
  dilation: readonly [number, number],
): [number, number, number, number] {
  return [
    ...sameSides(kernel[0], stride[0], dilation[0]),
    ...sameSides(kernel[1], stride[1], dilation[1]),
  ];
}

/** The zeros at both ends that a padding stands for. */
export function endsOf(
  padding: number | readonly [number, number] | "same",
  taps: number,
  stride: number,
  dilation: number,
): readonly [number, number] {
  if (padding === "same") return sameSides(taps, stride, dilation);
  return typeof padding === "number" ? [padding, padding] : padding;
}
