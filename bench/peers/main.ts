/**
 * The same work for this library and others, in one run on one adapter:
 * `deno task bench:peers [--rows ID,…] [--only TEXT] [--rounds N] [--cpu] [--libraries NAME,…] [--limit SECONDS] [--write]`.
 *
 * Each result is compared with ours before anything is timed. A round is several runs and one wait for the device; rounds alternate between the
 * libraries, so that what else the machine does falls on all of them. Each library is a process of its own for each row. Libraries on the CPU come
 * after all that is timed on the GPU, since their threads would be in its way.
 */
import { parseArgs } from "@std/cli/parse-args";
import { withPrefix } from "../../nn/term/units.ts";
import { replaceSection } from "../section.ts";
import { Contest, type Note, peakOf } from "./contest.ts";
import { detailTable, networkTable, noteList, type Row } from "./tables.ts";
import { ON_CPU, ON_GPU } from "./process.ts";
import { WORK, type Work } from "./work.ts";

const README = new URL("../README.md", import.meta.url);

/** Whole networks have tables of their own. */
function isNetwork({ kind }: Work): boolean {
  return kind === "network" || kind === "training";
}

/** Rows that were asked for: "kernels" and "networks" are all of a kind. */
function chosen(ids: string | undefined, only: string): Work[] {
  const wanted = ids?.split(",");
  const groups = ["kernels", "networks"];
  const unknown = wanted?.find((id) =>
    !groups.includes(id) && !WORK.some((work) => work.id === id)
  );
  if (unknown !== undefined) {
    const all = [...groups, ...WORK.map(({ id }) => id)];
    throw new RangeError(
      `Cannot choose the row ${unknown}: rows are ${all.join(", ")}`,
    );
  }
  return WORK.filter((work) =>
    work.name.includes(only) &&
    (!wanted || wanted.includes(work.id) ||
      wanted.includes(isNetwork(work) ? "networks" : "kernels"))
  );
}

/** Libraries that were asked for besides ours; undefined for all of them. */
function librariesFrom(
  names: string | undefined,
): Row["library"][] | undefined {
  const all = [...ON_GPU, ...ON_CPU, "torch"] as const;
  return names?.split(",").map((name) => {
    const library = all.find((one) => one === name);
    if (library) return library;
    throw new RangeError(
      `Cannot run the library ${name}: libraries are ${all.join(", ")}`,
    );
  });
}

/** A part of bench/README.md. */
interface Section {
  readonly name: string;
  /** What must have been measured for it. */
  readonly complete: boolean;
  readonly text: string;
}

function sectionsOf(
  rows: readonly Row[],
  notes: readonly Note[],
  peak: number,
  cpu: boolean,
): Section[] {
  const onCpu = ({ library }: Row) =>
    library.endsWith("wasm") || library === "torch";
  const measured = new Set(rows.map(({ work }) => work));
  const has = (networks: boolean) =>
    WORK.every((work) => isNetwork(work) !== networks || measured.has(work));
  const kernels = rows.filter(({ work }) => !isNetwork(work));
  const networks = rows.filter(({ work }) => isNetwork(work));
  const sections: Section[] = [];
  if (kernels.length > 0) {
    const text = detailTable(kernels.filter((row) => !onCpu(row)));
    sections.push({ name: "peers: ops", complete: has(false), text });
  }
  if (kernels.length > 0 && cpu) {
    const kept = kernels.filter((row) =>
      onCpu(row) || row.library === "tessera"
    );
    const text = detailTable(kept);
    sections.push({ name: "peers: ops, CPU", complete: has(false), text });
  }
  if (networks.length > 0) {
    const text = [
      networkTable(networks, peak),
      `The arithmetic peak was ${withPrefix(peak, "FLOP/s")} in the same run.`,
      detailTable(networks),
      noteList(notes.filter(({ work }) => isNetwork(work))),
    ].filter((part) => part !== "").join("\n\n");
    const complete = has(true) && cpu;
    sections.push({ name: "peers: networks", complete, text });
  }
  return sections;
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["rounds", "only", "rows", "limit", "libraries"],
    boolean: ["cpu", "write"],
  });
  const start = performance.now();
  const work = chosen(
    flags.rows as string | undefined,
    String(flags.only ?? ""),
  );
  const rounds = Number(flags.rounds ?? 9);
  const limit = Number(flags.limit ?? 300);
  const libraries = librariesFrom(flags.libraries as string | undefined);
  using contest = new Contest({
    rounds,
    limit,
    ...libraries && { libraries },
  });
  const peaks: number[] = [];
  for (const one of work) {
    peaks.push(await peakOf());
    await contest.onGpu(one);
  }
  peaks.push(await peakOf());
  // One after the other, as they would be in each other's way.
  if (flags.cpu) { for (const one of work) await contest.onCpu(one); }
  const { rows, notes } = contest;
  const place = ({ work: one }: Row) => work.indexOf(one);
  const sorted = rows.toSorted((a, b) => place(a) - place(b));
  // The peak is what nothing exceeds: the best that was seen.
  const sections = sectionsOf(
    sorted,
    notes,
    Math.max(...peaks),
    flags.cpu === true,
  );
  for (const { name, complete, text } of sections) {
    console.log(`\n${text}`);
    if (!flags.write) continue;
    if (complete && !libraries) await replaceSection(README, name, text);
    else {
      console.log(
        `\nNot written: "${name}" needs all of its rows and libraries and, for networks, --cpu`,
      );
    }
  }
  const minutes = (performance.now() - start) / 60_000;
  console.error(`${rounds} rounds, ${minutes.toFixed(1)} minutes`);
}

await main();
