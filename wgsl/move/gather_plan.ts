/** Launch plan of gather. */
import {
  bind,
  linearGrid,
  splitBox,
  storageType,
  windowOf,
  words,
} from "../launch.ts";
import type { Launch, Plan, Request } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";
import { bitsDeclarations, bitsOf, isFloat } from "./convert.ts";
import gatherCode from "./gather.wgsl" with { type: "text" };
import { boxWords, walkOf, WORKGROUP } from "./walk.ts";

const gatherKernel = { label: "wgsl/move/gather.wgsl", code: gatherCode };
/** Launches of a gather whose index walks the output with the given strides. */
export function gatherPlan(
  { inputs: [x, index], outputs: [y], limits }: Request<unknown>,
  axis: number,
  indexStrides: readonly number[],
): Plan {
  if (sizeOf(y.shape) === 0) return { launches: [] };
  const step = x.strides[axis];
  const across = x.strides.map((stride, d) => d === axis ? 0 : stride);
  // The axis of x stands last in the space that is cut, after those of y: an x too large for a binding is searched in parts.
  const walks = [
    { ...walkOf(x), strides: [...across, step] },
    { ...walkOf(index), strides: [...indexStrides, 0] },
    { ...walkOf(y), strides: [...y.strides, 0] },
  ];
  const last = y.shape.length;
  const size = x.shape[axis];
  const bytes = itemBytes(x.dtype);
  const launches = splitBox([...y.shape, size], walks, limits).map(
    (box): Launch => {
      const [from, at, to] = walks.map((walk) => windowOf(walk, box));
      const part = boxWords(
        box.size.slice(0, last),
        walks.map(({ strides }) => strides.slice(0, last)),
      );
      return {
        kernel: gatherKernel,
        declarations: `${bitsDeclarations(x.dtype)}
alias I = ${storageType(index.dtype)};`,
        constants: { RANK: part.rank },
        bindings: [
          bind("input", 0, "read", from),
          bind("input", 1, "read", at),
          bind("output", 0, "write", to),
        ],
        params: words(
          part.count,
          from.base,
          at.base,
          to.base,
          step,
          box.start[last],
          box.size[last],
          size,
          ...part.words,
          isFloat(x.dtype) ? bitsOf(NaN, x.dtype) : 0,
        ),
        workgroups: linearGrid(part.count, WORKGROUP, limits),
        trips: part.rank,
        flops: 0,
        bytes: part.count * (2 * bytes + 4),
      };
    },
  );
  return { launches };
}
