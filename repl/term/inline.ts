/** Pictures as pixels in a terminal: kitty's protocol and iTerm2's, which take PNG files, and sixel. */
import type { ImageProtocol } from "./images.ts";
import { encodePng } from "./png.ts";
import type { Raster } from "./raster.ts";
import { encodeSixel } from "./sixel.ts";

/** The protocols that send pixels. */
export type PixelProtocol = Exclude<ImageProtocol, "half" | "off">;

/** Bytes of base64 in one of kitty's commands, at most. */
const CHUNK = 4096;

/** The control sequence that shows a picture on so many columns and rows, the cursor's among them, and leaves the cursor on the last row. */
export function inlineImage(
  raster: Raster,
  columns: number,
  rows: number,
  protocol: PixelProtocol,
): string {
  if (protocol === "sixel") return encodeSixel(raster);
  const png = encodePng({ ...raster, channels: 4 });
  return protocol === "kitty"
    ? kitty(png.toBase64(), columns, rows)
    : `\x1b]1337;File=inline=1;size=${png.length};width=${columns};height=${rows};preserveAspectRatio=0:${png.toBase64()}\x07`;
}

/** `a=T`: send and show. `f=100`: a PNG. `q=2`: no answer, which would be read as typed. `m=1`: there is more. */
function kitty(base64: string, columns: number, rows: number): string {
  let text = "";
  for (let at = 0; at < base64.length; at += CHUNK) {
    const part = base64.slice(at, at + CHUNK);
    const more = at + CHUNK < base64.length ? 1 : 0;
    const keys = at === 0 ? `a=T,f=100,q=2,c=${columns},r=${rows},` : "";
    text += `\x1b_G${keys}m=${more};${part}\x1b\\`;
  }
  return text;
}
