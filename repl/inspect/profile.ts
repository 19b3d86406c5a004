/** `.profile`: which kernels something runs, and how long each takes. */
import { synchronize } from "../../core/runtime.ts";
import { Report } from "../../nn/term/drawing.ts";
import { type Column, tableRows } from "../../nn/term/table.ts";
import { humanTime, threeDigits } from "../../nn/term/units.ts";
import { type Body, run } from "./body.ts";
import {
  describeClock,
  shortLabel,
  timeWork,
  type Work,
  type WorkClock,
} from "./work.ts";

/** One kernel, as a variant of an op runs it. */
export interface KernelRow {
  readonly op: string;
  readonly variant: string;
  /** The kernel's file, such as "matmul/tile.wgsl". On the CPU device, the op's name. */
  readonly kernel: string;
  readonly calls: number;
  readonly ms: number;
  /** Part of the total time, from 0 to 1. */
  readonly share: number;
  /** Operations and bytes of all calls; NaN on the CPU device. */
  readonly flops: number;
  readonly bytes: number;
}

const HEADS: readonly Column[] = [
  { head: "kernel", cut: true },
  { head: "op: variant", cut: true },
  { head: "calls", align: "right" },
  { head: "ms", align: "right" },
  { head: "share", align: "right" },
  { head: "GFLOP/s", align: "right" },
  { head: "GB/s", align: "right" },
];

/** The kernels of one run. */
export class Profile extends Report {
  constructor(
    /** Slowest first. */
    readonly kernels: readonly KernelRow[],
    readonly clock: WorkClock,
    /** The wall's time of another run, unobserved, with the wait for the device. */
    readonly wallMs: number,
  ) {
    super();
  }

  /** Time of all kernels. */
  get ms(): number {
    return this.kernels.reduce((sum, { ms }) => sum + ms, 0);
  }

  /** Launches. */
  get calls(): number {
    return this.kernels.reduce((sum, { calls }) => sum + calls, 0);
  }

  override rows(columns?: number): string[] {
    const { kernels, calls, ms, wallMs } = this;
    if (calls === 0) {
      return [
        `Nothing was launched (wall time ${humanTime(wallMs)})`,
      ];
    }
    const total = {
      calls,
      ms,
      share: kernels.reduce((sum, { share }) => sum + share, 0),
      flops: kernels.reduce((sum, { flops }) => sum + flops, 0),
      bytes: kernels.reduce((sum, { bytes }) => sum + bytes, 0),
    };
    const lines = kernels.map((row) => [
      row.kernel,
      `${row.op}: ${row.variant}`,
      ...numbersOf(row),
    ]);
    return [
      ...tableRows(HEADS, lines, {
        columns,
        foot: [["total", "", ...numbersOf(total)]],
      }),
      `Wall time of a run that isn't profiled: ${humanTime(wallMs)}.`,
      describeClock(this.clock),
    ];
  }
}

function numbersOf(
  { calls, ms, share, flops, bytes }: Omit<
    KernelRow,
    "op" | "variant" | "kernel"
  >,
): string[] {
  return [
    `${calls}`,
    ms.toFixed(3),
    `${(100 * share).toFixed(1)} %`,
    rate(flops, ms),
    rate(bytes, ms),
  ];
}

/** Billions a second. */
function rate(amount: number, ms: number): string {
  return amount > 0 && ms > 0 ? threeDigits(amount / ms / 1e6) : "--";
}

/** Profiles a body. It runs to warm up, for the wall's time, and up to three times with each launch timed. */
export async function profileBody(body: Body): Promise<Profile> {
  const once = async () => {
    await run(body);
    await synchronize();
  };
  await once();
  const start = performance.now();
  await once();
  const wallMs = performance.now() - start;
  const { work, clock } = await timeWork(() => run(body), () => undefined);
  return new Profile(rowsOf(work), clock, wallMs);
}

function rowsOf(work: readonly Work<unknown>[]): KernelRow[] {
  const total = work.reduce((sum, { ms }) => sum + ms, 0);
  const rows = new Map<string, KernelRow>();
  for (const { op, variant, launch, ms } of work) {
    const kernel = launch ? shortLabel(launch.kernel.label) : op;
    const key = `${kernel} ${op} ${variant}`;
    const before = rows.get(key);
    rows.set(key, {
      op,
      variant,
      kernel,
      calls: (before?.calls ?? 0) + 1,
      ms: (before?.ms ?? 0) + ms,
      share: (before?.share ?? 0) + (total > 0 ? ms / total : 1 / work.length),
      flops: (before?.flops ?? 0) + (launch?.flops ?? NaN),
      bytes: (before?.bytes ?? 0) + (launch?.bytes ?? NaN),
    });
  }
  return [...rows.values()].sort((a, b) => b.ms - a.ms);
}
