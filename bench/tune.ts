/**
 * `deno task tune [family…]`: measures the kernels of these families (all without any) on this adapter, at the layers' shapes of shapes.ts, and
 * keeps the fastest in the cache file that `init` reads.
 */
import { currentGpu } from "../core/runtime.ts";
import { init, saveTuning, type TuneResult } from "../mod.ts";
import { contiguousView } from "../wgsl/shape.ts";
import { casesOf, FAMILIES, type Family } from "./families.ts";

function isFamily(name: string): name is Family {
  return FAMILIES.some((family) => family === name);
}

function show({ shapeClass, ms, before }: TuneResult): void {
  const times = ms.map(([name, time]) => `${name} ${time.toFixed(3)}`);
  const change = ms[0][0] === before ? "" : ` (was ${before})`;
  console.log(`${shapeClass}\n    ${times.join(", ")} ms${change}`);
}

const unknown = Deno.args.filter((name) => !isFamily(name));
if (unknown.length > 0) {
  console.error(
    `Cannot tune ${unknown.join(", ")}: expected ${FAMILIES.join(", ")}`,
  );
  Deno.exit(2);
}
const families = Deno.args.length > 0 ? Deno.args.filter(isFamily) : FAMILIES;
const { name } = await init();
const gpu = currentGpu();
console.log(`Tuning on ${name}`);
for (const family of families) {
  const calls = casesOf(family).map(({ op, inputs, attrs }) => ({
    op,
    inputs,
    outputs: op.infer(inputs, attrs).map(contiguousView),
    attrs,
  }));
  await gpu?.measure(calls, show);
}
console.log(`Kept in ${await saveTuning()}`);
