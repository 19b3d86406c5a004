/** The two forms of Winograd's algorithm: the sizes of their tiles and the kernels of their transforms. */
import type { Kernel } from "../op.ts";
import smallInputCode from "./winograd_2x2_input.wgsl" with { type: "text" };
import smallOutputCode from "./winograd_2x2_output.wgsl" with { type: "text" };
import smallWeightsCode from "./winograd_2x2_weights.wgsl" with {
  type: "text",
};
import inputCode from "./winograd_input.wgsl" with { type: "text" };
import outputCode from "./winograd_output.wgsl" with { type: "text" };
import weightsCode from "./winograd_weights.wgsl" with { type: "text" };

/** A form of the algorithm: its tiles, the kernels of its transforms, and how its products are multiplied. */
export interface WinogradForm {
  /** Outputs along each side of a tile. */
  readonly tile: 2 | 4;
  /** Products of matrices: one for each of the transformed inputs of a tile. */
  readonly planes: number;
  readonly weights: Kernel;
  /** Trips of its loops. */
  readonly weightTrips: number;
  readonly input: Kernel;
  readonly output: Kernel;
  /** Whether the products are in tiles for processors that run invocations as lanes of vectors: 32 × 16 and not 16 × 8. */
  readonly wide: boolean;
}

const SMALL = {
  tile: 2,
  planes: 16,
  weights: {
    label: "wgsl/conv/winograd_2x2_weights.wgsl",
    code: smallWeightsCode,
  },
  weightTrips: 0,
  input: { label: "wgsl/conv/winograd_2x2_input.wgsl", code: smallInputCode },
  output: {
    label: "wgsl/conv/winograd_2x2_output.wgsl",
    code: smallOutputCode,
  },
} as const;

const LARGE = {
  tile: 4,
  planes: 36,
  weights: { label: "wgsl/conv/winograd_weights.wgsl", code: weightsCode },
  // Three rows of taps, and six of products.
  weightTrips: 9,
  input: { label: "wgsl/conv/winograd_input.wgsl", code: inputCode },
  output: { label: "wgsl/conv/winograd_output.wgsl", code: outputCode },
} as const;

/** The forms by the names of their variants, in the order in which they are fast on software adapters. */
export const WINOGRAD_FORMS = {
  winograd_wide: { ...LARGE, wide: true },
  winograd: { ...LARGE, wide: false },
  winograd_2x2_wide: { ...SMALL, wide: true },
  winograd_2x2: { ...SMALL, wide: false },
} as const satisfies Readonly<Record<string, WinogradForm>>;
