import { assertEquals } from "@std/assert";
import { importsOf, listFiles, readText } from "../support/tree.ts";

/** The folder of a file: "wgsl/pool". */
function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

/** The family that a file of wgsl/ belongs to: "wgsl/pointwise" for "wgsl/pointwise/functions/bits.wgsl". */
function familyOf(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

Deno.test("each kernel is imported by exactly one TypeScript file, which stands in its folder and labels it with its path; parts that kernels share stay in their family", async () => {
  const modules = (await listFiles(".ts"))
    .filter((file) => /^(wgsl|bench)\//.test(file));
  const imports = await importsOf(modules);
  const wrong: string[] = [];
  for (const file of await listFiles(".wgsl")) {
    const users = imports.filter(({ to }) => to === file);
    if (users.length === 0) wrong.push(`${file}: imported by nobody`);
    for (const { from, as } of users) {
      if (as !== "text") wrong.push(`${file}: not imported as text`);
      if (familyOf(from) !== familyOf(file)) {
        wrong.push(`${file}: imported from afar, by ${from}`);
      }
    }
    if (!(await readText(file)).includes("@compute")) continue;
    const [{ from }] = users;
    if (users.length > 1) {
      wrong.push(`${file}: a kernel, imported ${users.length} times`);
    }
    if (folderOf(from) !== folderOf(file)) {
      wrong.push(`${file}: a kernel, imported from another folder by ${from}`);
    }
    if (!(await readText(from)).includes(`"${file}"`)) {
      wrong.push(`${file}: ${from} doesn't label it "${file}"`);
    }
  }
  assertEquals(wrong, []);
});
