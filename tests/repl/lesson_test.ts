import { assertEquals } from "@std/assert";
import { playLesson } from "../../repl/lesson.ts";
import { Session } from "../../repl/session.ts";
import { BARE_HOST } from "./transcript.ts";

async function play(text: string): Promise<[string, string | undefined]> {
  const session = new Session(BARE_HOST);
  const printed: string[] = [];
  const failure = await playLesson(session, text, {
    source: "lesson.ts",
    base: new URL("modules/lesson.ts", import.meta.url),
    colors: "none",
    print: (row) => printed.push(row),
  });
  await session.close();
  return [printed.join("\n"), failure];
}

Deno.test("a lesson reads out its comments and shows each statement with what it gives", async () => {
  const [shown, failure] = await play(`/** What the file is about. */
import { twin } from "./twin.ts";

// Two of a kind,
// and more.
const two: number = 2;
twin(two);

// A list of several rows:
[
  two,
  two + 1,
]
  .map((x) => x * 2);
`);
  assertEquals(failure, undefined);
  assertEquals(
    shown,
    `
Two of a kind,
and more.
> const two: number = 2
> twin(two)
[ 2, 2 ]

A list of several rows:
> [
…   two,
…   two + 1,
… ]
…   .map((x) => x * 2)
[ 4, 6 ]`,
  );
});

Deno.test("an error ends a lesson and names the row", async () => {
  assertEquals(await play("1;\nmissing;\n2;\n"), [
    "> 1\n1\n> missing",
    "lesson.ts:2: ReferenceError: missing is not defined",
  ]);
});
