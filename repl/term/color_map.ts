/** Colours for single numbers, and for pixels by a terminal's palette. */

/**
 * How one number becomes a colour. `"grey"`: black to white. `"signed"`: blue below zero, white at zero, red above. `"heat"`: black, red,
 * orange, yellow.
 */
export type ColorMap = "grey" | "signed" | "heat";

export type Rgb = readonly [red: number, green: number, blue: number];

/** What a map's colours are between, at equal distances. */
const STOPS: Readonly<Record<ColorMap, readonly Rgb[]>> = {
  grey: [[0, 0, 0], [255, 255, 255]],
  signed: [[30, 80, 200], [245, 245, 245], [200, 40, 30]],
  heat: [[0, 0, 0], [220, 0, 0], [255, 150, 0], [255, 255, 90]],
};

/** NaN: a colour that no map has, so that it is seen. */
const NAN_COLOR: Rgb = [255, 0, 255];

/** The colour of a level from 0 to 1. */
export function colorOf(level: number, map: ColorMap): Rgb {
  if (Number.isNaN(level)) return NAN_COLOR;
  const stops = STOPS[map];
  const at = level * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(at));
  const part = at - below;
  const [from, to] = [stops[below], stops[below + 1]];
  const mix = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * part);
  return [mix(0), mix(1), mix(2)];
}

/** Brightness as television has it: ITU-R BT.601. */
export function brightness(red: number, green: number, blue: number): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** Levels of red, green and blue in the cube of the 256 colours that terminals have (xterm, 256colres.pl). */
const CUBE = [0, 95, 135, 175, 215, 255];

/** The nearest of the 256 colours: of its cube from 16 on, or of its greys from 232 on. */
export function indexedColor([red, green, blue]: Rgb): number {
  if (red === green && green === blue) {
    // 16 is black, 232 to 255 are greys between, and 231 is white.
    const step = Math.round(red / 255 * 25);
    return step === 0 ? 16 : step === 25 ? 231 : 231 + step;
  }
  const [r, g, b] = [red, green, blue].map(nearestInCube);
  const grey = Math.round((red + green + blue) / 3);
  const step = Math.min(23, Math.max(0, Math.round((grey - 8) / 10)));
  const level = 8 + 10 * step;
  const asGrey = distance([red, green, blue], [level, level, level]);
  const inCube = distance([red, green, blue], [CUBE[r], CUBE[g], CUBE[b]]);
  return asGrey < inCube ? 232 + step : 16 + 36 * r + 6 * g + b;
}

function nearestInCube(value: number): number {
  let best = 0;
  CUBE.forEach((level, i) => {
    if (Math.abs(level - value) < Math.abs(CUBE[best] - value)) best = i;
  });
  return best;
}

function distance(a: Rgb, b: Rgb): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}
