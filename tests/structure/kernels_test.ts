import { assertEquals } from "@std/assert";
import { importsOf, listFiles, readText } from "../support/tree.ts";

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

Deno.test("each kernel file is imported by exactly one TypeScript file, which stands in its folder and labels it with its path", async () => {
  const modules = (await listFiles(".ts"))
    .filter((file) => file.startsWith("wgsl/"));
  const imports = await importsOf(modules);
  const wrong: string[] = [];
  for (const kernel of await listFiles(".wgsl")) {
    const users = imports.filter(({ to }) => to === kernel);
    if (users.length !== 1) {
      wrong.push(`${kernel}: imported ${users.length} times`);
      continue;
    }
    const [{ from, as }] = users;
    if (as !== "text") wrong.push(`${kernel}: not imported as text`);
    if (folderOf(from) !== folderOf(kernel)) {
      wrong.push(`${kernel}: imported from afar, by ${from}`);
    }
    // A file without an entry point is a part that kernels share, and needs no label.
    const labelled = (await readText(from)).includes(`"${kernel}"`);
    if (!labelled && (await readText(kernel)).includes("@compute")) {
      wrong.push(`${kernel}: ${from} doesn't label it "${kernel}"`);
    }
  }
  assertEquals(wrong, []);
});
