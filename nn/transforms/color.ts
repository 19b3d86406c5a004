/** Colours of pictures changed on the host, byte for byte as Pillow's `ImageEnhance` and its HSV conversion do. */
import type { Image } from "../data/image.ts";
import { channelsOf } from "./visual.ts";

/** ITU-R 601-2 luma of a pixel in 16-bit fixed point, as Pillow's `convert("L")`. */
function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** The brightness of each pixel. */
function greyOf(image: Image): Uint8Array {
  const { data } = image;
  if (channelsOf(image) === 1) return data;
  return Uint8Array.from(
    { length: data.length / 3 },
    (_, i) => luma(data[3 * i], data[3 * i + 1], data[3 * i + 2]),
  );
}

/** from + factor·(to − from), in float32 and cut to a byte, as Pillow's `Image.blend`. */
function blend(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/** The picture's bytes blended with those that `other` gives for each place. */
function blendImage(
  image: Image,
  factor: number,
  other: (place: number) => number,
): Image {
  const single = Math.fround(factor);
  const data = image.data.map((byte, i) => blend(other(i), byte, single));
  return { ...image, data };
}

/** Between black (0), the picture (1) and brighter. */
export function brightenImage(image: Image, factor: number): Image {
  return blendImage(image, factor, () => 0);
}

/** Between the mean grey (0), the picture (1) and more contrast. */
export function contrastImage(image: Image, factor: number): Image {
  const grey = greyOf(image);
  const sum = grey.reduce((total, byte) => total + byte, 0);
  const mean = Math.floor(sum / grey.length + 0.5);
  return blendImage(image, factor, () => mean);
}

/** Between grey (0), the picture (1) and more colour. */
export function saturateImage(image: Image, factor: number): Image {
  const grey = greyOf(image);
  const channels = channelsOf(image);
  return blendImage(image, factor, (i) => grey[Math.floor(i / channels)]);
}

/** Hues moved by `factor` of a turn, −½ to ½, in steps of 1/256. Grey pictures stay. */
export function hueImage(image: Image, factor: number): Image {
  if (channelsOf(image) === 1) return { ...image, data: image.data.slice() };
  const shift = Math.trunc(factor * 255) & 255;
  const data = image.data.slice();
  for (let i = 0; i < data.length; i += 3) {
    const [h, s, v] = toHsv(data[i], data[i + 1], data[i + 2]);
    data.set(toRgb((h + shift) & 255, s, v), i);
  }
  return { ...image, data };
}

type Triple = [number, number, number];

/** Smith (1978), "Color gamut transform pairs", in bytes and with the float32 steps of Pillow's Convert.c. */
function toHsv(red: number, green: number, blue: number): Triple {
  const { fround } = Math;
  const most = Math.max(red, green, blue);
  const span = most - Math.min(red, green, blue);
  if (span === 0) return [0, 0, most];
  const saturation = fround(span / most);
  const [r, g, b] = [red, green, blue].map((c) => fround((most - c) / span));
  const sector = fround(
    red === most ? b - g : green === most ? 2 + r - b : 4 + g - r,
  );
  const hue = fround((sector / 6 + 1) % 1);
  return [Math.trunc(hue * 255), Math.trunc(saturation * 255), most];
}

function toRgb(hue: number, saturation: number, value: number): Triple {
  if (saturation === 0) return [value, value, value];
  const turned = hue * 6 / 255;
  const sector = Math.floor(turned);
  const f = Math.fround(turned - sector);
  const s = Math.fround(saturation / 255);
  // All are positive, so that halves go up as C's `round` has them.
  const p = Math.round(value * (1 - s));
  const q = Math.round(value * (1 - s * f));
  const t = Math.round(value * (1 - s * (1 - f)));
  const sectors: readonly Triple[] = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ];
  return sectors[sector % 6];
}
