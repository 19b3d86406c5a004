/**
 * `deno task test:mutation`: how many seeded faults in kernels and launch plans the tests of the kernel library catch.
 *
 *     deno task test:mutation [--seed 1] [--count 240] [--family pool,conv] [--jobs 2] [--json result.json]
 *     deno task test:mutation --retry result.json
 *
 * Each fault is made in a copy of the repository in a temporary folder, where the tests that should catch it run until one fails. Faults that don't
 * compile are replaced by others; those that `equivalent.json` explains are not counted. Exits 1 if less than 95 % of the rest are caught.
 * `--retry` tries those again that an earlier run missed, after the tests were made stricter or an entry was added, and prints the whole table.
 * README.md beside this file has the operators, how long it takes and the last result.
 */
import { parseArgs } from "@std/cli/parse-args";
import { ensureAdapter } from "../../repl/setup.ts";
import { listFiles, readText } from "../support/tree.ts";
import { choose, type Slot, type Target } from "./choice.ts";
import { changeOf, reasonFor, stale } from "./equivalent.ts";
import { type Fault, faultsIn, withFault } from "./faults.ts";
import { formatResult, type Outcome, shareCaught } from "./result.ts";
import {
  type Copy,
  copyTree,
  mapTests,
  removeCopy,
  runTest,
  type TestsOf,
} from "./trial.ts";

/** Least share of faults that must be caught. */
const ENOUGH = 0.95;
/** A test file may take this many seconds at least, and this many times what it takes without a fault. */
const LEAST_SECONDS = 30;
const TIMES = 4;

const flags = parseArgs(Deno.args, {
  string: ["seed", "count", "family", "jobs", "json", "retry"],
});
const seed = Number(flags.seed ?? 1);
const count = Number(flags.count ?? 240);
const jobs = Number(flags.jobs ?? 2);

/** The kernels and plans of some families, named with commas between them, or of all. */
async function targetsIn(names: string): Promise<Target[]> {
  const wanted = names.split(",").filter((name) => name !== "");
  const files = (await listFiles(".wgsl", ".ts")).filter((file) => {
    const [room, family, name] = file.split("/");
    return room === "wgsl" && name !== undefined &&
      (wanted.length === 0 || wanted.includes(family));
  });
  return await Promise.all(files.map(async (file) => ({
    file,
    family: file.split("/")[1],
    text: await readText(file),
  })));
}

/** Runs jobs, as many at once as there are copies. */
async function inParallel<Item>(
  items: readonly Item[],
  copies: readonly Copy[],
  job: (item: Item, copy: Copy) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(copies.map(async (copy) => {
    for (;;) {
      const item = queue.shift();
      if (item === undefined) return;
      await job(item, copy);
    }
  }));
}

/** How long a test file may run, from a run without a fault when it is first needed. */
class TimeLimits {
  readonly #seconds = new Map<string, Promise<number>>();

  /** Seconds that `test` may take. The copy must be without a fault. */
  of(test: string, copy: Copy): Promise<number> {
    const known = this.#seconds.get(test) ?? this.#measure(test, copy);
    this.#seconds.set(test, known);
    return known;
  }

  async #measure(test: string, copy: Copy): Promise<number> {
    const start = performance.now();
    const { verdict, output } = await runTest(copy, test, 600);
    if (verdict !== "passed") {
      throw new Error(
        `Cannot seed faults: ${test} fails without any\n${output}`,
      );
    }
    const seconds = (performance.now() - start) / 1000;
    return Math.max(LEAST_SECONDS, TIMES * seconds);
  }
}

/** Tries a fault on the tests in turn. Undefined if it doesn't compile. */
async function attempt(
  { file, text, family }: Target,
  fault: Fault,
  tests: readonly string[],
  limits: TimeLimits,
  copy: Copy,
): Promise<Outcome | undefined> {
  const path = `${copy.folder}/${file}`;
  const change = changeOf(text, fault);
  const found = { file, family, operator: fault.operator, ...change };
  const reason = reasonFor(file, change);
  if (reason !== undefined) return { ...found, kind: "equivalent", by: reason };
  for (const test of tests) {
    const most = await limits.of(test, copy);
    await Deno.writeTextFile(path, withFault(text, fault));
    const { verdict, output } = await runTest(copy, test, most);
    await Deno.writeTextFile(path, text);
    if (verdict === "invalid") return undefined;
    if (verdict !== "passed") {
      const name = output.match(/^(.*) \.\.\. FAILED/m)?.[1] ?? verdict;
      return { ...found, kind: "caught", by: `${test}: ${name}` };
    }
  }
  return { ...found, kind: "missed", by: "" };
}

/** Tests that caught something in a file come first the next time. */
function recall(
  testsOf: TestsOf,
  outcomes: readonly Outcome[],
  { file, family }: Target,
): string[] {
  const caught = outcomes.filter((o) => o.file === file && o.kind === "caught")
    .map(({ by }) => by.split(": ")[0]);
  const known = testsOf(file, family);
  return [...new Set([...caught.filter((t) => known.includes(t)), ...known])];
}

/** The faults that an earlier run missed, where the lines are still the same. */
function missedAgain(
  targets: readonly Target[],
  earlier: readonly Outcome[],
): Slot[] {
  const missed = earlier.filter(({ kind }) => kind === "missed");
  return missed.flatMap((outcome) => {
    const target = targets.find(({ file }) => file === outcome.file);
    if (!target) return [];
    const language = target.file.endsWith(".wgsl") ? "wgsl" : "ts";
    const away = (fault: Fault) =>
      Math.abs(changeOf(target.text, fault).line - outcome.line);
    // A line may stand there more than once: the nearest is meant.
    const same = faultsIn(target.text, language).filter((fault) => {
      const { was, becomes } = changeOf(target.text, fault);
      return was === outcome.was && becomes === outcome.becomes;
    }).sort((a, b) => away(a) - away(b));
    return same.slice(0, 1).map((fault) => ({
      target,
      faults: [fault].values(),
    }));
  });
}

async function run(): Promise<Outcome[]> {
  const targets = await targetsIn(String(flags.family ?? ""));
  const testsOf = await mapTests();
  const earlier: Outcome[] = flags.retry
    ? JSON.parse(await Deno.readTextFile(String(flags.retry)))
    : [];
  const slots = flags.retry
    ? missedAgain(targets, earlier)
    : choose(targets, count, seed);
  for (const line of await stale()) console.log(line);
  const copies = await Promise.all(Array.from({ length: jobs }, copyTree));
  Deno.addSignalListener("SIGINT", () => {
    Promise.all(copies.map(removeCopy)).then(() => Deno.exit(130));
  });
  const outcomes = earlier.filter(({ kind }) => kind !== "missed");
  try {
    const limits = new TimeLimits();
    await inParallel(slots, copies, async ({ target, faults }, copy) => {
      for (;;) {
        const next = faults.next();
        if (next.done) return;
        const tests = recall(testsOf, outcomes, target);
        const outcome = await attempt(target, next.value, tests, limits, copy);
        if (outcome === undefined) continue;
        outcomes.push(outcome);
        const { kind, file, line, was, becomes, by } = outcome;
        console.log(
          `${outcomes.length} ${kind} ${file}:${line} ${was} → ${becomes} ${by}`,
        );
        // An equivalent fault takes no place.
        if (outcome.kind !== "equivalent") return;
      }
    });
  } finally {
    await Promise.all(copies.map(removeCopy));
  }
  return outcomes;
}

const { adapter, reason } = await ensureAdapter();
if (adapter === null) throw new Error(`Cannot seed faults: ${reason}`);
const start = performance.now();
const outcomes = await run();
const minutes = (performance.now() - start) / 60_000;
console.log(formatResult(outcomes));
console.log(`seed ${seed}, ${minutes.toFixed(1)} minutes, ${adapter}`);
if (flags.json) {
  const text = JSON.stringify(outcomes, null, 2);
  await Deno.writeTextFile(String(flags.json), text);
}
Deno.exitCode = shareCaught(outcomes) >= ENOUGH ? 0 : 1;
