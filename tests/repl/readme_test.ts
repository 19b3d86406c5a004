import { assertEquals } from "@std/assert";
import { commandsOf } from "../../repl/commands/mod.ts";
import { LESSONS } from "../../repl/lessons.ts";
import { readText } from "../support/tree.ts";
import { SHELL } from "./shell.ts";

/** The names in the first column of a table, `.vars` or `lenet`, without what stands behind them. */
async function namesIn(section: string): Promise<string[]> {
  const text = await readText("repl/README.md");
  const [, table] = text.split(new RegExp(`<!-- (?:begin|end) ${section} -->`));
  return table.split("\n").flatMap((row) =>
    /^\| `\.?(\w+)/.exec(row)?.[1] ?? []
  );
}

Deno.test("repl/README.md names each command once, in the order of .help", async () => {
  const names = commandsOf(SHELL).map(({ name }) => name);
  assertEquals(await namesIn("commands"), names);
});

Deno.test("repl/README.md names each lesson once, in the order of the course", async () => {
  assertEquals(await namesIn("lessons"), LESSONS.map(({ name }) => name));
});
