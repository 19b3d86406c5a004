/**
 * Tables of what each variant reaches: `deno task bench:report [family …] [--defaults] [--compare FILE] [--rounds N]`.
 *
 * Times are medians of rounds; a round is one submission of as many runs as take some 30 ms. The share is that of the tighter of two limits, which
 * are measured just before each family: the arithmetic peak (A) and the copy kernel's rate (C).
 */
import { parseArgs } from "@std/cli/parse-args";
import { median } from "../core/median.ts";
import config from "../deno.json" with { type: "json" };
import { withPrefix } from "../nn/term/units.ts";
import { casesOf, FAMILIES, type Family } from "./families.ts";
import {
  hasSaneTimestamps,
  measurePeaks,
  type Peaks,
} from "./limits/limits.ts";
import { fits, timedVariants } from "./register.ts";
import { type Bench, openBench, type Prepared } from "./support.ts";

/** One line of a table. */
interface Row {
  readonly family: Family;
  readonly name: string;
  readonly variant: string;
  /** Of one run. */
  readonly ms: number;
  readonly flops: number;
  readonly bytes: number;
  /** Part of the tighter limit, and which that is. */
  readonly share: number;
  readonly limit: "arithmetic" | "copy";
}

/** A kept run. */
interface Report {
  readonly date: string;
  readonly adapter: string;
  readonly clock: "gpu" | "wall";
  readonly versions: Readonly<Record<string, string>>;
  readonly peaks: Readonly<Partial<Record<Family, Peaks>>>;
  readonly rows: readonly Row[];
}

/** How long a round should take, and how many runs it has at most. */
const ROUND_MS = 30;
const MOST_RUNS = 256;

/** How far the arithmetic peak may move during a family before the figures are called doubtful. */
const DRIFT = 1.2;

const RESULTS = new URL("results/", import.meta.url);

/** Milliseconds of one run: the median of rounds. */
export async function time(
  work: Prepared,
  rounds: number,
  clock: Report["clock"],
): Promise<number> {
  work.run(1);
  const runs = Math.ceil(ROUND_MS / Math.max(work.run(1), 0.01));
  const times = Math.min(Math.max(runs, 1), MOST_RUNS);
  const measured: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const ms = clock === "gpu"
      ? await work.runOnGpuClock(times)
      : work.run(times);
    measured.push(ms / times);
  }
  return median(measured);
}

interface MeasureOptions {
  readonly rounds: number;
  readonly clock: Report["clock"];
  /** Whether to leave out all variants but the one that the library would take untuned. */
  readonly defaults: boolean;
}

async function measure(
  bench: Bench,
  family: Family,
  peaks: Peaks,
  { rounds, clock, defaults }: MeasureOptions,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const given of casesOf(family)) {
    if (!fits(given, bench.info)) continue;
    const { name, flops, bytes } = given;
    const least = {
      arithmetic: 1000 * flops / peaks.flops,
      copy: 1000 * bytes / peaks.bytes,
    };
    const limit = least.arithmetic > least.copy ? "arithmetic" : "copy";
    const variants = timedVariants(bench.variantsOf(given), given, bench.info);
    for (const variant of defaults ? variants.slice(0, 1) : variants) {
      const work = await bench.prepare(given, variant);
      const ms = await time(work, rounds, clock);
      work.destroy();
      const share = least[limit] / ms;
      rows.push({ family, name, variant, ms, flops, bytes, share, limit });
    }
  }
  return rows;
}

function table(rows: readonly Row[], before: Report | undefined): string {
  const head = ["work", "variant", "ms", "GFLOP/s", "GB/s", "share"];
  if (before) head.push("before, ms", "speed-up");
  const lines = rows.map((row) => {
    const cells = [
      row.name,
      row.variant,
      row.ms.toFixed(3),
      (row.flops / row.ms / 1e6).toFixed(2),
      (row.bytes / row.ms / 1e6).toFixed(2),
      `${(100 * row.share).toFixed(0)} % ${row.limit === "copy" ? "C" : "A"}`,
    ];
    if (before) {
      const old = before.rows.find((r) =>
        r.name === row.name && r.variant === row.variant
      );
      cells.push(
        old ? old.ms.toFixed(3) : "–",
        old ? `${(old.ms / row.ms).toFixed(2)}×` : "–",
      );
    }
    return cells;
  });
  return markdown(head, lines);
}

/** A table whose columns line up; numbers to the right. */
export function markdown(
  head: readonly string[],
  lines: readonly (readonly string[])[],
  textColumns = 2,
): string {
  const widths = head.map((title, c) =>
    Math.max(3, title.length, ...lines.map((cells) => cells[c].length))
  );
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, c) =>
      c < textColumns ? cell.padEnd(widths[c]) : cell.padStart(widths[c])
    );
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, c) =>
    c < textColumns ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(head), `| ${rule.join(" | ")} |`, ...lines.map(line)].join("\n");
}

async function keep(report: Report): Promise<string> {
  const adapter = report.adapter.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  const folder = new URL(`${adapter}/`, RESULTS);
  await Deno.mkdir(folder, { recursive: true });
  const name = `${report.date.slice(0, 19).replaceAll(":", "-")}.json`;
  const file = new URL(name, folder);
  await Deno.writeTextFile(file, JSON.stringify(report, null, 1));
  return file.pathname;
}

function familiesFrom(names: readonly (string | number)[]): Family[] {
  const unknown = names.find((name) => !FAMILIES.includes(name as Family));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot report on ${unknown}: the families are ${FAMILIES.join(", ")}`,
    );
  }
  return names.length > 0 ? names as Family[] : [...FAMILIES];
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["compare", "rounds"],
    boolean: ["defaults"],
  });
  const defaults = flags.defaults === true;
  const families = familiesFrom(flags._);
  const rounds = Number(flags.rounds ?? 7);
  const before: Report | undefined = typeof flags.compare === "string"
    ? JSON.parse(await Deno.readTextFile(flags.compare))
    : undefined;
  const bench = await openBench();
  const clock = await hasSaneTimestamps(bench) ? "gpu" : "wall";
  const versions = { tessera: config.version, ...Deno.version };
  console.log(
    `${bench.info.name}, Deno ${versions.deno}, ${rounds} rounds, ${clock} clock`,
  );
  const peaks: Partial<Record<Family, Peaks>> = {};
  const rows: Row[] = [];
  for (const family of families) {
    const limits = await measurePeaks(bench);
    peaks[family] = limits;
    const measured = await measure(bench, family, limits, {
      rounds,
      clock,
      defaults,
    });
    rows.push(...measured);
    const after = await measurePeaks(bench);
    const drift = Math.max(
      after.flops / limits.flops,
      limits.flops / after.flops,
    );
    if (drift > DRIFT) {
      console.log(
        `\nThe machine was busy: its arithmetic peak moved by a factor of ${
          drift.toFixed(2)
        } while ${family} was measured`,
      );
    }
    console.log(
      `\n### ${family}\n\nArithmetic peak ${
        withPrefix(limits.flops, "FLOP/s")
      }, copy ${withPrefix(limits.bytes, "B/s")}\n\n${table(measured, before)}`,
    );
  }
  const date = new Date().toISOString();
  const adapter = bench.info.name;
  const report = { date, adapter, clock, versions, peaks, rows } as const;
  console.log(`\nKept in ${await keep(report)}`);
}

if (import.meta.main) await main();
