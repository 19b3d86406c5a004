/** Drawings as a notebook shows them: text as it stands, plots as SVG, pictures as PNG files with their labels. */
import { ticks } from "../nn/term/axes.ts";
import type { Plot } from "../nn/term/plot.ts";
import type { Gallery } from "./term/picture.ts";
import { pngOf } from "./term/save.ts";

/** Text with what HTML would read as its own. */
export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Rows of text, each as high as its characters, so that drawings have no gaps. */
export function preformatted(text: string): string {
  return `<pre style="line-height: 1.15">${escape(text)}</pre>`;
}

/** Pixels of a picture's larger side in a notebook, at least. */
const PICTURE_SIZE = 64;

/** Pictures with their labels beneath, in rows as on the screen. */
export function galleryHtml(gallery: Gallery): string {
  const { pictures, perRow } = gallery;
  const figures = pictures.map(({ width, height, label, tone }, i) => {
    const png = pngOf(gallery.rasterAt(i)).toBase64();
    const scale = Math.max(
      1,
      Math.ceil(PICTURE_SIZE / Math.max(width, height)),
    );
    const color = tone === undefined
      ? ""
      : `; color: ${tone === "good" ? "green" : "red"}`;
    const caption = label === undefined
      ? ""
      : `<figcaption style="text-align: center${color}">${
        escape(label)
      }</figcaption>`;
    return `<figure style="margin: 0"><img width="${width * scale}" height="${
      height * scale
    }" style="image-rendering: pixelated" src="data:image/png;base64,${png}">${caption}</figure>`;
  });
  return `<div style="display: inline-grid; grid-template-columns: repeat(${
    Math.min(perRow, figures.length)
  }, auto); gap: 8px">${figures.join("")}</div>`;
}

/** Size of a plot, and the room around its field for numbers and words. */
const WIDTH = 640;
const HEIGHT = 320;
const ROOM = { left: 64, right: 16, top: 32, bottom: 44 };

/** The colours of the lines, in turn. */
const COLORS = ["#0891b2", "#ca8a04", "#a21caf", "#16a34a"];

/** A plot as SVG. Its axes have the colour of the text around it, so that it suits a dark page too. */
export function plotSvg({ lines, axes }: Plot): string {
  const { title = "", xLabel = "", xRange, yRange } = axes;
  const right = WIDTH - ROOM.right;
  const bottom = HEIGHT - ROOM.bottom;
  const placeOf =
    ([from, to]: readonly [number, number], start: number, end: number) =>
    (at: number) =>
      to > from
        ? Number((start + (end - start) * (at - from) / (to - from)).toFixed(1))
        : start;
  const x = placeOf(xRange, ROOM.left, right);
  const y = placeOf(yRange, bottom, ROOM.top);
  const text = (
    [left, top]: readonly [number, number],
    anchor: string,
    words: string,
    more = "",
  ) =>
    `<text x="${left}" y="${top}" text-anchor="${anchor}"${more}>${
      escape(words)
    }</text>`;

  const longest = Math.max(...lines.map(([, values]) => values.length));
  const [first, last] = xRange;
  const whole = Number.isInteger(first) && Number.isInteger(last);
  const marks = [
    ...(last > first ? ticks(first, last, 8, whole ? 1 : 0) : []).flatMap(
      ({ at, text: words }) => [
        `<path d="M${x(at)} ${bottom}v5"/>`,
        text([x(at), bottom + 18], "middle", words, NO_STROKE),
      ],
    ),
    ...ticks(...yRange, 6).flatMap(({ at, text: words }) => [
      `<path d="M${ROOM.left} ${y(at)}h-5"/>`,
      text([ROOM.left - 8, y(at) + 4], "end", words, NO_STROKE),
    ]),
  ];
  const curves = lines.map(([, values], i) => {
    const step = longest > 1 ? (last - first) / (longest - 1) : 0;
    let path = "";
    let drawing = false;
    for (let k = 0; k < values.length; k++) {
      const seen = Number.isFinite(values[k]);
      if (seen) {
        path += `${drawing ? "L" : "M"}${x(first + k * step)} ${y(values[k])}`;
      }
      drawing = seen;
    }
    return `<path d="${path}" fill="none" stroke="${
      COLORS[i % COLORS.length]
    }" stroke-width="2" stroke-linejoin="round"/>`;
  });
  const legend = lines.length < 2 ? [] : lines.map(([name], i) =>
    text(
      [right, ROOM.top + 4 + 16 * i],
      "end",
      name,
      ` stroke="none" style="fill: ${COLORS[i % COLORS.length]}"`,
    )
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="currentColor" stroke="currentColor"><path d="M${ROOM.left} ${ROOM.top}V${bottom}H${right}" fill="none"/>${
    [
      ...marks,
      text([WIDTH / 2, 18], "middle", title, NO_STROKE),
      text([WIDTH / 2, HEIGHT - 8], "middle", xLabel, NO_STROKE),
      ...curves,
      ...legend,
    ].join("")
  }</svg>`;
}

const NO_STROKE = ' stroke="none"';
