/** Pictures as pixels of red, green, blue and opacity, and several of them in one. */
import { resize, rgbAt, type Tile } from "./tile.ts";

export interface Raster {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 4]`, 0 to 255. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A tile with the place of its upper left corner and its size, in pixels. */
export interface Placed {
  readonly tile: Tile;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Puts tiles on a ground that can be seen through. */
export function compose(
  width: number,
  height: number,
  tiles: readonly Placed[],
): Raster {
  const data = new Uint8Array(width * height * 4);
  for (const placed of tiles) {
    const tile = resize(placed.tile, placed.width, placed.height);
    for (let row = 0; row < tile.height; row++) {
      let to = ((placed.y + row) * width + placed.x) * 4;
      for (let x = 0; x < tile.width; x++) {
        const [r, g, b] = rgbAt(tile, row * tile.width + x);
        data[to++] = r;
        data[to++] = g;
        data[to++] = b;
        data[to++] = 255;
      }
    }
  }
  return { width, height, data };
}
