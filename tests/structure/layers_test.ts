import { assert, assertEquals } from "@std/assert";
import { type Import, importsOf, listFiles } from "../support/tree.ts";

/** Lowest first: values pass from a room to those after it. */
const ROOMS = ["wgsl", "core", "nn", "zoo", "mod.ts", "repl"];

/** What a script that imports mod.ts from a URL loads, without our import map. */
const PUBLIC = ROOMS.slice(0, ROOMS.indexOf("mod.ts") + 1);

function roomOf(file: string): string {
  return file.split("/")[0];
}

/** Whether an import goes against the order of the rooms. */
function isUpward({ from, to, typeOnly }: Import): boolean {
  if (to === undefined || typeOnly) return false;
  const rank = ROOMS.indexOf(roomOf(to));
  return rank < 0 || rank > ROOMS.indexOf(roomOf(from));
}

function show({ from, specifier }: Import): string {
  return `${from} imports ${specifier}`;
}

const files = (await listFiles(".ts"))
  .filter((file) => ROOMS.includes(roomOf(file)));
const imports = (await importsOf(files))
  .filter(({ from }) => ROOMS.includes(roomOf(from)));

Deno.test("values are imported one way: wgsl, core, nn, zoo, repl", () => {
  assert(imports.length > 0);
  assertEquals(imports.filter(isUpward).map(show), []);
});

Deno.test("what mod.ts may reach is imported by relative paths only", () => {
  const named = imports.filter(({ from, specifier }) =>
    PUBLIC.includes(roomOf(from)) && !/^\.\.?\//.test(specifier)
  );
  assertEquals(named.map(show), []);
});

Deno.test("mod.ts reaches nothing outside of wgsl, core, nn and zoo", () => {
  const reached = new Set(["mod.ts"]);
  for (const file of reached) {
    for (const { from, to } of imports) {
      if (from === file && to !== undefined) reached.add(to);
    }
  }
  assertEquals(
    [...reached].filter((file) => !PUBLIC.includes(roomOf(file))),
    [],
  );
});

Deno.test("the guard sees an upward import, and lets types and downward imports pass", () => {
  const made = (from: string, to: string, typeOnly = false): Import => ({
    from,
    to,
    typeOnly,
    specifier: to,
    as: undefined,
  });
  assert(isUpward(made("wgsl/op.ts", "core/tensor.ts")));
  assert(isUpward(made("nn/module.ts", "mod.ts")));
  assert(isUpward(made("core/tensor.ts", "tests/support/plan.ts")));
  assert(!isUpward(made("wgsl/op.ts", "core/tensor.ts", true)));
  assert(!isUpward(made("repl/main.ts", "mod.ts")));
  assert(!isUpward(made("core/tensor.ts", "wgsl/op.ts")));
  assert(!isUpward(made("core/tensor.ts", "core/host.ts")));
});
