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

/** A form of the algorithm: its tiles and the kernels of its transforms. */
export interface WinogradForm {
  /** Outputs along each side of a tile. */
  readonly tile: number;
  /** Products of matrices: one for each of the transformed inputs of a tile. */
  readonly planes: number;
  readonly weights: Kernel;
  readonly input: Kernel;
  readonly output: Kernel;
}

/** Both forms, by the outputs along each side of a tile. */
export const WINOGRAD_FORMS = {
  2: {
    tile: 2,
    planes: 16,
    weights: {
      label: "wgsl/conv/winograd_2x2_weights.wgsl",
      code: smallWeightsCode,
    },
    input: { label: "wgsl/conv/winograd_2x2_input.wgsl", code: smallInputCode },
    output: {
      label: "wgsl/conv/winograd_2x2_output.wgsl",
      code: smallOutputCode,
    },
  },
  4: {
    tile: 4,
    planes: 36,
    weights: { label: "wgsl/conv/winograd_weights.wgsl", code: weightsCode },
    input: { label: "wgsl/conv/winograd_input.wgsl", code: inputCode },
    output: { label: "wgsl/conv/winograd_output.wgsl", code: outputCode },
  },
} as const satisfies Readonly<Record<number, WinogradForm>>;

/** Outputs along each side of a tile. */
export type WinogradTile = keyof typeof WINOGRAD_FORMS;
