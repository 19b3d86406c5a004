/** `.explain`: which variant of each op runs and why, what it launches, how near to the adapter's limits it comes, and how long the others take. */
import type { Peaks } from "../../core/gpu/peaks.ts";
import { peaksOf } from "../../core/gpu/peaks.ts";
import type { Call } from "../../core/gpu/plans.ts";
import { measureVariants, type Workbench } from "../../core/gpu/tuner.ts";
import {
  type AdapterClass,
  candidatesOf,
  type Reason,
} from "../../core/gpu/tuning.ts";
import { checkInterrupt, currentGpu } from "../../core/runtime.ts";
import { Report } from "../../nn/term/drawing.ts";
import { type Column, tableRows } from "../../nn/term/table.ts";
import { humanBytes, humanTime, withPrefix } from "../../nn/term/units.ts";
import { LimitError } from "../../wgsl/errors.ts";
import type { Shape, Variant, View } from "../../wgsl/op.ts";
import { LaunchError } from "../../core/errors.ts";
import { formatShape } from "../../wgsl/shape.ts";
import { type Body, breathe, checkBody, run } from "./body.ts";
import { type CallLaunches, callsOf, launchesOf } from "./launches.ts";
import { shortLabel, timeWork } from "./work.ts";

/** One launch of an op. */
export interface ExplainedLaunch {
  /** The kernel's file, such as "matmul/tile.wgsl". */
  readonly kernel: string;
  /** The file that runs in its place, where it was swapped. */
  readonly swappedFor: string | undefined;
  /** Its tile and other constants: overrides and constants that are appended to it. */
  readonly constants: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
  readonly flops: number;
  readonly bytes: number;
}

/** An op on inputs of some shapes. */
export interface ExplainedOp {
  readonly op: string;
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
  readonly calls: number;
  /** The variant that ran. */
  readonly variant: string;
  /** Why it did. `"compiled"`: a prepared sequence runs what was chosen when it was made. `"reference"`: on the CPU device. */
  readonly reason: Reason | "compiled" | "reference";
  readonly launches: readonly ExplainedLaunch[];
  /** Of one call. */
  readonly flops: number;
  readonly bytes: number;
  readonly ms: number;
  /** Part of the tighter limit, from 0 to 1, and which that is. NaN on the CPU device. */
  readonly share: number;
  readonly limit: "arithmetic" | "copy";
  /** Milliseconds of one call by the other variants that apply, fastest first. */
  readonly others: readonly (readonly [variant: string, ms: number])[];
  /** Variants that apply but weren't timed, with the reason. */
  readonly untimed: readonly (readonly [variant: string, why: string])[];
}

const HEADS: readonly Column[] = [
  { head: "  kernel", cut: true },
  { head: "workgroups", align: "right" },
  { head: "flops", align: "right" },
  { head: "bytes", align: "right" },
];

/** What was found out of one run's ops, those that take most of the time first. */
export class Explanation extends Report {
  constructor(
    readonly ops: readonly ExplainedOp[],
    /** The adapter's limits. Undefined on the CPU device. */
    readonly peaks: Peaks | undefined,
    readonly adapter: AdapterClass | "cpu",
  ) {
    super();
  }

  override rows(columns?: number): string[] {
    const { ops, peaks, adapter } = this;
    if (ops.length === 0) return ["Nothing was launched"];
    const rows = ops.flatMap((op) => [
      ...opRows(op, peaks, adapter, columns),
      ...(peaks ? [""] : []),
    ]);
    const limits = peaks
      ? `Measured limits: ${withPrefix(peaks.flops, "FLOP/s")}, ${
        withPrefix(peaks.bytes, "B/s")
      }. Times are of one call on made-up values.`
      : "The CPU device has no kernels to choose from: each op runs its float64 reference.";
    return [...rows, limits];
  }
}

function opRows(
  given: ExplainedOp,
  peaks: Peaks | undefined,
  adapter: AdapterClass | "cpu",
  columns: number | undefined,
): string[] {
  const { op, inputs, outputs, calls, variant, launches, ms } = given;
  const times = calls === 1 ? "1 call" : `${calls} calls`;
  if (!peaks) return [`${op}, ${times}: ${humanTime(ms)} each`];
  const shapes = [
    inputs.map(formatShape).join(", "),
    outputs.map(formatShape).join(", "),
  ].filter(Boolean).join(" → ");
  const [heads, , ...lines] = tableRows(
    HEADS,
    launches.map((launch) => [
      `  ${launch.kernel}${
        launch.swappedFor ? ` (swapped for ${launch.swappedFor})` : ""
      }`,
      launch.workgroups.join(" × "),
      launch.flops > 0 ? withPrefix(launch.flops, "FLOP") : "--",
      humanBytes(launch.bytes),
    ]),
    { columns },
  );
  const table = lines.flatMap((line, i) => [
    line,
    ...constantRows(launches[i].constants, columns),
  ]);
  return [
    `${op} ${shapes}, ${times}`,
    `  ${variant}: ${describeReason(given, adapter)}`,
    heads,
    ...table,
    `  ${humanTime(ms)}${describeRates(given, peaks)}`,
    ...describeOthers(given),
  ];
}

/** Constants beneath their kernel, as many a row as fit. */
function constantRows(
  constants: Readonly<Record<string, number>>,
  columns = Infinity,
): string[] {
  const indent = "    ";
  const rows: string[] = [];
  let row = "";
  for (const [name, value] of Object.entries(constants)) {
    const text = `${name} ${value}`;
    if (row !== "" && indent.length + row.length + 2 + text.length > columns) {
      rows.push(`${indent}${row}`);
      row = text;
    } else row = row === "" ? text : `${row}, ${text}`;
  }
  return row === "" ? rows : [...rows, `${indent}${row}`];
}

function describeReason(
  { reason, others, untimed }: ExplainedOp,
  adapter: AdapterClass | "cpu",
): string {
  const count = others.length + untimed.length + 1;
  switch (reason) {
    case "only":
      return "the only variant that applies";
    case "measured":
      return `measured fastest of ${count} for this shape class`;
    case "preferred":
      return `preferred on ${adapter} adapters to the others of ${count} that apply`;
    case "first":
      return `first of the op's ${count} that apply`;
    case "compiled":
      return "chosen when the plan was compiled";
    case "reference":
      return "the op's float64 reference";
  }
}

function describeRates(
  { flops, bytes, ms, share, limit }: ExplainedOp,
  peaks: Peaks,
): string {
  const rates = [
    ...(flops > 0 ? [withPrefix(1000 * flops / ms, "FLOP/s")] : []),
    ...(bytes > 0 ? [withPrefix(1000 * bytes / ms, "B/s")] : []),
  ];
  if (rates.length === 0) return "";
  const [what, most] = limit === "arithmetic"
    ? ["arithmetic peak", withPrefix(peaks.flops, "FLOP/s")]
    : ["copy rate", withPrefix(peaks.bytes, "B/s")];
  return `, ${rates.join(", ")}: ${
    (100 * share).toFixed(0)
  } % of the ${what} (${most})`;
}

function describeOthers({ ms, others, untimed }: ExplainedOp): string[] {
  const timed = others.map(([name, other]) =>
    `${name} ${humanTime(other)} (${(other / ms).toFixed(1)} ×)`
  );
  return [
    ...(timed.length > 0 ? [`  Others: ${timed.join(", ")}`] : []),
    ...Array.from(
      Map.groupBy(untimed, ([, why]) => why),
      ([why, names]) =>
        `  Not timed: ${names.map(([name]) => name).join(", ")} (${why})`,
    ),
  ];
}

/** Milliseconds that a variant may be expected to take to be timed. */
const PATIENCE_MS = 1000;

/** What a naive kernel reaches of the arithmetic peak, to judge whether to wait for it. */
const NAIVE_SHARE = 1 / 100;

/** Options of {@linkcode explain}. */
export interface ExplainOptions {
  /** Milliseconds that timing the other variants may take in all, the heaviest ops first. @default 10000 */
  readonly budget?: number;
}

/** Explains the ops that `body` runs. It runs once; then each variant is timed on made-up values. */
export async function explain(
  body: Body,
  { budget = 10_000 }: ExplainOptions = {},
): Promise<Explanation> {
  checkBody(body, "explain");
  const gpu = currentGpu();
  if (!gpu) return await explainCpu(body);
  const { workbench } = gpu;
  const calls = callsOf(await launchesOf(gpu, body));
  const peaks = await peaksOf(workbench);
  const groups = new Map<string, { launches: CallLaunches; calls: number }>();
  for (const launches of calls) {
    const key = keyOf(launches);
    const known = groups.get(key);
    groups.set(key, { launches, calls: (known?.calls ?? 0) + 1 });
  }
  const timed: { op: ExplainedOp; launches: CallLaunches }[] = [];
  for (const { launches, calls } of groups.values()) {
    await breathe();
    const op = await explainCall(workbench, launches, calls, peaks);
    timed.push({ op, launches });
  }
  timed.sort(({ op: a }, { op: b }) => b.calls * b.ms - a.calls * a.ms);
  const end = performance.now() + budget;
  const ops: ExplainedOp[] = [];
  for (const { op, launches } of timed) {
    await breathe();
    ops.push(await addOthers(workbench, op, launches, peaks, end));
  }
  return new Explanation(ops, peaks, workbench.tuning.adapter);
}

/** Calls that run the same. */
function keyOf(launches: CallLaunches): string {
  const [{ call: { op, inputs, outputs }, variant }] = launches;
  const views = [...inputs, ...outputs].map(({ dtype, shape, strides }) =>
    `${dtype}${shape}/${strides}`
  );
  const kernels = launches.map(({ launch: { kernel, constants } }) =>
    `${kernel.label}${JSON.stringify(constants)}`
  );
  return [op.name, variant, ...views, ...kernels].join(" ");
}

/** What there is to say of the variant that ran. */
async function explainCall(
  bench: Workbench,
  launches: CallLaunches,
  calls: number,
  peaks: Peaks,
): Promise<ExplainedOp> {
  const [{ call, variant }] = launches;
  const { op } = call;
  const decision = bench.tuning.decide(op, bench.plans.requestOf(call));
  const own = op.variants.filter(({ name }) => name === variant);
  const [[, ms]] = await measureVariants(bench, call, own, checkInterrupt);
  const flops = launches.reduce((sum, { launch }) => sum + launch.flops, 0);
  const bytes = launches.reduce((sum, { launch }) => sum + launch.bytes, 0);
  const least = {
    arithmetic: 1000 * flops / peaks.flops,
    copy: 1000 * bytes / peaks.bytes,
  };
  const limit = least.arithmetic > least.copy ? "arithmetic" : "copy";
  return {
    op: op.name,
    inputs: call.inputs.map(shapeOf),
    outputs: call.outputs.map(shapeOf),
    calls,
    variant,
    reason: decision?.variant.name === variant ? decision.reason : "compiled",
    launches: launches.map(({ launch, pipeline: { swap } }) => ({
      kernel: shortLabel(launch.kernel.label),
      swappedFor: swap?.file,
      constants: { ...launch.constants, ...constantsIn(launch.declarations) },
      workgroups: launch.workgroups,
      flops: launch.flops,
      bytes: launch.bytes,
    })),
    flops,
    bytes,
    ms,
    share: least[limit] / ms,
    limit,
    others: [],
    untimed: [],
  };
}

/** Times the other variants, side by side with the one that ran, as long as there is time. */
async function addOthers(
  bench: Workbench,
  explained: ExplainedOp,
  [{ call, variant }]: CallLaunches,
  peaks: Peaks,
  end: number,
): Promise<ExplainedOp> {
  const candidates = candidatesOf(call.op, bench.plans.requestOf(call));
  const untimed: [string, string][] = [];
  const late = performance.now() > end;
  const timed = candidates.filter((candidate) => {
    if (candidate.name === variant) return true;
    const why = late
      ? "the budget of this explanation was used up"
      : whyUntimed(bench, call, candidate, peaks);
    if (why) untimed.push([candidate.name, why]);
    return why === undefined;
  });
  if (timed.length < 2) return { ...explained, untimed };
  const times = await measureVariants(bench, call, timed, checkInterrupt);
  const ms = times.find(([name]) => name === variant)?.[1] ?? explained.ms;
  return {
    ...explained,
    ms,
    share: explained.share * explained.ms / ms,
    others: times.filter(([name]) => name !== variant),
    untimed,
  };
}

function shapeOf({ shape }: View): Shape {
  return shape;
}

/** Why a variant isn't timed, if so. */
function whyUntimed(
  bench: Workbench,
  call: Call<unknown>,
  candidate: Variant<unknown>,
  peaks: Peaks,
): string | undefined {
  try {
    const { launches } = bench.plans.prepare(call, candidate);
    const flops = launches.reduce((sum, { launch }) => sum + launch.flops, 0);
    const ms = 1000 * flops / (NAIVE_SHARE * peaks.flops);
    return candidate.name === "naive" && ms > PATIENCE_MS
      ? `about ${humanTime(ms)} a call`
      : undefined;
  } catch (error) {
    const refused = error instanceof LaunchError || error instanceof LimitError;
    if (!refused) throw error;
    return error.message;
  }
}

/** The whole numbers among declarations: `const ROWS = 4u;`. */
function constantsIn(declarations = ""): Record<string, number> {
  const found = declarations.matchAll(
    /\bconst (\w+)(?:: \w+)? = (-?\d+)[ui]?;/g,
  );
  return Object.fromEntries(
    Array.from(found, ([, name, value]) => [name, Number(value)]),
  );
}

/** On the CPU: the ops with their times. */
async function explainCpu(body: Body): Promise<Explanation> {
  const { work } = await timeWork(() => run(body), () => undefined);
  const ops = new Map<string, { calls: number; ms: number }>();
  for (const { op, ms } of work) {
    const { calls = 0, ms: before = 0 } = ops.get(op) ?? {};
    ops.set(op, { calls: calls + 1, ms: before + ms });
  }
  const explained = Array.from(ops, ([op, { calls, ms }]): ExplainedOp => ({
    op,
    inputs: [],
    outputs: [],
    calls,
    variant: "reference",
    reason: "reference",
    launches: [],
    flops: NaN,
    bytes: NaN,
    ms: ms / calls,
    share: NaN,
    limit: "arithmetic",
    others: [],
    untimed: [],
  }));
  explained.sort((a, b) => b.calls * b.ms - a.calls * a.ms);
  return new Explanation(explained, undefined, "cpu");
}
