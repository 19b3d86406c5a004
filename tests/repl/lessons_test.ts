import { assert, assertEquals } from "@std/assert";
import { LESSONS } from "../../repl/lessons.ts";
import { listFiles } from "../support/tree.ts";

const MAIN = new URL("../../repl/lesson_main.ts", import.meta.url).pathname;

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function lesson(...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", MAIN, ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("every lesson is in the list, and the list has no other", async () => {
  const files = (await listFiles(".ts"))
    .flatMap((file) => /^repl\/lessons\/(.*)\.ts$/.exec(file)?.[1] ?? []);
  const names = LESSONS.map(({ name }) => name);
  assertEquals(names.toSorted(), files.toSorted());
  const { code, out, err } = await lesson();
  assertEquals([code, err], [0, ""]);
  for (const { name, about } of LESSONS) {
    assert(
      out.split("\n").some((row) =>
        row.trim().startsWith(`${name} `) && row.endsWith(about)
      ),
    );
  }
});

for (const { name } of LESSONS) {
  // Each in a process of its own, as a reader plays it: what a lesson declares lasts as long as its session.
  Deno.test(`in the lesson ${name}, each line gives what stands behind it`, async () => {
    const { code, out, err } = await lesson(name, "--check");
    assertEquals([code, err], [0, ""]);
    const [last] = out.trimEnd().split("\n").slice(-1);
    const [, met, all] = /^\w+: (\d+) of (\d+) values as expected, /.exec(
      last,
    )!;
    assert(met === all && Number(all) >= 10, last);
  });
}

Deno.test("a lesson that isn't there is refused, with the nearest name", async () => {
  assertEquals(await lesson("lennet"), {
    code: 2,
    out: "",
    err:
      'Cannot find a lesson called "lennet", did you mean "lenet"?: deno task lesson has their names\n',
  });
  assertEquals(await lesson("lenet", "vgg"), {
    code: 2,
    out: "",
    err: "Cannot play lenet and vgg: expected one name\n",
  });
});
