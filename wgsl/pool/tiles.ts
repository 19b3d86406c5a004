/** How the tiled kernels of pooling cut planes: what one invocation owns, and the sizes of its register arrays. */
import { type Pair, type PoolWindow, windowsOver } from "./window.ts";

/** Most neighbouring outputs that an invocation owns. */
const MOST_OUTPUTS = 8;
/** Most elements of one row of inputs in registers. */
const MOST_SPAN = 32;
/** Most sums of a block of inputs in registers. */
const MOST_AREA = 16;
/** Largest block of inputs that one window covers in registers. */
const MOST_BLOCK = 49;
/** Largest kernel side whose loops are worth unrolling. */
const MOST_KERNEL = 7;
/** Most neighbouring outputs, and most rows of them, of a tall tile. */
const TALL_OUTPUTS = 5;
const TALL_ROWS = 32;
/** Largest kernel side of a tall tile. */
const TALL_KERNEL = 3;

/** Whether the tiled kernels can do a window: no dilation, and all of a tile in registers. */
export function fitsTiles({ kernel, stride, dilation }: PoolWindow): boolean {
  return (dilation ?? []).every((d) => d === 1) &&
    kernel.every((k) => k <= MOST_KERNEL) &&
    stride[0] * stride[1] <= MOST_AREA;
}

/** Whether the tiled kernels that go back to blocks of inputs can do a window. Without overlaps a block may be larger. */
export function fitsBlocks(window: PoolWindow): boolean {
  const { kernel, stride, dilation } = window;
  return fitsTiles(window) ||
    (dilation ?? []).every((d) => d === 1) &&
      kernel.every((k, d) => k <= stride[d]) &&
      stride[0] * stride[1] <= MOST_BLOCK;
}

/** Whether tall tiles can do a window: its last row is the first of the next. */
export function fitsTall({ kernel, stride, dilation }: PoolWindow): boolean {
  return (dilation ?? []).every((d) => d === 1) &&
    kernel[0] === stride[0] + 1 &&
    kernel.every((k) => k <= TALL_KERNEL) &&
    stride[1] <= TALL_KERNEL;
}

/** What one invocation of a tiled kernel owns, as the kernels name it. */
export interface Tiles {
  /** Invocations that one plane takes. */
  readonly invocations: number;
  /** Words of `Params` that follow the sizes. */
  readonly params: readonly number[];
  /** Sizes of the register arrays. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly trips: number;
}

/** Tiles of outputs along W: TILE outputs from rows of SPAN inputs. */
export function outputTiles([height, width]: Pair, window: PoolWindow): Tiles {
  const [kernelH, kernelW] = window.kernel;
  const step = window.stride[1];
  const most = Math.floor((MOST_SPAN - kernelW) / step) + 1;
  const TILE = tileWidth(width, Math.min(MOST_OUTPUTS, most));
  const SPAN = (TILE - 1) * step + kernelW;
  const tiles = Math.ceil(width / TILE);
  return {
    invocations: height * tiles,
    params: [tiles],
    sizes: { TILE, SPAN },
    trips: 2 * TILE + kernelH * (1 + SPAN + TILE * (1 + kernelW)),
  };
}

/** Tiles of outputs that go down a plane: TILE columns of them, as tall as the plane or parts of it that are alike. */
export function tallTiles([height, width]: Pair, window: PoolWindow): Tiles {
  const [kernelH, kernelW] = window.kernel;
  const tiles = Math.ceil(width / TALL_OUTPUTS);
  const TILE = Math.ceil(width / tiles);
  const SPAN = (TILE - 1) * window.stride[1] + kernelW;
  const bands = Math.ceil(height / TALL_ROWS);
  const rows = Math.ceil(height / bands);
  const row = (kernelH - 1) * (1 + SPAN) + TILE * kernelW;
  return {
    invocations: bands * tiles,
    params: [tiles, bands, rows],
    sizes: { TILE, SPAN },
    trips: SPAN + rows * (1 + row),
  };
}

/** Tiles of inputs: blocks of a stride's height and TILE strides' width, and the windows that cover them. */
export function inputTiles(
  [height, width]: Pair,
  outputWidth: number,
  window: PoolWindow,
): Tiles {
  const [stepH, stepW] = window.stride;
  const [windowsH, windowsW] = windowsOver(window);
  const most = Math.max(1, Math.floor(MOST_AREA / (stepH * stepW)));
  // Where windows overlap at a stride, which of them cover a position depends on where it lies: wider tiles' code is too long to be unrolled.
  const TILE = windowsW > 1 && stepW > 1
    ? 1
    : tileWidth(outputWidth, Math.min(MOST_OUTPUTS, most));
  const COLUMNS = TILE * stepW;
  const AREA = COLUMNS * stepH;
  const REACH = TILE + windowsW - 1;
  const blocks = Math.ceil((height + window.padding[0]) / stepH);
  const tiles = Math.ceil((width + window.padding[1]) / COLUMNS);
  return {
    invocations: blocks * tiles,
    params: [blocks, tiles],
    sizes: { TILE, COLUMNS, AREA, REACH },
    trips: AREA + stepH * (1 + COLUMNS) +
      windowsH * (1 + REACH + stepH * (1 + COLUMNS * (1 + windowsW))),
  };
}

/** The largest count from half of `most` up that wastes least of the last tile. */
function tileWidth(width: number, most: number): number {
  let best = Math.min(most, width);
  let least = Infinity;
  for (let tile = best; tile > most / 2; tile--) {
    const waste = Math.ceil(width / tile) * tile - width;
    if (waste < least) [best, least] = [tile, waste];
  }
  return best;
}
