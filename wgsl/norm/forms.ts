/** How each kind of normalisation sees a tensor. */
import type { Shape } from "../op.ts";
import { sizeOf } from "../shape.ts";
import type { NormAttrs } from "./geometry.ts";

/** The five sizes of the geometry. */
export type Form = Pick<
  NormAttrs,
  "outer" | "samples" | "groups" | "channels" | "space"
>;

/** One mean for each channel of `[N, C, …]`, over the batch and the space (Ioffe & Szegedy 2015). */
export function batchForm([n, c, ...space]: Shape): Form {
  return {
    outer: n,
    samples: 1,
    groups: c,
    channels: 1,
    space: sizeOf(space),
  };
}

/** One mean for each sample and group of channels of `[N, C, …]` (Wu & He 2018); with as many groups as channels, instance norm. */
export function groupForm([n, c, ...space]: Shape, groups: number): Form {
  return {
    outer: 1,
    samples: n,
    groups,
    channels: c / groups,
    space: sizeOf(space),
  };
}

/** One mean for each row over the last `axes` axes, each element of which has parameters of its own (Ba et al. 2016). */
export function layerForm(shape: Shape, axes: number): Form {
  const split = shape.length - axes;
  return {
    outer: 1,
    samples: sizeOf(shape.slice(0, split)),
    groups: 1,
    channels: sizeOf(shape.slice(split)),
    space: 1,
  };
}
