/**
 * `deno task test`: sets the machine up, checks format, lint and types, runs all tests and the examples of all docs, and ends with the
 * line `N passed, N failed`. With arguments it runs the tests of those files or folders only, without the checks:
 *
 *     deno task test tests/wgsl/matmul_test.ts
 *
 * A missing adapter, an ignored test and a run without a test are failures. Only tests of the terminal may be left out, where there is none to be
 * had; then a line before the last says how many.
 */
import { ensureAdapter } from "../repl/setup.ts";
import { NO_TERMINAL } from "./support/terminal.ts";
import { parseReport, slowestFiles, type TestCase } from "./support/report.ts";

const ROOT = new URL("..", import.meta.url);
const CHECKS = [["fmt", "--check"], ["lint"], ["check", "--doc", "."]];
const TEST = ["test", "--allow-all", "--doc"];
const CORES = 2;

let passed = 0;
let failed = 0;
/** Tests that had no terminal to run in. */
let withoutTerminal = 0;

function heading(text: string): void {
  console.log(`\n== ${text}`);
}

function fail(message: string): void {
  failed++;
  console.log(`FAILED: ${message}`);
}

/** Runs this same deno in the repository, its output going straight to ours. */
async function deno(args: readonly string[]): Promise<Deno.CommandStatus> {
  return await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    // Files that run at once, and the threads of Mesa's software driver.
    env: {
      DENO_JOBS: `${CORES}`,
      LP_NUM_THREADS: Deno.env.get("LP_NUM_THREADS") ?? `${CORES}`,
    },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
}

async function runChecks(): Promise<void> {
  for (const args of CHECKS) {
    heading(`deno ${args.join(" ")}`);
    if ((await deno(args)).success) passed++;
    else fail(`deno ${args.join(" ")}`);
  }
}

/** Runs tests and doc examples. Returns what ran. */
async function runTests(args: readonly string[]): Promise<TestCase[]> {
  heading(`deno ${args.join(" ")}`);
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const status = await deno([...args, `--junit-path=${report}`]);
    const cases = parseReport(await Deno.readTextFile(report));
    for (const { outcome, name, file } of cases) {
      if (outcome === "passed") passed++;
      else if (outcome === "failed") failed++;
      else if (name.endsWith(NO_TERMINAL)) withoutTerminal++;
      else fail(`${name} (${file}) is ignored, and a test must run`);
    }
    const bad = cases.some(({ outcome }) => outcome === "failed");
    if (cases.length > 0 && !bad && status.signal === "SIGABRT") {
      // Mesa's threads sometimes end the process with "double free or corruption" while it exits. The report is written before that, and whole.
      console.log("The driver aborted at exit, after all tests had passed");
    } else if (!status.success && !bad) {
      fail("deno test, outside of any test (above)");
    } else if (cases.length === 0) {
      fail("no test ran");
    }
    return cases;
  } finally {
    await Deno.remove(report);
  }
}

/** The run, without its last line. */
async function run(paths: readonly string[]): Promise<void> {
  const start = performance.now();
  const { adapter, reason } = await ensureAdapter();
  if (adapter === null) {
    fail(`no WebGPU adapter to test on: ${reason}`);
    return;
  }
  console.log(`Testing on ${adapter}`);
  const all = paths.length === 0;
  if (all) await runChecks();
  // Types were checked just now, and a type error must not keep the tests from running.
  const cases = await runTests([
    ...TEST,
    ...(all ? ["--no-check", "--parallel", "."] : paths),
  ]);
  heading(`${((performance.now() - start) / 1000).toFixed(1)} s in all`);
  for (const { file, seconds } of slowestFiles(cases, 5)) {
    console.log(`${seconds.toFixed(1).padStart(8)} s  ${file}`);
  }
}

await run(Deno.args);
if (withoutTerminal > 0) {
  console.log(
    `${withoutTerminal} tests of the terminal did not run: util-linux's script can't open one here`,
  );
}
console.log(`${passed} passed, ${failed} failed`);
Deno.exitCode = failed > 0 || passed === 0 ? 1 : 0;
