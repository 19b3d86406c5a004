/** How tensors of planes are looked at when their planes lie channel by channel instead of image by image. */
import type { Shape, View } from "../../../wgsl/op.ts";
import { ALIGN } from "../../../wgsl/launch.ts";
import { contiguousView, itemBytes, sizeOf } from "../../../wgsl/shape.ts";

/** Axes of planes: images, channels, height and width. */
const RANK = 4;

/** Sizes of a tensor of planes. */
export interface Planes {
  readonly images: number;
  readonly channels: number;
  /** Elements of a plane. */
  readonly plane: number;
}

/** The planes of a tensor `[N, C, H, W]`. */
export function planesOf([images, channels, ...plane]: Shape): Planes {
  return { images, channels, plane: sizeOf(plane) };
}

/** `[N, C, H, W]` as `[C, N, H, W]`, and back. */
export function exchangedShape([first, second, ...rest]: Shape): number[] {
  return [second, first, ...rest];
}

/** A view of rank 4 with images and channels exchanged: the same elements. */
export function exchanged(view: View): View {
  return {
    ...view,
    shape: exchangedShape(view.shape),
    strides: exchangedShape(view.strides),
  };
}

/** A view with as many axes in front as planes have: what broadcasts to them broadcasts still. */
export function ofRank4(view: View): View {
  const missing = RANK - view.shape.length;
  const fill = (value: number) => new Array<number>(missing).fill(value);
  return {
    ...view,
    shape: [...fill(1), ...view.shape],
    strides: [...fill(0), ...view.strides],
  };
}

/**
 * The view that sees in planes channel by channel what another one sees in the same planes image by image. Undefined where an axis goes through planes of
 * more than one kind, as that of a flattened tensor does.
 */
export function movedView(
  view: View,
  { images, channels, plane }: Planes,
): View | undefined {
  const image = channels * plane;
  // How far the last element is from the first one, by images, channels and elements of a plane.
  let lastImage = Math.floor(view.offset / image);
  let lastChannel = Math.floor(view.offset % image / plane);
  let last = view.offset % plane;
  const offset = lastImage * plane + lastChannel * images * plane + last;
  const strides: number[] = [];
  for (const [d, size] of view.shape.entries()) {
    const step = view.strides[d];
    const steps = size - 1;
    if (step === 0 || steps <= 0) {
      strides.push(0);
    } else if (step % image === 0) {
      strides.push(step / channels);
      lastImage += steps * step / image;
    } else if (step % plane === 0 && steps * step < image) {
      strides.push(step * images);
      lastChannel += steps * step / plane;
    } else {
      strides.push(step);
      last += steps * step;
    }
  }
  const apart = lastImage < images && lastChannel < channels && last < plane;
  return apart ? { ...view, strides, offset } : undefined;
}

/** Whether any op can read a view: its elements lie one after the other from where a binding can start. Strides of single steps don't matter. */
export function isDense({ shape, strides, offset, dtype }: View): boolean {
  const dense = contiguousView({ shape, dtype }).strides;
  return offset * itemBytes(dtype) % ALIGN === 0 &&
    shape.every((n, d) => n === 1 || strides[d] === dense[d]);
}

/** A dense view with the strides that a contiguous one has. */
export function densely(view: View): View {
  return { ...contiguousView(view), offset: view.offset };
}
