/** A plan in words: what is launched, what was put into what, and what it takes. */
import type { Build } from "../core/compile/mod.ts";
import type { Launch, Meta } from "../wgsl/op.ts";
import { formatShape } from "../wgsl/shape.ts";
import { Report } from "./term/drawing.ts";
import { type Column, tableRows } from "./term/table.ts";
import { humanBytes, withPrefix } from "./term/units.ts";

const HEADS: readonly Column[] = [
  { head: "layer" },
  { head: "op", cut: true },
  { head: "output" },
  { head: "kernel", cut: true },
  { head: "runs", align: "right" },
  { head: "flops", align: "right" },
  { head: "bytes", align: "right" },
];

/** One call of a plan. */
export interface PlannedCall {
  /** The layer that made it, such as "layer1.0.conv1 (Conv2d)". */
  readonly path: string;
  readonly op: string;
  /** Ops that were put into it. */
  readonly fused: readonly string[];
  /** Whether it computes again what was freed to stay within `maxBytes`. */
  readonly again: boolean;
  readonly shape: readonly number[];
  /** How the result's planes follow each other: channel by channel, CNHW, where the plan found that to pay. The shape says it too. */
  readonly order: "NCHW" | "CNHW";
  /** Which of the op's kernels runs; "reference" on the CPU. */
  readonly variant: string;
  readonly launches: number;
  readonly flops: number;
  readonly bytes: number;
}

/**
 * What a compiled function runs. Printed, it is a table.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { compile, init, nn, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.lenet({ activation: "relu" }).eval();
 * const run = await compile(net, [1, 1, 28, 28]);
 * const plan: nn.Explanation = run.explain();
 * assertEquals(plan.calls[0].fused, ["relu"]);
 * assert(plan.temporaryBytes <= plan.eagerBytes);
 * run.dispose();
 * ```
 */
export class Explanation extends Report {
  readonly calls: readonly PlannedCall[];
  /** What is launched before the calls, to move on the random stream and the optimiser's steps. */
  readonly advance: Launch | undefined;
  /** Calls that the function makes when it isn't compiled. */
  readonly tracedCalls: number;
  /** Calls whose results are computed once, and launches of others that run once because they read nothing but weights. */
  readonly onceCalls: number;
  readonly onceLaunches: number;
  /** Bytes of what a run computes on the way, scratch memory of kernels included: the plan's peak beside inputs, results and weights. */
  readonly temporaryBytes: number;
  /** Buffers that hold them. */
  readonly buffers: number;
  /** Bytes of folded and rearranged weights that are kept. */
  readonly constantBytes: number;
  readonly resultBytes: number;
  /** The most bytes of tensors that running it call by call holds at once, beside inputs and weights, without kernels' scratch memory. */
  readonly eagerBytes: number;

  constructor(
    readonly name: string,
    readonly inputs: readonly Meta[],
    { program, tracedCalls, eagerPeakBytes }: Build<unknown>,
  ) {
    super();
    const { memory, info } = program;
    this.calls = program.calls.map((
      { op, path, fused, outputs, order, again = false },
      i,
    ) => ({
      path: path ?? "",
      op: op.name,
      fused,
      shape: outputs[0]?.view.shape ?? [],
      again,
      order: order ?? "NCHW",
      variant: info[i].variant ?? "reference",
      launches: info[i].launches.length,
      flops: total(info[i].launches, "flops"),
      bytes: total(info[i].launches, "bytes"),
    }));
    this.advance = program.advance;
    this.tracedCalls = tracedCalls;
    this.onceCalls = program.once.length;
    this.onceLaunches = info.reduce((sum, { once }) => sum + once.length, 0);
    this.temporaryBytes = memory.temporaryBytes;
    this.buffers = memory.buffers;
    this.constantBytes = memory.constantBytes;
    this.resultBytes = memory.resultBytes;
    this.eagerBytes = eagerPeakBytes;
  }

  /** Launches of a run. */
  get launches(): number {
    const own = this.advance ? 1 : 0;
    return this.calls.reduce((sum, { launches }) => sum + launches, own);
  }

  /** Floating-point operations of a run, a multiply-add counted as two. */
  get flops(): number {
    return this.calls.reduce((sum, { flops }) => sum + flops, 0);
  }

  /** Bytes that a run must move. */
  get bytes(): number {
    const own = this.advance?.bytes ?? 0;
    return this.calls.reduce((sum, { bytes }) => sum + bytes, own);
  }

  override rows(columns?: number): string[] {
    const shapes = this.inputs.map(({ shape }) => formatShape(shape)).join();
    const lines = this.calls.map((call) => [
      call.path,
      [call.op, ...call.fused].join(" + ") + (call.again ? ", again" : ""),
      formatShape(call.shape) + (call.order === "NCHW" ? "" : ` ${call.order}`),
      call.variant,
      `${call.launches}`,
      withPrefix(call.flops, "FLOP"),
      humanBytes(call.bytes),
    ]);
    if (this.advance) {
      const { bytes } = this.advance;
      const flops = withPrefix(0, "FLOP");
      lines.unshift(["", "advance", "", "", "1", flops, humanBytes(bytes)]);
    }
    const foot = [
      "total",
      "",
      "",
      "",
      `${this.launches}`,
      withPrefix(this.flops, "FLOP"),
      humanBytes(this.bytes),
    ];
    const again = this.calls.filter((call) => call.again);
    const flops = again.reduce((sum, call) => sum + call.flops, 0);
    const freed = `${again.length} calls and ${
      withPrefix(flops, "FLOP")
    } compute again what was freed`;
    return [
      `${this.name} for ${shapes}`,
      "",
      ...tableRows(HEADS, lines, { columns, foot: [foot] }),
      `${this.tracedCalls} calls became ${this.calls.length}; ${this.onceCalls} calls and ${this.onceLaunches} launches are done once`,
      ...(again.length > 0 ? [freed] : []),
      `temporaries ${
        humanBytes(this.temporaryBytes)
      } in ${this.buffers} buffers (call by call ${
        humanBytes(this.eagerBytes)
      }), results ${humanBytes(this.resultBytes)}, rearranged weights ${
        humanBytes(this.constantBytes)
      }`,
    ];
  }
}

function total(launches: readonly Launch[], field: "flops" | "bytes"): number {
  return launches.reduce((sum, launch) => sum + launch[field], 0);
}
