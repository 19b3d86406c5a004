/** How the tiled kernels of pooling cut planes: what one invocation owns, and the sizes of its register arrays. */
import { type Pair, type PoolWindow, windowsOver } from "./window.ts";

/** Most neighbouring outputs that an invocation owns. */
const MOST_OUTPUTS = 8;
/** Most elements of one row of inputs in registers. */
const MOST_SPAN = 32;
/** Most sums of a block of inputs in registers. */
const MOST_AREA = 16;
/** Largest kernel side whose loops are worth unrolling. */
const MOST_KERNEL = 7;

/** Whether the tiled kernels can do a window: no dilation, and all of a tile in registers. */
export function fitsTiles({ kernel, stride, dilation }: PoolWindow): boolean {
  return (dilation ?? []).every((d) => d === 1) &&
    kernel.every((k) => k <= MOST_KERNEL) &&
    stride[0] * stride[1] <= MOST_AREA;
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

/** Tiles of inputs: blocks of a stride's height and of TILE strides' width, and the windows that cover them. */
export function inputTiles(
  [height, width]: Pair,
  outputWidth: number,
  window: PoolWindow,
): Tiles {
  const [stepH, stepW] = window.stride;
  const [windowsH, windowsW] = windowsOver(window);
  const most = Math.floor(MOST_AREA / (stepH * stepW));
  const TILE = tileWidth(outputWidth, Math.min(MOST_OUTPUTS, most));
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
