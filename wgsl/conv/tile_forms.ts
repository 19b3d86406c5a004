/** The kernels of correlations in register tiles: how each walks a row of taps, and which tiles suit it. */
import type { Kernel } from "../op.ts";
import { type Correlation, gcd } from "./correlation.ts";
import { area, type Pair } from "./geometry.ts";
import type { RowWalk } from "./packing.ts";
import type { Roles } from "./roles.ts";
import rowsCode from "./conv2d_rows.wgsl" with { type: "text" };
import tile from "./register_tile.wgsl" with { type: "text" };
import storeElements from "./store_elements.wgsl" with { type: "text" };
import storeVectors from "./store_vectors.wgsl" with { type: "text" };
import tiledCode from "./conv2d_tiled.wgsl" with { type: "text" };

/** What an invocation owns. */
export interface Tile {
  /** Fours of channels, 1 to 4. */
  readonly quads: number;
  /** Whether it owns 16 outputs of a row, and then at most 2 fours of channels, instead of 8. */
  readonly wide: boolean;
}

/** A kernel of this kind. All have the same parameters. */
export interface TileForm {
  readonly kernel: Kernel;
  /** Whether inputs are bound as vectors of four. */
  readonly vectors: boolean;
  /** Whether the kernel computes correlations. */
  fits(roles: Roles, correlations: readonly Correlation[]): boolean;
  /** Whether the kernel is likely to be the fastest, where an adapter prefers it. @default always */
  suits?(roles: Roles, correlations: readonly Correlation[]): boolean;
  /** How a row of so many taps is walked. */
  walk(correlation: Correlation, columns: number): RowWalk;
  /** The tile with the least cost for a number of channels and of outputs side by side. */
  tile(channels: number, outputs: number, walk: RowWalk, stride: Pair): Tile;
  /** Rows of outputs that an invocation owns. */
  readonly rows: 1 | 2;
  /** What the kernel needs besides the type of elements and an epilogue. */
  appended(correlation: Correlation): string;
  /** Overrides besides those that all have. */
  constants(correlation: Correlation, walk: RowWalk): Record<string, number>;
}

/** Most taps that the kernels have written out. */
const MAX_TAPS = 7;

/** Outputs of a row that an invocation owns, and that a wide one owns. */
const PIXELS = 8;
const WIDE_PIXELS = 16;

/** Outputs of a row that an invocation owns. */
export function pixelsOf({ wide }: Tile): number {
  return wide ? WIDE_PIXELS : PIXELS;
}

/** How far apart outputs are whose taps step over each other's inputs. */
export function spacingOf({ dilation, stride }: Correlation): number {
  return dilation[1] / gcd(stride[1], dilation[1]);
}

/**
 * Fours of channels that an invocation owns, 1 to 4.
 *
 * Besides its multiply-adds, a tap costs a tile the reads of its inputs, about as much as 1.2 fours of channels, and those of its weights. This gives
 * the tile with the least cost in all.
 */
export function quadsFor(channels: number): number {
  const cost = (quads: number) =>
    Math.ceil(channels / (4 * quads)) * (1.2 + quads);
  return [4, 3, 2, 1].reduce((best, q) => cost(q) < cost(best) ? q : best);
}

/** Inputs are read one by one, whatever is between them. */
export const TILED: TileForm = {
  kernel: {
    label: "wgsl/conv/conv2d_tiled.wgsl",
    code: tiledCode,
  },
  vectors: false,
  rows: 1,
  fits: () => true,
  /**
   * Every phases-th tap makes a phase: within one, a tap further moves the tile's inputs by one place. There are no more phases than taps, of which
   * each is then a phase of its own. A phase with more taps than the kernel has written out is walked in several lines.
   */
  walk({ stride, dilation }, columns) {
    const common = gcd(stride[1], dilation[1]);
    const phases = Math.max(1, Math.min(stride[1] / common, columns));
    const longest = Math.max(1, Math.ceil(columns / phases));
    const pieces = Math.ceil(longest / MAX_TAPS);
    return {
      phases,
      lines: phases * pieces,
      taps: Math.ceil(longest / pieces),
    };
  },
  /**
   * Weights cost more to read than to multiply with: 16 outputs cost about a third more than 8 do, 1.35 for 1 four of channels, and 1.7 for 1.2 to read inputs.
   * Lines of few taps read too many inputs for it.
   */
  tile(channels, outputs, walk) {
    const quads = quadsFor(channels);
    const narrow = Math.ceil(outputs / PIXELS) *
      Math.ceil(channels / (4 * quads)) * (1.2 + quads);
    const least = { quads, wide: false, cost: narrow };
    if (walk.lines > 1 || walk.taps < 3) return least;
    for (const quads of [2, 1]) {
      const cost = Math.ceil(outputs / WIDE_PIXELS) *
        Math.ceil(channels / (4 * quads)) * (1.7 + 1.35 * quads);
      if (cost < least.cost) Object.assign(least, { quads, wide: true, cost });
    }
    return least;
  },
  appended: () => `${tile}\n${storeElements}`,
  constants: (_, { phases, lines }) => ({ PHASES: phases, LINES: lines }),
};

/**
 * Inputs of neighbouring taps are neighbours, and read as the vectors in which they lie.
 *
 * On a software adapter of 2 cores it took 0.85 to 0.97 of {@linkcode TILED}'s time at stride 1, and 0.66 to 0.75 at stride 2, from ResNet's first layer
 * to its last.
 */
export const ROWS: TileForm = {
  kernel: { label: "wgsl/conv/conv2d_rows.wgsl", code: rowsCode },
  vectors: true,
  rows: 1,
  fits(roles, correlations) {
    const { geometry: { batch, groups }, summed, from } = roles;
    // Operands end with a vector.
    return batch * groups * summed * area(from) % 4 === 0 &&
      correlations.every(({ stride, dilation, taps }) =>
        dilation[1] === 1 && taps[1] <= MAX_TAPS &&
        // One tap in two would leave half of what is read.
        (stride[1] === 1 || stride[1] === 2 && taps[1] > 1)
      );
  },
  walk: (_, columns) => ({ phases: 1, lines: 1, taps: Math.max(1, columns) }),
  /** A read costs what a multiply-add of four channels by eight outputs does, of weights and inputs alike. */
  tile(channels, outputs, { taps }, [, stride]) {
    let least = { quads: 0, wide: false, cost: Infinity };
    for (const wide of [true, false]) {
      const pixels = pixelsOf({ wide, quads: 1 });
      const inputs = Math.ceil((stride * (pixels - 1) + taps + 3) / 4);
      for (const quads of wide ? [2, 1] : [4, 3, 2, 1]) {
        const cost = Math.ceil(outputs / pixels) *
          Math.ceil(channels / (4 * quads)) *
          (inputs + taps * quads * (1 + pixels / 16));
        if (cost < least.cost) least = { quads, wide, cost };
      }
    }
    return least;
  },
  appended({ target, count }) {
    const vectors = target[1] % 4 === 0 && count[1] === target[1];
    return `${tile}\n${vectors ? storeVectors : storeElements}`;
  },
  constants: ({ stride }) => ({ STRIDE: stride[1] }),
};

/** Workgroups, of 32 invocations, that leave no core idle for long. */
const FILLING = 8 * 32;

/**
 * {@linkcode ROWS} of two rows of outputs, which share what is read.
 *
 * On a software adapter of 2 cores it took 0.8 to 0.87 of {@linkcode ROWS}'s time for 5 × 5 taps and for 4 × 4, 0.9 to 0.95 for 3 × 3, and more than it where there are few
 * tiles. A GPU may have too few registers for it.
 */
export const ROW_PAIRS: TileForm = {
  ...ROWS,
  rows: 2,
  fits: (roles, correlations) =>
    ROWS.fits(roles, correlations) &&
    correlations.every(({ count, stride, dilation, taps }) =>
      // Rows of outputs that are as far apart as lines of taps.
      stride[0] === dilation[0] && count[0] > 1 && taps[0] > 1
    ),
  suits: ({ geometry: { batch, groups }, kept }, correlations) =>
    correlations.every((correlation) => {
      const { count, stride, taps: [, columns] } = correlation;
      const walk = ROWS.walk(correlation, columns);
      const tile = ROWS.tile(kept, count[1], walk, stride);
      const invocations = batch * groups * Math.ceil(count[0] / 2) *
        Math.ceil(kept / (4 * tile.quads)) *
        Math.ceil(count[1] / pixelsOf(tile));
      return columns > 3 && invocations >= FILLING;
    }),
  constants: (correlation, walk) => ({
    ...ROWS.constants(correlation, walk),
    PAIR: 1,
  }),
};
