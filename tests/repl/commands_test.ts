import { assertEquals } from "@std/assert";
import type { Command, Shell } from "../../repl/commands/command.ts";
import { runScript } from "../../repl/script.ts";
import { Session } from "../../repl/session.ts";
import { assertTranscript, BARE_HOST } from "./transcript.ts";

function command(
  name: string,
  takes: Command["takes"],
  run: Command["run"],
): Command {
  return { name, takes, usage: `.${name} …`, about: "", run };
}

const commands = (shell: Shell): Command[] => [
  command("show", "values", (...values) => values),
  command("load", "text", (file) => `file ${file}`),
  command("twice", "body", async (body) => [await body(), await body()]),
  command("names", "nothing", () => shell.commands().map(({ name }) => name)),
  command("say", "text", (text) => shell.print(`said ${text}`)),
  command("help", "text", (...about) => about),
  command("exit", "nothing", () => "left"),
];

const HOST = { ...BARE_HOST, commands };

Deno.test("a line with a dot and a name calls the command with what stands behind it", () =>
  assertTranscript(
    `
    > .show 1 + 1, { columns: 4 }
    [ 2, { columns: 4 } ]
    > .show
    []
    > .show ...[1, 2] // a comment
    [ 1, 2 ]
    > .show 1;
    > .show [
    …   1,
    … ]
    [ [ 1 ] ]
    > .load some file.ts
    "file some file.ts"
    > .names
    [
      "show",  "load",
      "twice", "names",
      "say",   "help",
      "exit"
    ]
    > .5 + 1
    1.5
  `,
    HOST,
  ));

Deno.test("an expression, a statement or an awaited expression behind a command is run by the command", () =>
  assertTranscript(
    `
    > let n = 0
    > .twice ++n
    [ 1, 2 ]
    > .twice await Promise.resolve(n)
    [ 2, 2 ]
    > .twice { a: n }
    [ { a: 2 }, { a: 2 } ]
    > .twice for (let i = 0; i < 5; i++) {
    …   n++
    … }
    [ undefined, undefined ]
    > n
    12
    > .twice n as number
    [ 12, 12 ]
    > .twice
    Error: Cannot run .twice without an expression: it is used as .twice …
  `,
    HOST,
  ));

Deno.test("every command is a function too, and a variable of its name doesn't shadow the line with the dot", () =>
  assertTranscript(
    `
    > show(1, 2)
    [ 1, 2 ]
    > await twice(() => 3)
    [ 3, 3 ]
    > const show = 5
    > show
    5
    > .show 6
    [ 6 ]
  `,
    HOST,
  ));

Deno.test("an unknown command is told with the nearest, and a wrong use with the right one", () =>
  assertTranscript(
    `
    > .shwo 1
    Error: Cannot run .shwo: there is no such command, did you mean .show?
    > .nothinglikeit
    Error: Cannot run .nothinglikeit: there is no such command, .help lists those there are
    > .names 5
    Error: Cannot run .names with 5: it is used as .names …
    > .show 1 2
    SyntaxError: Expected ',', got 'numeric literal (2, 2)'
        .show 1 2
                ^
    > .show nowhere
    ReferenceError: nowhere is not defined
    > 1 + 1
    2
  `,
    HOST,
  ));

Deno.test("question marks in front of a name or behind it ask for help", () =>
  assertTranscript(
    `
    > ?conv2d
    [ "conv2d" ]
    > nn.Conv2d?
    [ "nn.Conv2d" ]
    > ??zoo.lenet
    [ "zoo.lenet", { source: true } ]
    > x.matmul??
    [ "x.matmul", { source: true } ]
    > ?.show
    [ ".show" ]
    > ?
    []
    > exit
    "left"
  `,
    HOST,
  ));

Deno.test("commands are statements of a file, and a chain of calls is none", async () => {
  const printed: string[] = [];
  const print = (text: string) => void printed.push(text);
  const session = new Session(HOST, { print });
  const text = `const net = { show: (x) => x + 1 }
.show net.show(1)
net
.show(2)
?net
.say loud

.say nothing more
.shwo`;
  const failure = await runScript(session, text.split("\n"), {
    source: "stdin",
    print,
  });
  await session.close();
  assertEquals(printed, [
    "[ 2 ]",
    "3",
    '[ "net" ]',
    "said loud",
    "said nothing more",
  ]);
  assertEquals(
    failure,
    "stdin:9: Error: Cannot run .shwo: there is no such command, did you mean .show?",
  );
});

Deno.test("commands know the variables that lines have declared", async () => {
  const session = new Session({
    ...BARE_HOST,
    commands: (shell) => [
      command("vars", "nothing", async () => [...await shell.variables()]),
    ],
  });
  await session.evaluate("const firstOne = 1; let secondOne = [2]");
  await session.evaluate("class Third { static { throw 3 } }");
  const outcome = await session.evaluate(
    "(await vars()).filter(([name]) => /One$|Third/.test(name))",
  );
  await session.close();
  assertEquals(outcome, {
    kind: "value",
    text:
      '[ [ "firstOne", 1 ], [ "secondOne", [ 2 ] ], [ "Third", undefined ] ]',
  });
});
