/** A network as a table, in torchinfo's manner. */
import { noGrad } from "../core/autograd.ts";
import { zeros } from "../core/create.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { watchOps } from "../core/watch.ts";
import type { Shape } from "../wgsl/op.ts";
import { formatShape, itemBytes, sizeOf } from "../wgsl/shape.ts";
import { observeCalls } from "./hooks.ts";
import { LiveBytes } from "./live_bytes.ts";
import type { Module } from "./module.ts";
import { Report } from "./term/drawing.ts";
import { type Column, tableRows } from "./term/table.ts";
import { grouped, humanBytes, withPrefix } from "./term/units.ts";
import { treeLabels } from "./tree.ts";

/** One layer's call. */
export interface LayerSummary {
  /** Dotted name; "" for the network itself. */
  readonly name: string;
  /** Class name. */
  readonly kind: string;
  /** How deep below the network it stands. */
  readonly depth: number;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Parameters of its own, not of the layers below. */
  readonly parameters: number;
  /** Multiply-adds of its own for the whole batch, counted as torchinfo does: each parameter once an output position. */
  readonly multiplyAdds: number;
}

/**
 * What {@linkcode summary} returns. Printed, it is a table.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.lenet();
 * const table: nn.Summary = nn.summary(net, [1, 1, 28, 28]);
 * assertEquals(table.parameters, net.parameterCount());
 * ```
 */
export class Summary extends Report {
  constructor(
    readonly layers: readonly LayerSummary[],
    readonly parameters: number,
    readonly trainable: number,
    readonly inputBytes: number,
    /**
     * The most bytes at once when the network evaluates such an input under `noGrad`: parameters and buffers, the input, and what the layers that run
     * have made, each of which holds its values until its call ends. Buffers that ops use inside don't count, as in `memory()`.
     */
    readonly peakBytes: number,
  ) {
    super();
  }

  get multiplyAdds(): number {
    return this.layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0);
  }

  /** Bytes of the outputs of layers with parameters, forward and backward: what torchinfo counts. */
  get activationBytes(): number {
    const outputs = this.layers.filter((layer) => layer.parameters > 0);
    return outputs.reduce(
      (sum, { outputShape }) => sum + sizeOf(outputShape),
      0,
    ) *
      itemBytes("f32") * 2;
  }

  /** Floating-point operations of the layers with parameters: a multiply-add is two. */
  get flops(): number {
    return 2 * this.multiplyAdds;
  }

  override rows(columns?: number): string[] {
    const labels = treeLabels(this.layers);
    const lines = this.layers.map((layer, i) => [
      labels[i],
      formatShape(layer.inputShape),
      formatShape(layer.outputShape),
      layer.parameters ? grouped(layer.parameters) : "--",
      layer.multiplyAdds ? grouped(layer.multiplyAdds) : "--",
    ]);
    const weightBytes = this.parameters * itemBytes("f32");
    const table = tableRows(HEADS, lines, { columns });
    const [, rule] = table;
    return [
      ...table,
      rule,
      `Total params: ${grouped(this.parameters)}`,
      `Trainable params: ${grouped(this.trainable)}`,
      `Non-trainable params: ${grouped(this.parameters - this.trainable)}`,
      `Total mult-adds: ${grouped(this.multiplyAdds)} (${
        withPrefix(this.flops, "FLOP")
      })`,
      rule,
      `Input size: ${humanBytes(this.inputBytes)}`,
      `Forward/backward pass size: ${humanBytes(this.activationBytes)}`,
      `Params size: ${humanBytes(weightBytes)}`,
      `Estimated total size: ${
        humanBytes(this.inputBytes + this.activationBytes + weightBytes)
      }`,
      `Peak memory in evaluation: ${humanBytes(this.peakBytes)}`,
    ];
  }
}

const HEADS: readonly Column[] = [
  { head: "Layer", cut: true },
  { head: "Input" },
  { head: "Output" },
  { head: "Params", align: "right" },
  { head: "Mult-adds", align: "right" },
];

/**
 * Every layer's shapes, parameters and multiply-adds for an input of a shape, found by one forward pass on zeros in evaluation mode.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init();
 * const table = nn.summary(zoo.lenet(), [1, 1, 28, 28]);
 * assertEquals(table.parameters, 61706);
 * ```
 */
export function summary(net: Module, shape: Shape): Summary {
  using _ = scope();
  const names = new Map(
    Array.from(net.namedModules(), ([name, module]) => [module, name]),
  );
  const layers: LayerSummary[] = [];
  const { training } = net;
  const input = zeros(shape);
  const live = new LiveBytes();
  const unwatch = watchOps((_op, inputs, outputs) =>
    live.make(inputs, outputs)
  );
  net.eval();
  try {
    observeCalls(
      {
        before: (module) => {
          live.enter();
          layers.push(describe(module, names.get(module) ?? "", net));
          return layers.length - 1;
        },
        after: (at, inputs, output) => {
          live.leave(output);
          const { multiplyAdds } = layers[at];
          layers[at] = {
            ...layers[at],
            inputShape: inputs[0]?.shape ?? [],
            outputShape: output.shape,
            multiplyAdds: multiplyAdds * positions(output),
          };
        },
      },
      () => noGrad(() => net(input)),
    );
  } finally {
    unwatch();
    net.train(training);
  }
  const kept = new Set(
    net.stateDict().values().map(({ storage }) => storage),
  );
  const keptBytes = [...kept].reduce((sum, { bytes }) => sum + bytes, 0);
  const all = net.parameters();
  const learned = all.filter((p) => p.requiresGrad);
  return new Summary(
    layers,
    count(all),
    count(learned),
    input.storage.bytes,
    keptBytes + input.storage.bytes + live.peak,
  );
}

/** Times that each parameter of a layer is used: once an example, and for pictures once an output position. */
function positions({ shape }: Tensor): number {
  return shape.length === 4
    ? shape[0] * shape[2] * shape[3]
    : sizeOf(shape) / (shape.at(-1) || 1);
}

function describe(module: Module, name: string, net: Module): LayerSummary {
  const below = new Set(
    module.children().flatMap((child) => child.parameters()),
  );
  const own = count(module.parameters().filter((p) => !below.has(p)));
  return {
    name,
    kind: module.constructor.name,
    depth: module === net ? 0 : name.split(".").length,
    inputShape: [],
    outputShape: [],
    parameters: own,
    multiplyAdds: own,
  };
}

function count(parameters: readonly Tensor[]): number {
  return parameters.reduce((sum, { size }) => sum + size, 0);
}
