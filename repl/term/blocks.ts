/**
 * Pictures as characters. With colours a character is two pixels, one above the other (`▀` in one colour on another); without, it is one of a few
 * characters of growing density.
 */
import type { Colors } from "../../nn/term/screen.ts";
import { indexedColor, type Rgb } from "./color_map.ts";
import { greyAt, rgbAt, type Tile } from "./tile.ts";

/** Characters from black to white. */
const RAMP = " .:-=+*#%@";

/** Stands for NaN among them. */
const NAN_CHARACTER = "?";

/** The rows of a tile: half as many as it has pixels from top to bottom. An odd last row stands for both halves. */
export function blocks(tile: Tile, colors: Colors): string[] {
  const { width, height } = tile;
  return Array.from({ length: Math.ceil(height / 2) }, (_, row) => {
    const pairs = Array.from({ length: width }, (_, x): [number, number] => {
      const top = 2 * row * width + x;
      return [top, 2 * row + 1 < height ? top + width : top];
    });
    return colors === "none"
      ? pairs.map(([top, bottom]) =>
        character((greyAt(tile, top) + greyAt(tile, bottom)) / 2)
      ).join("")
      : halfBlocks(
        pairs.map(([top, bottom]) => [rgbAt(tile, top), rgbAt(tile, bottom)]),
        colors,
      );
  });
}

function character(grey: number): string {
  if (Number.isNaN(grey)) return NAN_CHARACTER;
  return RAMP[Math.min(RAMP.length - 1, Math.round(grey * (RAMP.length - 1)))];
}

/** A colour is only named where it changes. */
function halfBlocks(cells: readonly [Rgb, Rgb][], colors: Colors): string {
  let row = "";
  let before: [string, string] = ["", ""];
  for (const [top, bottom] of cells) {
    const next: [string, string] = [
      colorCode(38, top, colors),
      colorCode(48, bottom, colors),
    ];
    const codes = next.filter((code, i) => code !== before[i]);
    if (codes.length > 0) row += `\x1b[${codes.join(";")}m`;
    row += "▀";
    before = next;
  }
  return `${row}\x1b[0m`;
}

/** The code of a foreground (38) or background (48). */
export function colorCode(layer: 38 | 48, color: Rgb, colors: Colors): string {
  return colors === "full"
    ? `${layer};2;${color.join(";")}`
    : `${layer};5;${indexedColor(color)}`;
}
