/** Launches of kernels that look at a window of neighbouring channels around each element. */
import { LimitError } from "../errors.ts";
import {
  ALIGN,
  bind,
  linearGrid,
  storageType,
  windowOf,
  words,
} from "../launch.ts";
import type { Kernel, Launch, Request, Shape, Variant, View } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";

/** Invocations of a workgroup, as written in the kernels. */
const WORKGROUP = 64;

/** Channels that an invocation owns in the preferred variant. */
const RUN = 8;

/** Longest window of the preferred variant: drivers unroll loops of up to 32 values. */
const MOST_UNROLLED = 32;

/** A window of `size` channels that begins `before` channels ahead of its own. */
export interface ChannelWindow {
  readonly size: number;
  readonly before: number;
}

/** A kernel over channel windows. */
export interface WindowKernel<Attrs> {
  readonly kernel: Kernel;
  windowOf(attrs: Attrs): ChannelWindow;
  /** Declarations beside `T`, `SIZE` and `RUN`. */
  declare(attrs: Attrs): string;
  /** Floating-point operations of an element beside those of its window. */
  readonly flops: number;
}

/** A tensor `[N, C, …]` as its batch, channels and space. */
export function channelSizes([n, c, ...space]: Shape): [
  number,
  number,
  number,
] {
  return [n, c, sizeOf(space)];
}

/** Images and channels of one launch. */
interface Part {
  readonly image: number;
  readonly images: number;
  readonly start: number;
  readonly channels: number;
}

/** The variants of a kernel: several channels an invocation, and one. */
export function windowVariants<Attrs>(
  kernel: WindowKernel<Attrs>,
): Variant<Attrs>[] {
  return [
    {
      name: "runs",
      applies: ({ attrs }) =>
        kernel.windowOf(attrs).size + RUN - 1 <= MOST_UNROLLED,
      plan: (request) => ({ launches: launchesOf(request, kernel, RUN) }),
    },
    {
      name: "naive",
      plan: (request) => ({ launches: launchesOf(request, kernel, 1) }),
    },
  ];
}

function launchesOf<Attrs>(
  { inputs, outputs, attrs, limits }: Request<Attrs>,
  { kernel, windowOf: windowFor, declare, flops }: WindowKernel<Attrs>,
  run: number,
): Launch[] {
  const [batch, channels, space] = channelSizes(outputs[0].shape);
  if (batch * channels * space === 0) return [];
  const { size, before } = windowFor(attrs);
  const after = size - 1 - before;
  const types = [...new Set([...inputs, ...outputs].map(({ dtype }) => dtype))];
  const bytes = Math.max(...types.map(itemBytes));
  const most = Math.floor(
    (limits.maxStorageBufferBindingSize - ALIGN) / (bytes * space),
  );
  return partsOf(batch, channels, most, size - 1).map((part) => {
    const first = Math.max(0, part.start - before);
    const end = Math.min(channels, part.start + part.channels + after);
    const rangeOf = (view: View, image: number, from: number, to: number) =>
      windowOf({ strides: [1], offset: view.offset, dtype: view.dtype }, {
        start: [(image * channels + from) * space],
        size: [((part.images - 1) * channels + to - from) * space],
      });
    const reads = inputs.map((view) => rangeOf(view, part.image, first, end));
    const writes = outputs.map((view) =>
      rangeOf(view, part.image, part.start, part.start + part.channels)
    );
    const elements = part.images * part.channels * space;
    return {
      kernel,
      declarations: `alias T = ${storageType(inputs[0].dtype)};
const SIZE = ${size}u;
const RUN = ${run}u;
${declare(attrs)}`,
      bindings: [
        ...reads.map((window, i) => bind("input", i, "read", window)),
        ...writes.map((window, i) => bind("output", i, "write", window)),
      ],
      params: words(
        part.images,
        part.channels,
        space,
        channels,
        part.start,
        first,
        ...reads.map(({ base }) => base),
        ...writes.map(({ base }) => base),
      ),
      workgroups: linearGrid(
        part.images * Math.ceil(part.channels / run) * space,
        WORKGROUP,
        limits,
      ),
      trips: run * size + run + run + size - 1,
      flops: elements * (size + flops),
      bytes: [...reads, ...writes].reduce((sum, w) => sum + w.size, 0),
    };
  });
}

/** Parts of which each, with the `margin` channels around it, is at most `most` planes. */
function partsOf(
  batch: number,
  channels: number,
  most: number,
  margin: number,
): Part[] {
  const parts: Part[] = [];
  if (channels <= most) {
    const images = Math.floor(most / channels);
    for (let image = 0; image < batch; image += images) {
      const n = Math.min(images, batch - image);
      parts.push({ image, images: n, start: 0, channels });
    }
    return parts;
  }
  const step = most - margin;
  if (step < 1) {
    throw new LimitError(
      `Cannot bind a window of ${
        margin + 1
      } channels: maxStorageBufferBindingSize holds ${most}`,
      margin + 1,
      most,
    );
  }
  for (let image = 0; image < batch; image++) {
    for (let start = 0; start < channels; start += step) {
      const n = Math.min(step, channels - start);
      parts.push({ image, images: 1, start, channels: n });
    }
  }
  return parts;
}
