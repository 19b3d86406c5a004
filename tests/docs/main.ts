/** `deno task docs:coverage`: writes `nn/README.md`. */
import { coverage } from "./coverage.ts";
import { formatted, README } from "./readme.ts";

const { text, missing } = await coverage();
await Deno.writeTextFile(README, await formatted(text));
for (const what of missing) console.error(`Not covered: ${what}`);
