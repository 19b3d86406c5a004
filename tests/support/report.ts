/** What `deno test --junit-path` wrote, read for the runner. */

/** One test or step of a test. `seconds` of a test includes its steps. */
export interface TestCase {
  readonly file: string;
  readonly name: string;
  readonly seconds: number;
  readonly outcome: "passed" | "failed" | "ignored";
  readonly step: boolean;
}

/** Seconds that a file's tests took. */
export interface FileTime {
  readonly file: string;
  readonly seconds: number;
}

const CASE =
  /<testcase name="([^"]*)" classname="([^"]*)" time="([\d.]+)"[^>]*>([\s\S]*?)<\/testcase>/g;

/** The tests and steps of a JUnit report, in order. */
export function parseReport(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  let parent: TestCase | undefined;
  for (const [, name, place, time, body] of xml.matchAll(CASE)) {
    // An example in a doc comment is reported as `./file.ts#from-to.ts`.
    const file = unescape(place).replace(/^\.\//, "").replace(
      /#\d+-\d+\.\w+$/,
      "",
    );
    const step = parent?.file === file &&
      unescape(name).startsWith(`${parent.name} > `);
    const testCase: TestCase = {
      file,
      name: unescape(name),
      seconds: Number(time),
      outcome: /<(failure|error)\b/.test(body)
        ? "failed"
        : body.includes("<skipped")
        ? "ignored"
        : "passed",
      step,
    };
    if (!step) parent = testCase;
    cases.push(testCase);
  }
  return cases;
}

/** The files whose tests took longest, slowest first. */
export function slowestFiles(
  cases: readonly TestCase[],
  count: number,
): FileTime[] {
  const seconds = new Map<string, number>();
  for (const { file, step, seconds: time } of cases) {
    if (!step) seconds.set(file, (seconds.get(file) ?? 0) + time);
  }
  return [...seconds]
    .map(([file, seconds]) => ({ file, seconds }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, count);
}

function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll(
      "&apos;",
      "'",
    )
    .replaceAll("&amp;", "&");
}
