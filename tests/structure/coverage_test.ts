import { assertEquals } from "@std/assert";
import { coverage } from "../docs/coverage.ts";
import { formatted, README } from "../docs/readme.ts";

const { text, missing } = await coverage();

Deno.test("every layer, loss, optimiser and schedule of nn is compared with PyTorch, with every option", () => {
  assertEquals(missing, []);
});

Deno.test("nn/README.md has what the fixtures cover: `deno task docs:coverage` writes it", async () => {
  assertEquals(await Deno.readTextFile(README), await formatted(text));
});
