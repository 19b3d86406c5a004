/** Pictures and plots: commands. */
import type { Tensor } from "../../core/tensor.ts";
import type { Drawing } from "../../nn/term/drawing.ts";
import { gradCam } from "../term/cam.ts";
import { confusion } from "../term/confusion.ts";
import { type CurveOptions, plot, type Plottable } from "../term/curves.ts";
import { hist, type HistogramOptions } from "../term/histogram.ts";
import { imageProtocol } from "../term/images.ts";
import type { Numbers } from "../term/numbers.ts";
import { show, type ShowOptions } from "../term/show.ts";
import type { Showable } from "../term/shown.ts";
import type { Family } from "./command.ts";

/** Draws on the session's screen, unless the options name another. */
export const picturesCommands: Family = (shell) => {
  const onScreen = () => ({ screen: shell.screen(), images: imageProtocol() });
  return [
    {
      name: "show",
      takes: "values",
      usage: ".show picture, { columns: 4 }",
      about:
        "draws a tensor, a layer's filters, a data set or a picture file as pictures",
      run: (x: Showable | Drawing, options?: ShowOptions) =>
        show(x, { ...onScreen(), ...options }),
    },
    {
      name: "plot",
      takes: "values",
      usage: ".plot values, { title: text }",
      about: "draws the lines of a history, of lists of numbers or of tensors",
      run: (x: Plottable, options?: CurveOptions) =>
        plot(x, { screen: shell.screen(), ...options }),
    },
    {
      name: "hist",
      takes: "values",
      usage: ".hist values, { bins: 20 }",
      about: "draws how often values lie where",
      run: (x: Numbers, options?: HistogramOptions) =>
        hist(x, { screen: shell.screen(), ...options }),
    },
    {
      name: "confusion",
      takes: "values",
      usage: ".confusion matrix, classes",
      about: "draws which classes a network takes for which",
      run: (
        matrix: Tensor | readonly (readonly number[])[],
        classes?: readonly string[],
      ) => confusion(matrix, classes, onScreen()),
    },
    {
      name: "gradCam",
      takes: "values",
      usage: ".gradCam net, x, { layer: path, target: class }",
      about: "tells where in a picture a network looks; show() draws it",
      run: gradCam,
    },
  ];
};
