import { assertEquals } from "@std/assert";
import { History, historyPath } from "../../repl/history.ts";

function open(path: string | undefined): [History, string[]] {
  const warnings: string[] = [];
  return [new History(path, (message) => warnings.push(message)), warnings];
}

Deno.test("the history is where the environment says", () => {
  const path = (env: Record<string, string>) =>
    historyPath((name) => env[name]);
  assertEquals(
    path({ HOME: "/home/a" }),
    "/home/a/.local/state/tessera/history.jsonl",
  );
  assertEquals(
    path({ HOME: "/home/a", XDG_STATE_HOME: "/state" }),
    "/state/tessera/history.jsonl",
  );
  assertEquals(
    path({ HOME: "/home/a", TESSERA_HISTORY: "/x.jsonl" }),
    "/x.jsonl",
  );
  assertEquals(path({ HOME: "/home/a", TESSERA_HISTORY: "" }), undefined);
  assertEquals(path({ TESSERA_HISTORY: "/dev/null" }), undefined);
  assertEquals(path({}), undefined);
});

Deno.test("entries come back newest first, those of several rows as one", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/a/b/history.jsonl`;
  const [first, warnings] = open(path);
  assertEquals(first.entries, []);
  first.add("1 + 1");
  first.add("f(\n  2)");
  first.add(" a blank in front keeps it out");
  const [second] = open(path);
  assertEquals(second.entries, ["f(\n  2)", "1 + 1"]);
  assertEquals(warnings, []);
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("damaged lines are passed over", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, '"a"\n"b\n3\n\n"c"\n');
  assertEquals(open(path)[0].entries, ["c", "a"]);
  await Deno.remove(path);
});

Deno.test("a file that has grown long is shortened to its newest entries", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/history.jsonl`;
  const rows = Array.from({ length: 10_001 }, (_, i) => `"${i}"\n`);
  await Deno.writeTextFile(path, rows.join(""));
  const [{ entries }] = open(path);
  assertEquals([entries.length, entries[0], entries[4999]], [
    5000,
    "10000",
    "5001",
  ]);
  assertEquals(await Deno.readTextFile(path), rows.slice(-5000).join(""));
  assertEquals(Array.from(Deno.readDirSync(folder)).length, 1);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a file that can't be used is told once and stops nothing", () => {
  const [history, warnings] = open("/dev/null/history.jsonl");
  history.add("1");
  history.add("2");
  assertEquals(warnings, [
    "Cannot read the history: Not a directory (os error 20): readfile '/dev/null/history.jsonl'",
  ]);
});

Deno.test("without a place the history lasts as long as the session", () => {
  const [history, warnings] = open(undefined);
  history.add("1");
  assertEquals([history.entries, warnings], [["1"], []]);
});
