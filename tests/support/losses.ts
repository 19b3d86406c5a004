/** The losses of the fixture `losses.json`, which has each with every option. */
import type { Tensor } from "../../mod.ts";
import fixture from "../fixtures/losses.json" with { type: "json" };
import type { DeviceName } from "./devices.ts";
import { place, type Typed } from "./layers.ts";

/** A loss, and its gradients for the output's. */
export interface LossCase
  extends Readonly<Record<"x" | "y" | "loss" | "dy" | "dx", Typed>> {
  readonly name: string;
  readonly what: string;
  readonly reduction: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The target's, where it has one. */
  readonly dTarget?: Typed;
}

/** A loss as a function. */
export type LossFunction = (
  x: Tensor,
  y: Tensor,
  options?: Readonly<Record<string, unknown>>,
) => Tensor;

export const LOSS_CASES = fixture.cases as unknown as readonly LossCase[];

/** The layer of each function. */
export const LOSS_LAYERS: Readonly<Record<string, string>> = {
  crossEntropy: "CrossEntropyLoss",
  nllLoss: "NLLLoss",
  binaryCrossEntropy: "BCELoss",
  binaryCrossEntropyWithLogits: "BCEWithLogitsLoss",
  mseLoss: "MSELoss",
  l1Loss: "L1Loss",
  smoothL1Loss: "SmoothL1Loss",
  huberLoss: "HuberLoss",
  klDiv: "KLDivLoss",
};

/** Options with their tensors on the device, and the reduction unless it is the default. */
export function lossOptions(
  { options, reduction }: LossCase,
  device: DeviceName,
): Record<string, unknown> {
  const placed = Object.entries(options).map(([name, value]) => [
    name,
    typeof value === "object" ? place(value as Typed, device) : value,
  ]);
  const rest = reduction === "mean" ? {} : { reduction };
  return { ...Object.fromEntries(placed), ...rest };
}

/** Whether a case can be told from differences: a mean, and not at the edge of what the loss takes, where logarithms are cut. */
export function isSmooth({ what, reduction }: LossCase): boolean {
  return reduction === "mean" && what !== "edges";
}
