/** The passes: what is done to a traced graph before it runs. Each can be left out. */
import type { Graph } from "../graph.ts";
import { concatInPlace } from "./concat.ts";
import { fuseEpilogues } from "./epilogue.ts";
import { chooseLayout } from "./layout.ts";
import { foldNorms } from "./norm.ts";
import { fusePointwise } from "./pointwise.ts";
import { foldPadding, removeCopies, removeDead, shareCommon } from "./tidy.ts";
import { slopeBeforePool } from "./pool_slope.ts";
import { transposeProducts } from "./transpose.ts";

/** One step of improving a graph. */
export interface Pass {
  readonly name: string;
  /** What it does, in a few words. */
  readonly about: string;
  run(graph: Graph): void;
}

/** All passes in their order. */
export const PASSES = [
  {
    name: "copies",
    about: "copies of what lies contiguous are left out",
    run: removeCopies,
  },
  {
    name: "common",
    about: "what is computed twice from the same is computed once",
    run: shareCommon,
  },
  {
    name: "padding",
    about: "zeros around planes become padding of the convolution",
    run: foldPadding,
  },
  {
    name: "norms",
    about: "batch norms in evaluation go into the weights before them",
    run: foldNorms,
  },
  {
    name: "slopes",
    about: "slopes of relu are taken on what max pooling left",
    run: slopeBeforePool,
  },
  {
    name: "epilogues",
    about: "residuals, slopes and activations go into the launch before them",
    run: fuseEpilogues,
  },
  {
    name: "transpose",
    about: "products that are copied transposed are computed so",
    run: transposeProducts,
  },
  {
    name: "pointwise",
    about: "elementwise calls that follow each other become one kernel",
    run: fusePointwise,
  },
  {
    name: "layout",
    about: "planes of batches lie channel by channel where that pays",
    run: chooseLayout,
  },
  {
    name: "concat",
    about: "parts of concatenations are written where they belong",
    run: concatInPlace,
  },
  {
    name: "dead",
    about: "what nobody reads isn't computed",
    run: removeDead,
  },
] as const satisfies readonly Pass[];

/** The name of a pass. */
export type PassName = typeof PASSES[number]["name"];
