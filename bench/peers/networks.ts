/** Whole networks as lists of steps, which each library goes through in its own calls. */

/** A square window over planes, padded alike on all sides. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * A step of a network, of values by number: 0 is the input and i + 1 what step i makes. Those with a name have parameters, which torchvision calls by
 * it.
 *
 * What {@linkcode folded} makes has steps with more in them: a convolution with `plus`, a value to be added before its ReLU, and `scale`, a batch norm
 * with nothing to fold it into.
 */
export type NetworkStep =
  | Window & {
    readonly op: "conv";
    readonly of: number;
    readonly name: string;
    readonly filters: number;
    readonly bias: boolean;
    readonly relu?: boolean;
    readonly plus?: number;
  }
  | {
    readonly op: "batchNorm";
    readonly of: number;
    readonly name: string;
    readonly eps: number;
  }
  | {
    readonly op: "scale";
    readonly of: number;
    readonly name: string;
    readonly relu?: boolean;
  }
  | {
    readonly op: "linear";
    readonly of: number;
    readonly name: string;
    readonly outputs: number;
    readonly relu?: boolean;
  }
  | Window & {
    readonly op: "maxPool";
    readonly of: number;
    /** Whether a last window may hang over the end. */
    readonly ceil: boolean;
  }
  | { readonly op: "averagePool"; readonly of: number; readonly kernel: number }
  | { readonly op: "add"; readonly of: number; readonly plus: number }
  | { readonly op: "concat"; readonly parts: readonly number[] }
  | {
    readonly op: "relu" | "globalAverage" | "flatten";
    readonly of: number;
  };

/** A network for pictures of one size. */
export interface Network {
  readonly shape: readonly [number, number, number, number];
  readonly steps: readonly NetworkStep[];
}

/** Which numbers a parameter wants. */
export type ParameterKind = "weight" | "bias" | "gain" | "mean" | "variance";

/** A parameter: its name in torchvision's networks, and what it is. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: ParameterKind;
}

/** Numbers of the values that a step reads. */
export function operandsOf(step: NetworkStep): readonly number[] {
  if (step.op === "concat") return step.parts;
  const plus = step.op === "add" || step.op === "conv" ? step.plus : undefined;
  return plus === undefined ? [step.of] : [step.of, plus];
}

/** Zeros before and after a row, so that all windows of a pooling step fit. */
export function poolSides(
  size: number,
  { kernel, stride, padding, ceil }: Window & { readonly ceil: boolean },
): [before: number, after: number] {
  if (!ceil) return [padding, padding];
  const windows = Math.ceil((size + 2 * padding - kernel) / stride) + 1;
  return [padding, (windows - 1) * stride + kernel - size - padding];
}

/** Shapes of a network's values, and the parameters of each step. */
export function networkShapes(
  { shape, steps }: Network,
): { values: readonly (readonly number[])[]; parameters: Parameter[][] } {
  const values: (readonly number[])[] = [shape];
  const parameters = steps.map((step) => {
    const operands = operandsOf(step).map((i) => values[i]);
    values.push(shapeAfter(step, operands));
    return parametersOf(step, operands[0]);
  });
  return { values, parameters };
}

function shapeAfter(
  step: NetworkStep,
  operands: readonly (readonly number[])[],
): readonly number[] {
  const [batch, channels, size = 1] = operands[0];
  switch (step.op) {
    case "conv": {
      const { kernel, stride, padding, filters } = step;
      const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
      return [batch, filters, out, out];
    }
    case "maxPool": {
      const [before, after] = poolSides(size, step);
      const room = size + before + after - step.kernel;
      const out = Math.floor(room / step.stride) + 1;
      return [batch, channels, out, out];
    }
    case "averagePool": {
      const out = Math.floor(size / step.kernel);
      return [batch, channels, out, out];
    }
    case "concat": {
      const all = operands.reduce((sum, shape) => sum + shape[1], 0);
      return [batch, all, ...operands[0].slice(2)];
    }
    case "globalAverage":
      return [batch, channels];
    case "flatten":
      return [batch, channels * size * size];
    case "linear":
      return [batch, step.outputs];
    default:
      return operands[0];
  }
}

function parametersOf(
  step: NetworkStep,
  [, channels]: readonly number[],
): Parameter[] {
  const named = (
    name: string,
    suffix: string,
    shape: readonly number[],
    kind: ParameterKind,
  ): Parameter => ({ name: `${name}.${suffix}`, shape, kind });
  switch (step.op) {
    case "conv": {
      const { name, filters, kernel, bias } = step;
      const weight = [filters, channels, kernel, kernel];
      return [
        named(name, "weight", weight, "weight"),
        ...bias ? [named(name, "bias", [filters], "bias")] : [],
      ];
    }
    case "linear": {
      const { name, outputs } = step;
      return [
        named(name, "weight", [outputs, channels], "weight"),
        named(name, "bias", [outputs], "bias"),
      ];
    }
    case "scale":
    case "batchNorm": {
      const affine = [
        named(step.name, "weight", [channels], "gain"),
        named(step.name, "bias", [channels], "bias"),
      ];
      if (step.op === "scale") return affine;
      return [
        ...affine,
        named(step.name, "running_mean", [channels], "mean"),
        named(step.name, "running_var", [channels], "variance"),
      ];
    }
    default:
      return [];
  }
}

/** Operations of a network's convolutions and linear layers, a multiply-add as two: those of a forward pass. */
export function networkFlops(network: Network): number {
  const { values, parameters } = networkShapes(network);
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  return network.steps.reduce((sum, { op }, i) => {
    if (op !== "conv" && op !== "linear") return sum;
    const [weight] = parameters[i];
    return sum + 2 * size(values[i + 1]) * size(weight.shape.slice(1));
  }, 0);
}
