/**
 * Pictures from files: PNG and JPEG, decoded by Deno's own `createImageBitmap`.
 *
 * Deno has no canvas to read pixels from, so the bitmap is written as a BMP file in memory, whose rows stand uncompressed behind a
 * header of a few fields: Microsoft, "Bitmap Storage", BITMAPFILEHEADER and BITMAPINFOHEADER.
 */
import { FileFormatError } from "../../core/errors.ts";
import { type FileSource, readSource } from "../../core/formats/source.ts";

/** A picture's pixels. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]`: red, green and blue of each pixel, 0 to 255, row by row from the top. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Pixels beyond which a file isn't unpacked: Pillow warns from here on, since a small file may ask for all memory there is. */
const MAX_PIXELS = 89_478_485;

/**
 * Decodes a PNG or JPEG file, from its path, its URL or its bytes, to RGB. Grey is repeated thrice, an alpha channel is dropped, colour
 * profiles are ignored, as `convert("RGB")` of Pillow does; unlike there a picture is turned upright if its EXIF data say so.
 *
 * A PNG gives Pillow's bytes. JPEG leaves rounding to decoders: differences of up to 4 of 255 have been seen where colours are stored
 * at half resolution.
 *
 * Throws a FileFormatError for files that can't be decoded and for more than 8 bits a channel.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const red = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
 * const { width, height, data } = await nn.decodeImage(Uint8Array.fromBase64(red));
 * assertEquals([width, height, ...data], [1, 1, 255, 0, 0]);
 * ```
 */
export async function decodeImage(source: FileSource): Promise<Image> {
  const { bytes, file } = await readSource(source);
  requireSize(bytes, file);
  // A copy unless the bytes stand in memory that can't be shared, which is all that a Blob takes.
  const blob = new Blob([Uint8Array.from(bytes)]);
  let bitmap: ImageBitmap;
  try {
    // `premultiplyAlpha: "none"` would divide the colours by alpha in Deno 2.9.6; left out, they stay as they are in the file.
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  } catch {
    throw broken(file, "the file is no PNG or JPEG, or it is damaged");
  }
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("bitmaprenderer")!.transferFromImageBitmap(bitmap);
  let bmp: Blob;
  try {
    bmp = await canvas.convertToBlob({ type: "image/bmp" });
  } catch {
    throw broken(file, "16 bits a channel, where 8 are read");
  }
  return readBmp(await bmp.bytes(), width, height);
}

/** Refuses a PNG whose header asks for more pixels than any data set needs, before they are unpacked. JPEG's sizes end at 65,535. */
function requireSize(bytes: Uint8Array, file: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 24 || view.getUint32(0) !== 0x89504e47) return;
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height > MAX_PIXELS) {
    throw broken(
      file,
      `${width}×${height} pixels, more than the ${MAX_PIXELS} that are read`,
    );
  }
}

/** The pixels of a BMP file as Deno writes it: bottom row first, rows padded to four bytes, 8 bits of grey or blue, green, red and alpha. */
function readBmp(
  bytes: Uint8Array<ArrayBuffer>,
  width: number,
  height: number,
): Image {
  const view = new DataView(bytes.buffer);
  const start = view.getUint32(10, true);
  const size = view.getUint16(28, true) / 8;
  const stride = (width * size + 3) & ~3;
  const [red, green, blue] = size === 1 ? [0, 0, 0] : [2, 1, 0];
  const data = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = height - 1; y >= 0; y--) {
    let from = start + y * stride;
    for (let x = 0; x < width; x++) {
      data[to++] = bytes[from + red];
      data[to++] = bytes[from + green];
      data[to++] = bytes[from + blue];
      from += size;
    }
  }
  return { width, height, data };
}

function broken(file: string, rule: string): FileFormatError {
  return new FileFormatError(`Cannot decode ${file}: ${rule}`, file, 0, rule);
}
