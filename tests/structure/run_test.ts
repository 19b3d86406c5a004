import { assert, assertEquals } from "@std/assert";
import { parseReport, slowestFiles } from "../support/report.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="2" errors="0" time="0.719">
    <testsuite name="./tests/a_test.ts" tests="5" disabled="1" errors="0" failures="2">
        <testcase name="a &lt; b &amp;&amp; &quot;c&quot; &gt; d" classname="./tests/a_test.ts" time="0.250" line="1" col="6">
        </testcase>
        <testcase name="parent" classname="./tests/a_test.ts" time="1.500" line="2" col="6">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="parent &gt; child" classname="./tests/a_test.ts" time="1.000" line="3" col="6">
            <failure message="Uncaught Error: x">Error: x
    at file:///a_test.ts:4:98</failure>
        </testcase>
        <testcase name="left out" classname="./tests/a_test.ts" time="0.000" line="4" col="6">
            <skipped/>
        </testcase>
    </testsuite>
    <testsuite name="./core/tensor.ts#3-7.ts" tests="1" disabled="0" errors="0" failures="0">
        <testcase name="file:///core/tensor.ts#3-7.ts" classname="./core/tensor.ts#3-7.ts" time="2.000" line="2" col="6">
        </testcase>
    </testsuite>
</testsuites>
`;

Deno.test("a report gives each test and step with its file, outcome and time", () => {
  assertEquals(
    parseReport(REPORT).map(({ file, name, seconds, outcome, step }) =>
      `${file} | ${name} | ${seconds} | ${outcome}${step ? " | step" : ""}`
    ),
    [
      'tests/a_test.ts | a < b && "c" > d | 0.25 | passed',
      "tests/a_test.ts | parent | 1.5 | failed",
      "tests/a_test.ts | parent > child | 1 | failed | step",
      "tests/a_test.ts | left out | 0 | ignored",
      "core/tensor.ts | file:///core/tensor.ts#3-7.ts | 2 | passed",
    ],
  );
});

Deno.test("the slowest files come first, and a step's time counts once", () => {
  const cases = parseReport(REPORT);
  assertEquals(slowestFiles(cases, 5), [
    { file: "core/tensor.ts", seconds: 2 },
    { file: "tests/a_test.ts", seconds: 1.75 },
  ]);
  assertEquals(slowestFiles(cases, 1).length, 1);
});

/** Runs the runner on one made-up file. */
async function runOn(
  source: string,
  env: Record<string, string> = {},
): Promise<{ code: number; lines: string[] }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/made_up_test.ts`, source);
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "tests/run.ts", `${folder}/made_up_test.ts`],
      cwd: new URL("../..", import.meta.url),
      env: { NO_COLOR: "1", ...env },
      stderr: "null",
    }).output();
    return { code, lines: new TextDecoder().decode(stdout).split("\n") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Asserts the exit code, the last line, and that a line tells the reason. */
function assertRun(
  { code, lines }: { code: number; lines: string[] },
  wantCode: number,
  last: string,
  reason?: string,
): void {
  const all = lines.join("\n");
  assertEquals(lines.slice(-2), [last, ""], all);
  assertEquals(code, wantCode, all);
  if (reason) assert(lines.some((line) => line.startsWith(reason)), all);
}

Deno.test("a run whose tests pass ends with its counts and exit code 0", async () => {
  const run = await runOn(`Deno.test("a", () => {});
    Deno.test("b", () => {});`);
  assertRun(run, 0, "2 passed, 0 failed", "Testing on ");
});

Deno.test("a run with a failing and an ignored test fails for both", async () => {
  const run = await runOn(`Deno.test("a", () => {});
    Deno.test("b", () => { throw new Error("no"); });
    Deno.test({ name: "c", ignore: true, fn() {} });`);
  assertRun(run, 1, "1 passed, 2 failed", "FAILED: c (");
});

Deno.test("a run fails for an error outside of any test", async () => {
  assertRun(
    await runOn(`Deno.test("a", () => {});
    throw new Error("at load");`),
    1,
    "0 passed, 1 failed",
    "FAILED: deno test, outside of any test (above)",
  );
});

Deno.test("a run that aborts before its report is written fails", async () => {
  const run = await runOn(`Deno.test("a", () => {});
    Deno.test("b", () => Deno.kill(Deno.pid, "SIGABRT"));`);
  assertRun(run, 1, "0 passed, 1 failed");
});

Deno.test("a run in which no test ran fails", async () => {
  assertRun(
    await runOn(""),
    1,
    "0 passed, 1 failed",
    "FAILED: no test ran",
  );
});

Deno.test("a run without an adapter fails and gives the reason", async () => {
  assertRun(
    await runOn(`Deno.test("a", () => {});`, { DENO_WEBGPU_BACKEND: "noop" }),
    1,
    "0 passed, 1 failed",
    "FAILED: no WebGPU adapter to test on: DENO_WEBGPU_BACKEND is noop, which offers none here",
  );
});
