import { assertEquals } from "@std/assert";
import { type Played, playLesson } from "../../repl/lesson.ts";
import { Session } from "../../repl/session.ts";
import { BARE_HOST } from "./transcript.ts";

async function play(
  text: string,
  options: { columns?: number; pause?: () => Promise<boolean> } = {},
): Promise<[string, Played]> {
  const session = new Session(BARE_HOST);
  const printed: string[] = [];
  const played = await playLesson(session, text, {
    source: "lesson.ts",
    base: new URL("modules/lesson.ts", import.meta.url),
    colors: "none",
    print: (row) => printed.push(row),
    ...options,
  });
  await session.close();
  return [printed.join("\n"), played];
}

Deno.test("a lesson reads out its comments and shows each statement with what it gives", async () => {
  const [shown, { failure, expectations, left }] = await play(
    `/** What the file is about. */
import { twin } from "./twin.ts";

await init({ seed: 0 });

// Two of a kind,
// and more.
const two: number = 2; // [N]
twin(two); // [ 2, 2 ]

// A list of several rows:
[
  two, // once
  two + 1,
]
  .map((x) => x * 2);
for (const x of [1]) twin(x);
`,
  );
  assertEquals([failure, expectations, left], [undefined, 1, false]);
  assertEquals(
    shown,
    `
Two of a kind,
and more.
> const two: number = 2; // [N]
> twin(two)
[ 2, 2 ]

A list of several rows:
> [
…   two, // once
…   two + 1,
… ]
…   .map((x) => x * 2)
[ 4, 6 ]
> for (const x of [1]) twin(x)`,
  );
});

Deno.test("an error ends a lesson and names the row", async () => {
  const [shown, { failure }] = await play("1;\nmissing;\n2;\n");
  assertEquals([shown, failure], [
    "> 1\n1\n> missing",
    "lesson.ts:2: ReferenceError: missing is not defined",
  ]);
});

Deno.test("what a statement gives is held against the comment behind it", async () => {
  const [, { expectations, surprises }] = await play(
    "1 + 1; // 2\n1 + 1; // 3\nvoid 0; // 4\n[0.1]; // ≈ [ 0 ] ± 0.2\n",
  );
  assertEquals(expectations, 4);
  assertEquals(surprises, [
    { line: 2, expected: "3", shown: "2" },
    { line: 3, expected: "4", shown: undefined },
  ]);
});

Deno.test("a lesson waits between its steps, and ends where the reader leaves", async () => {
  const text = "// One.\n1;\n// Two,\n// in two rows.\n2;\n3;\n// Four.\n4;\n";
  let waits = 0;
  const whole = await play(text, { pause: () => Promise.resolve(++waits > 0) });
  assertEquals([waits, whole[1].left], [2, false]);
  const answers = [true, false];
  const [shown, { left }] = await play(text, {
    pause: () => Promise.resolve(answers.shift()!),
  });
  assertEquals(left, true);
  assertEquals(shown, "\nOne.\n> 1\n1\n\nTwo,\nin two rows.\n> 2\n2\n> 3\n3");
});

Deno.test("comments are broken between words to the screen's width", async () => {
  const [shown] = await play("// One two three unbreakable.\n", { columns: 8 });
  assertEquals(shown, "\nOne two\nthree\nunbreakable.");
});
