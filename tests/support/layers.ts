/** The layers of the fixture `layers.json`, which has each with every option. */
import { nn, type Tensor } from "../../mod.ts";
import type { DType } from "../../wgsl/op.ts";
import fixture from "../fixtures/layers.json" with { type: "json" };
import type { DeviceName } from "./devices.ts";
import { load, type Stored } from "./torch.ts";

/** A tensor of the fixture; its dtype is given unless it holds floats. */
export interface Typed extends Stored {
  readonly dtype?: DType;
}

/** Tensors by name. */
export type Named = Readonly<Record<string, Typed>>;

/** A layer, one pass through it and back. */
export interface LayerCase {
  readonly layer: string;
  readonly arguments: readonly unknown[];
  readonly training: boolean;
  readonly inputs: readonly Typed[];
  readonly parameters: Named;
  /** Before the pass. */
  readonly buffers: Named;
  /** The buffers after it. */
  readonly after: Named;
  readonly y: Typed;
  readonly dy: Typed;
  /** Null for inputs that have no gradient. */
  readonly dx: readonly (Typed | null)[];
  readonly gradients: Named;
}

export const LAYER_CASES = fixture.cases as unknown as readonly LayerCase[];

/** Whether PyTorch's gradient is the derivative: it isn't where it leaves a padding row out. */
export function isDifferentiable({ arguments: args }: LayerCase): boolean {
  return !JSON.stringify(args).includes("paddingIdx");
}

/** What a case runs, for titles. */
export function titleOf(
  { layer, arguments: args, training }: LayerCase,
): string {
  const list = args.map((value) => JSON.stringify(value)).join(", ");
  return `${layer}(${list})${training ? "" : " in evaluation"}`;
}

/** A tensor of the fixture on the device. */
export function place(
  stored: Typed,
  device: DeviceName,
  requiresGrad = false,
): Tensor {
  const { dtype } = stored;
  return load(stored, device, { requiresGrad, ...(dtype && { dtype }) });
}

/** The layer of a case, with its parameters and buffers: in f64 on the CPU device. */
export function layerOf(given: LayerCase, device: DeviceName): nn.Module {
  const made: nn.Module = Reflect.construct(
    Reflect.get(nn, given.layer),
    given.arguments,
  );
  const layer = device === "cpu" ? made.to("f64") : made;
  const state = Object.entries({ ...given.parameters, ...given.buffers });
  layer.loadStateDict(
    new Map(state.map(([name, value]) => [name, place(value, device)])),
  );
  return layer.train(given.training);
}
