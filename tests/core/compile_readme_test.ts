import { assertEquals } from "@std/assert";
import { PASSES } from "../../core/compile/passes/mod.ts";
import { readText } from "../support/tree.ts";

Deno.test("core/compile/README.md lists each pass with what it does, in the order in which they run", async () => {
  const text = await readText("core/compile/README.md");
  const table = text.split("<!-- begin passes -->")[1]
    .split("<!-- end passes -->")[0];
  const rows = [...table.matchAll(/^\| `(\w+)` +\| (.*?) *\|/gm)];
  assertEquals(
    rows.map(([, name, about]) => [name, about]),
    PASSES.map(({ name, about }) => [name, about]),
  );
});
