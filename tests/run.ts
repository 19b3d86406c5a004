/**
 * `deno task test`: sets the machine up, checks format, lint and types, runs all tests and the examples of all docs, runs the tests of kernels
 * again on other implementations of WebGPU, and ends with the line `N passed, N failed`. With `--implementations` it does the latter alone; with other
 * arguments it runs the tests of those files or folders only, without the checks:
 *
 *     deno task test tests/wgsl/matmul_test.ts
 *
 * A missing adapter, an ignored test and a run without a test are failures. Only tests of the terminal may be left out, where there is none to be
 * had, and other implementations, where they can't be had and the system isn't Debian; then a line before the last says so.
 */
import { ensureAdapter, ensureTmux } from "../repl/setup.ts";
import {
  environment,
  faultsOf,
  type Implementation,
  IMPLEMENTATIONS,
  leftOutLines,
  RUNS,
} from "./implementations/mod.ts";
import { ensureSwiftShader } from "./implementations/swiftshader.ts";
import { parseRecord } from "./support/record.ts";
import { NO_TERMINAL } from "./support/tmux.ts";
import { listFiles, readText } from "./support/tree.ts";
import { parseReport, slowestFiles, type TestCase } from "./support/report.ts";

const ROOT = new URL("..", import.meta.url);
const CHECKS = [["fmt", "--check"], ["lint"], ["check", "--doc", "."]];
const TEST = ["test", "--allow-all", "--doc"];
const CORES = 2;

/** The argument that runs the tests on other implementations alone. */
const ONLY_IMPLEMENTATIONS = "--implementations";

let passed = 0;
let failed = 0;
/** Tests that had no terminal to run in, and why. */
let withoutTerminal = 0;
let noTerminal = "tmux can't open one here";
/** Why no other implementation could be run, if none could. */
let withoutImplementations = "";

function heading(text: string): void {
  console.log(`\n== ${text}`);
}

function fail(message: string): void {
  failed++;
  console.log(`FAILED: ${message}`);
}

/** Runs this same deno in the repository, its output going straight to ours. */
async function deno(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Deno.CommandStatus> {
  return await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    // Files that run at once, and the threads of Mesa's software driver.
    env: {
      DENO_JOBS: `${CORES}`,
      LP_NUM_THREADS: Deno.env.get("LP_NUM_THREADS") ?? `${CORES}`,
      ...env,
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
async function runTests(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TestCase[]> {
  heading(`deno ${args.join(" ")}`);
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const status = await deno([...args, `--junit-path=${report}`], env);
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

/** Runs the tests of kernels, and LeNet, on another implementation, and checks that every kernel took part. */
async function runOn(
  { name, args }: Implementation,
  manifest: string,
): Promise<TestCase[]> {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    const cases: TestCase[] = [];
    for (const what of RUNS) {
      heading(name);
      cases.push(
        ...await runTests(
          ["test", "--allow-all", "--no-check", ...args, ...what],
          environment(manifest, path),
        ),
      );
    }
    const files = new Map<string, string>();
    for (const file of await listFiles(".wgsl")) {
      if (file.startsWith("wgsl/")) files.set(file, await readText(file));
    }
    const entries = parseRecord(await Deno.readTextFile(path));
    const faults = faultsOf(entries, files);
    for (const fault of faults) fail(`${name} ${fault}`);
    if (faults.length === 0) passed++;
    console.log(`${name}: left out`);
    for (const line of leftOutLines(entries)) console.log(`  ${line}`);
    return cases.map((one) => ({ ...one, file: `${one.file} (${name})` }));
  } finally {
    await Deno.remove(path);
  }
}

async function runImplementations(): Promise<TestCase[]> {
  const { manifest, reason, required } = await ensureSwiftShader();
  if (manifest === undefined) {
    if (required) fail(reason);
    else withoutImplementations = reason;
    return [];
  }
  const cases: TestCase[] = [];
  for (const one of IMPLEMENTATIONS) cases.push(...await runOn(one, manifest));
  return cases;
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
  noTerminal = await ensureTmux() || noTerminal;
  const all = paths.length === 0;
  const only = paths[0] === ONLY_IMPLEMENTATIONS;
  if (all) await runChecks();
  const cases: TestCase[] = [];
  if (!only) {
    // Types were checked just now, and a type error must not keep the tests from running.
    cases.push(
      ...await runTests([
        ...TEST,
        ...(all ? ["--no-check", "--parallel", "."] : paths),
      ]),
    );
  }
  if (all || only) cases.push(...await runImplementations());
  heading(`${((performance.now() - start) / 1000).toFixed(1)} s in all`);
  for (const { file, seconds } of slowestFiles(cases, 5)) {
    console.log(`${seconds.toFixed(1).padStart(8)} s  ${file}`);
  }
}

await run(Deno.args);
if (withoutTerminal > 0) {
  console.log(
    `${withoutTerminal} tests of the terminal did not run: ${noTerminal}`,
  );
}
if (withoutImplementations) {
  console.log(
    `Kernels did not run on other implementations of WebGPU: ${withoutImplementations}`,
  );
}
console.log(`${passed} passed, ${failed} failed`);
Deno.exitCode = failed > 0 || passed === 0 ? 1 : 0;
