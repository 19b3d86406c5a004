/** Launches that pack the weights of a correlation: the channels of a tile together, as vectors, in the order in which a kernel walks the taps. */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import type { Launch, Limits } from "../op.ts";
import type { Correlation } from "./correlation.ts";
import { type Layout, sumBoxes, type SumSpace, windowIn } from "./cut.ts";
import { area } from "./geometry.ts";
import code from "./pack_weights.wgsl" with { type: "text" };
import type { Roles } from "./roles.ts";

const KERNEL = { label: "wgsl/conv/pack_weights.wgsl", code };

/** Invocations of a workgroup, as written in the kernel. */
const WORKGROUP = 64;

/** How a row of taps is walked: in lines of so many taps, `phases` apart. The last ones may be too many, and have weights of 0. */
export interface RowWalk {
  readonly phases: number;
  readonly lines: number;
  readonly taps: number;
}

/** What is packed, and how. */
export interface Packing {
  readonly roles: Roles;
  readonly correlation: Correlation;
  /** Fours of channels in a tile. */
  readonly quads: number;
  readonly walk: RowWalk;
  readonly space: SumSpace;
  /** How the packed weights lie in the first scratch buffer. */
  readonly packed: Layout;
}

/** One launch, unless operands must be cut; none without taps. */
export function packLaunches(
  { roles, correlation, quads, walk, space, packed }: Packing,
  limits: Limits,
): Launch[] {
  const { geometry: { kernel }, dtype, weights } = roles;
  const { taps, tapFirst, tapStep } = correlation;
  if (area(taps) === 0) return [];
  const boxes = sumBoxes(
    { ...space, images: 1 },
    [weights, packed],
    space.summed,
    limits,
  );
  return boxes.map((box) => {
    const from = windowIn(box, weights);
    const to = windowIn(box, packed);
    const vectors = box.groups.size * box.tiles.size * box.summed.size *
      packed.block / (4 * quads);
    return {
      kernel: KERNEL,
      declarations: `alias T = ${storageType(dtype)};`,
      constants: { QUADS: quads },
      bindings: [
        bind("input", 1, "read", from),
        bind("scratch", 0, "write", to),
      ],
      params: words(
        ...[box.groups.size, box.tiles.size, box.kept.size, box.summed.size],
        ...[...taps, walk.lines, walk.taps, walk.phases],
        from.base + tapFirst[0] * kernel[1] + tapFirst[1],
        ...[weights.group ?? 0, weights.kept ?? 0, weights.summed ?? 0],
        ...[tapStep[0] * kernel[1], tapStep[1]],
        ...[to.base, packed.group ?? 0, packed.tile ?? 0].map((n) => n / 4),
      ),
      workgroups: linearGrid(vectors, WORKGROUP, limits),
      trips: quads,
      flops: 0,
      bytes: from.size + to.size,
    };
  });
}
