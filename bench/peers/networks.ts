/** Whole networks as lists of steps, which each library goes through in its own calls. */

/** A square window over planes, padded alike on all sides. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * A step of a network, of values by number: 0 is the input and i + 1 what step i makes. Convolutions and linear layers have a bias; with `plus`, a
 * value is added before the ReLU, as the shortcut of a residual block is.
 */
export type NetworkStep =
  & { readonly of: number }
  & (
    | Window & {
      readonly op: "conv";
      readonly filters: number;
      readonly relu: boolean;
      readonly plus?: number;
    }
    | Window & { readonly op: "maxPool" }
    | { readonly op: "globalAverage" }
    | { readonly op: "linear"; readonly outputs: number }
  );

/** What a row of the comparison is called, and its operations: a multiply-add is two. */
export interface NamedWork {
  readonly name: string;
  readonly flops: number;
}

/** The forward pass of a network, its batch norms folded into the convolutions before them. */
export interface NetworkWork {
  readonly kind: "network";
  readonly shape: readonly [number, number, number, number];
  readonly steps: readonly NetworkStep[];
}

/** ResNet-18 (He et al. 2015, arXiv:1512.03385, table 1), which downsamples with 1×1 convolutions. */
export function resnet18(batch: number): NetworkWork & NamedWork {
  const steps: NetworkStep[] = [];
  const push = (step: NetworkStep): number => steps.push(step);
  const conv = (
    of: number,
    filters: number,
    kernel: number,
    stride: number,
    more: { relu: boolean; plus?: number },
  ) => {
    const padding = (kernel - 1) / 2;
    return push({ op: "conv", of, filters, kernel, stride, padding, ...more });
  };
  let x = conv(0, 64, 7, 2, { relu: true });
  x = push({ op: "maxPool", of: x, kernel: 3, stride: 2, padding: 1 });
  for (const filters of [64, 128, 256, 512]) {
    for (const first of [true, false]) {
      const stride = first && filters > 64 ? 2 : 1;
      const y = conv(x, filters, 3, stride, { relu: true });
      const plus = stride === 1
        ? x
        : conv(x, filters, 1, stride, { relu: false });
      x = conv(y, filters, 3, 1, { relu: true, plus });
    }
  }
  x = push({ op: "globalAverage", of: x });
  push({ op: "linear", of: x, outputs: 1000 });
  const shape = [batch, 3, 224, 224] as const;
  const name = `ResNet-18 forward, batch ${batch}, 224²`;
  return {
    name,
    flops: 2 * multiplyAdds({ shape, steps }),
    kind: "network",
    shape,
    steps,
  };
}

/** Shapes of the values of a network and of the parameters of its steps, in order. */
export function networkShapes(
  { shape, steps }: Pick<NetworkWork, "shape" | "steps">,
): { values: number[][]; parameters: number[][] } {
  const values: number[][] = [[...shape]];
  const parameters: number[][] = [];
  for (const step of steps) {
    const [batch, channels, size] = values[step.of];
    switch (step.op) {
      case "conv":
      case "maxPool": {
        const { kernel, stride, padding } = step;
        const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
        const filters = step.op === "conv" ? step.filters : channels;
        values.push([batch, filters, out, out]);
        if (step.op === "maxPool") break;
        parameters.push([filters, channels, kernel, kernel], [filters]);
        break;
      }
      case "globalAverage":
        values.push([batch, channels]);
        break;
      case "linear":
        values.push([batch, step.outputs]);
        parameters.push([step.outputs, channels], [step.outputs]);
    }
  }
  return { values, parameters };
}

/** Multiply-adds of a network's convolutions and linear layers. */
function multiplyAdds(network: Pick<NetworkWork, "shape" | "steps">): number {
  const { values, parameters } = networkShapes(network);
  const weights = parameters.filter((shape) => shape.length > 1);
  const outputs = network.steps.flatMap(({ op }, i) =>
    op === "conv" || op === "linear" ? [values[i + 1]] : []
  );
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  return weights.reduce(
    (sum, shape, i) => sum + size(outputs[i]) * size(shape.slice(1)),
    0,
  );
}
