/** Networks as models for ONNX Runtime, their batch norms folded. What else it can fuse, it fuses itself. */
import { folded } from "./fold.ts";
import {
  networkShapes,
  type NetworkStep,
  operandsOf,
  poolSides,
  type Window,
} from "./networks.ts";
import type { OnnxModel, OnnxNode } from "./onnx.ts";
import type { HostTensor, NetworkWork } from "./work.ts";

/** Attributes of a square window. */
export function windowOf(
  { kernel, stride, padding }: Window,
  group?: number,
): Record<string, number | readonly number[]> {
  return {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
    ...(group && { group }),
  };
}

/** An op of the format: what it is given besides the step's first value, and how it is told to work. */
interface Part {
  readonly op: string;
  readonly more?: readonly string[];
  readonly attributes?: OnnxNode["attributes"];
}

/** A network, whose value `i` is called `v<i>`. */
export function networkModel(
  work: NetworkWork,
  [x, ...values]: readonly HostTensor[],
): OnnxModel {
  const { network, parameters } = folded({ network: work, parameters: values });
  const { steps } = network;
  const { values: shapes } = networkShapes(network);
  const nodes: OnnxNode[] = [];
  const weights: Record<string, HostTensor> = {};
  const nameOf = (value: number) => {
    if (value === 0) return "x";
    return value === steps.length ? "y" : `v${value}`;
  };
  let next = 0;
  const parameter = (asChannels = false) => {
    const { shape, data } = parameters[next];
    const name = `p${next++}`;
    weights[name] = { data, shape: asChannels ? [...shape, 1, 1] : shape };
    return name;
  };
  steps.forEach((step, i) => {
    const operands = operandsOf(step).map(nameOf);
    const [, , size] = shapes[operandsOf(step)[0]];
    const parts = partsOf(step, operands, size, parameter);
    if ("relu" in step && step.relu) parts.push({ op: "Relu" });
    let [name] = operands;
    parts.forEach(({ op, more = [], attributes }, j) => {
      const last = j === parts.length - 1;
      const output = last ? nameOf(i + 1) : `${nameOf(i + 1)}.${op}`;
      nodes.push({ op, inputs: [name, ...more], output, attributes });
      name = output;
    });
  });
  return { inputs: { x: x.shape }, weights, nodes };
}

/** The ops of a step, each of which is given what the one before it makes. */
function partsOf(
  step: NetworkStep,
  [, ...others]: readonly string[],
  size: number,
  parameter: (asChannels?: boolean) => string,
): Part[] {
  switch (step.op) {
    case "conv": {
      const more = [parameter(), ...step.bias ? [parameter()] : []];
      const conv = { op: "Conv", more, attributes: windowOf(step) };
      return others.length > 0 ? [conv, { op: "Add", more: others }] : [conv];
    }
    case "scale":
      return [
        { op: "Mul", more: [parameter(true)] },
        { op: "Add", more: [parameter(true)] },
      ];
    case "relu":
      return [{ op: "Relu" }];
    case "add":
      return [{ op: "Add", more: others }];
    case "maxPool": {
      const [before, after] = poolSides(size, step);
      const pads = [before, before, after, after];
      const attributes = { ...windowOf(step), pads };
      return [{ op: "MaxPool", attributes }];
    }
    case "averagePool": {
      const { kernel } = step;
      const window = { kernel, stride: kernel, padding: 0 };
      return [{ op: "AveragePool", attributes: windowOf(window) }];
    }
    case "globalAverage":
      return [{ op: "GlobalAveragePool" }, { op: "Flatten" }];
    case "flatten":
      return [{ op: "Flatten" }];
    case "concat":
      return [{ op: "Concat", more: others, attributes: { axis: 1 } }];
    case "linear": {
      const more = [parameter(), parameter()];
      return [{ op: "Gemm", more, attributes: { transB: 1 } }];
    }
    case "batchNorm":
      throw new Error("the batch norms of a model are folded");
  }
}
