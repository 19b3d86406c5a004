/** `.trace`: a line a layer, with what it launched and made. */
import { noGrad } from "../../core/autograd.ts";
import { checkInterrupt } from "../../core/runtime.ts";
import { scope } from "../../core/scope.ts";
import { Tensor } from "../../core/tensor.ts";
import { observeCalls } from "../../nn/hooks.ts";
import { Module } from "../../nn/module.ts";
import { Report } from "../../nn/term/drawing.ts";
import { type Column, tableRows } from "../../nn/term/table.ts";
import { humanBytes } from "../../nn/term/units.ts";
import { treeLabels } from "../../nn/tree.ts";
import type { DType, Shape } from "../../wgsl/op.ts";
import { formatShape, itemBytes, sizeOf } from "../../wgsl/shape.ts";
import {
  describeClock,
  shortLabel,
  timeWork,
  type Work,
  type WorkClock,
} from "./work.ts";

/** One call of a layer, or of the function that was traced. */
export interface TracedLayer {
  /** Dotted name; "" for the network itself. */
  readonly path: string;
  /** Class name; "function" for one. */
  readonly kind: string;
  /** How many layers it was called by. */
  readonly depth: number;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Bytes of the output. */
  readonly bytes: number;
  /** Time of what it launched itself, not through layers below. */
  readonly ms: number;
  /** What it launched itself, in order. */
  readonly launches: readonly TracedLaunch[];
}

/** One launch; on the CPU device, one op. */
export interface TracedLaunch {
  readonly op: string;
  readonly variant: string;
  /** The kernel's file; undefined on the CPU device. */
  readonly kernel: string | undefined;
  /** Its place among the launches of the call that it is part of. */
  readonly step: number;
  readonly ms: number;
}

const HEADS: readonly Column[] = [
  { head: "layer", cut: true },
  { head: "op: variant", cut: true },
  { head: "output" },
  { head: "ms", align: "right" },
  { head: "bytes", align: "right" },
];

/** The layers of one call, in the order in which they were called. */
export class Trace extends Report {
  constructor(
    readonly layers: readonly TracedLayer[],
    readonly clock: WorkClock,
  ) {
    super();
  }

  /** Time of all launches. */
  get ms(): number {
    return this.layers.reduce((sum, { ms }) => sum + ms, 0);
  }

  override rows(columns?: number): string[] {
    const labels = treeLabels(
      this.layers.map(({ path, kind, depth }) => ({ name: path, kind, depth })),
    );
    const lines = this.layers.map((layer, i) => [
      labels[i],
      variantsOf(layer.launches),
      formatShape(layer.shape),
      layer.launches.length > 0 ? layer.ms.toFixed(3) : "--",
      humanBytes(layer.bytes),
    ]);
    const launches = this.layers.reduce(
      (sum, layer) => sum + layer.launches.length,
      0,
    );
    const foot = [[
      "total",
      "",
      `${launches} launches`,
      this.ms.toFixed(3),
      "",
    ]];
    return [
      ...tableRows(HEADS, lines, { columns, foot }),
      describeClock(this.clock),
    ];
  }
}

/** Variants of the ops that were launched one after another: "conv2d: tiled, relu: vec4 × 2". */
function variantsOf(launches: readonly TracedLaunch[]): string {
  const counts = new Map<string, number>();
  let last: TracedLaunch | undefined;
  for (const launch of launches) {
    const { op, variant, step } = launch;
    const goesOn = last?.op === op && last.variant === variant &&
      step > last.step;
    last = launch;
    const name = `${op}: ${variant}`;
    if (!goesOn || !counts.has(name)) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return Array.from(
    counts,
    ([name, count]) => count > 1 ? `${name} × ${count}` : name,
  ).join(", ");
}

/** Options of {@linkcode traceCall}. */
export interface TraceOptions {
  /** Whether to leave layers in training mode, in which batch norm moves its statistics, instead of evaluating. @default false */
  readonly training?: boolean;
}

/** A call of a layer, while it runs. */
interface Call {
  readonly path: string;
  readonly kind: string;
  readonly depth: number;
  output: { readonly shape: Shape; readonly dtype: DType } | undefined;
}

/** Calls a network, or a function of tensors, without recording gradients: once to warm up, then with each launch timed. */
export async function traceCall(
  net: Module | ((...inputs: Tensor[]) => unknown),
  inputs: readonly Tensor[],
  { training = false }: TraceOptions = {},
): Promise<Trace> {
  const module = net instanceof Module ? net : undefined;
  const modes = module && !training
    ? Array.from(module.namedModules(), ([, m]) => [m, m.training] as const)
    : [];
  for (const [m] of modes) m.training = false;
  try {
    callOnce(net, inputs, () => {});
    const { calls, work, clock } = await timeCall(net, inputs);
    return new Trace(layersOf(calls, work), clock);
  } finally {
    for (const [m, mode] of modes) m.training = mode;
  }
}

async function timeCall(
  net: Module | ((...inputs: Tensor[]) => unknown),
  inputs: readonly Tensor[],
) {
  const names = new Map(
    net instanceof Module
      ? Array.from(net.namedModules(), ([name, m]) => [m, name] as const)
      : [],
  );
  const calls: Call[] = [];
  const open: number[] = [];
  const start = () => {
    calls.length = 0;
    open.length = 0;
    // What isn't done by a layer of its own is the function's.
    if (net instanceof Module) return;
    calls.push({ path: "", kind: "function", depth: 0, output: undefined });
    open.push(0);
  };
  const watch = {
    before(module: Module) {
      const path = names.get(module) ?? "";
      const kind = module.constructor.name;
      calls.push({ path, kind, depth: open.length, output: undefined });
      open.push(calls.length - 1);
      return calls.length - 1;
    },
    after(at: number, _inputs: readonly Tensor[], { shape, dtype }: Tensor) {
      calls[at].output = { shape, dtype };
      open.pop();
    },
  };
  const { work, clock } = await timeWork(
    () => {
      start();
      observeCalls(watch, () =>
        callOnce(net, inputs, (result) => {
          if (!(result instanceof Tensor)) return;
          const { shape, dtype } = result;
          calls[0].output ??= { shape, dtype };
        }));
    },
    () => open.at(-1) ?? 0,
  );
  return { calls, work, clock };
}

function callOnce(
  net: Module | ((...inputs: Tensor[]) => unknown),
  inputs: readonly Tensor[],
  see: (result: unknown) => void,
): void {
  checkInterrupt();
  using _ = scope();
  const result = noGrad(() => net(...inputs));
  if (result instanceof Promise) {
    // Nobody else waits for it.
    result.catch(() => {});
    throw new TypeError(
      "Cannot trace an async function: give one that returns its tensor",
    );
  }
  see(result);
}

function layersOf(
  calls: readonly Call[],
  work: readonly Work<number>[],
): TracedLayer[] {
  return calls.map(({ path, kind, depth, output }, i) => {
    const own = work.filter(({ tag }) => tag === i);
    const { shape, dtype } = output ?? { shape: [], dtype: "f32" };
    return {
      path,
      kind,
      depth,
      shape,
      dtype,
      bytes: output ? sizeOf(shape) * itemBytes(dtype) : 0,
      ms: own.reduce((sum, { ms }) => sum + ms, 0),
      launches: own.map(({ op, variant, step, launch, ms }) => ({
        op,
        variant,
        step,
        kernel: launch && shortLabel(launch.kernel.label),
        ms,
      })),
    };
  });
}
