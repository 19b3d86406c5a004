/**
 * The library in a notebook of Deno's Jupyter kernel. A notebook's first cell imports from here what it uses:
 *
 * ```ts ignore
 * import { init, nn, show, zoo } from "https://…/repl/jupyter.ts";
 * ```
 *
 * With that, tensors are read before they are shown, networks are trees, summaries tables, histories and plots curves (SVG), and pictures PNG files, all
 * through `Symbol.for("Jupyter.display")`, which the kernel looks for.
 */
import { rememberPlaces } from "../core/places.ts";
import { preview } from "../core/preview.ts";
import { Tensor } from "../core/tensor.ts";
import { History } from "../nn/fit_history.ts";
import { Module } from "../nn/module.ts";
import { Drawing, Report } from "../nn/term/drawing.ts";
import { Plot } from "../nn/term/plot.ts";
import { galleryHtml, plotSvg, preformatted } from "./jupyter_html.ts";
import { Gallery } from "./term/picture.ts";
import { pngOf } from "./term/save.ts";

export * from "../mod.ts";
export { trainingProgress } from "../nn/term/training.ts";
export { gradCam } from "./term/cam.ts";
export { confusion } from "./term/confusion.ts";
export { plot } from "./term/curves.ts";
export { hist } from "./term/histogram.ts";
export { pictures } from "./term/picture.ts";
export { saveImage } from "./term/save.ts";
export { show } from "./term/show.ts";

/** A value in the forms that a notebook may choose from, by media type. Pictures are in base64. */
export type MediaBundle = Readonly<Record<string, string>>;

/** What the kernel calls of a value that it is to show. */
const DISPLAY = Symbol.for("Jupyter.display");

/** A value in the forms that a notebook shows, once what they need is read. */
export async function mediaOf(
  value: Tensor | Module | Drawing | Report | History,
): Promise<MediaBundle> {
  if (value instanceof Tensor) await preview([value]);
  const text = String(value);
  if (value instanceof Gallery) {
    return {
      "text/plain": text,
      "text/html": galleryHtml(value),
      "image/png": pngOf(value.raster()).toBase64(),
    };
  }
  if (value instanceof Plot) {
    return { "text/plain": text, "text/html": plotSvg(value) };
  }
  if (value instanceof History && value.steps > 0) {
    const drawing = value.plot();
    return {
      "text/plain": `${text}\n${drawing}`,
      "text/html": preformatted(text) +
        (drawing instanceof Plot
          ? plotSvg(drawing)
          : preformatted(String(drawing))),
    };
  }
  return { "text/plain": text, "text/html": preformatted(text) };
}

/** Gives the library's classes the method that the kernel looks for. */
function install(): void {
  for (const { prototype } of [Tensor, Module, Drawing, Report, History]) {
    Object.defineProperty(prototype, DISPLAY, {
      configurable: true,
      writable: true,
      value(this: Tensor | Module | Drawing | Report | History) {
        return mediaOf(this);
      },
    });
  }
}

rememberPlaces(false);
install();
