import { assertEquals } from "@std/assert";
import { listFiles, readText } from "../support/tree.ts";

const MAX_LINES = 400;
const MAX_COLUMNS = 80;

/** What no source file may contain, and why. The brackets keep this file from matching itself. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/\b(TO[D]O|FIX[M]E|XX[X])\b/, "unfinished work"],
  [/\bDeno\.test\.(ignore|only|skip)\b/, "a test that is left out"],
  [/deno-lint-ignore(?!.* -- )/, "a lint rule switched off without a reason"],
  [/^export[ ]default\b/, "a default export"],
];

/** The lines for which `rule` gives a complaint, as `file:line: complaint`. */
async function complaints(
  files: readonly string[],
  rule: (line: string, number: number) => string | undefined,
): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    (await readText(file)).split("\n").forEach((line, i) => {
      const complaint = rule(line, i + 1);
      if (complaint) found.push(`${file}:${i + 1}: ${complaint}`);
    });
  }
  return found;
}

/** What is wrong with a line of WGSL. */
function judgeKernelLine(line: string, number: number): string | undefined {
  if (number === 1 && !line.startsWith("//")) return "no header comment";
  if (line.includes("\t")) return "a tab";
  if (line !== line.trimEnd()) return "a space at the end";
  const columns = [...line].length;
  if (columns > MAX_COLUMNS) return `${columns} columns`;
  const indent = line.length - line.trimStart().length;
  if (indent % 2 !== 0) return `an indentation of ${indent}`;
  return undefined;
}

Deno.test(`no source file has more than ${MAX_LINES} lines`, async () => {
  const long: string[] = [];
  for (const file of await listFiles(".ts", ".wgsl")) {
    const lines = (await readText(file)).trimEnd().split("\n").length;
    if (lines > MAX_LINES) long.push(`${file}: ${lines} lines`);
  }
  assertEquals(long, []);
});

Deno.test("source files hold no unfinished work, no test left out, no default export, no unexplained lint exception", async () => {
  const found = await complaints(
    await listFiles(".ts", ".wgsl"),
    (line) => FORBIDDEN.find(([pattern]) => pattern.test(line))?.[1],
  );
  assertEquals(found, []);
});

Deno.test("kernel files start with a comment, are indented by two spaces and keep to 80 columns", async () => {
  assertEquals(await complaints(await listFiles(".wgsl"), judgeKernelLine), []);
});

Deno.test("the guard of kernel files sees each fault", () => {
  const faults = [
    ["let x = 1;", 1],
    ["  a\t= b;", 2],
    ["  a = b; ", 2],
    ["   a = b;", 2],
    [`// ${"x".repeat(80)}`, 2],
    ["// α ≤ β", 1],
    ["    a = b;", 2],
  ] as const;
  assertEquals(faults.map(([line, number]) => judgeKernelLine(line, number)), [
    "no header comment",
    "a tab",
    "a space at the end",
    "an indentation of 3",
    "83 columns",
    undefined,
    undefined,
  ]);
});
