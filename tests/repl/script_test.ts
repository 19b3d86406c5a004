import { assertEquals } from "@std/assert";
import { rowsOf, runScript } from "../../repl/script.ts";
import { Session } from "../../repl/session.ts";
import { statements } from "../../repl/statements.ts";
import { BARE_HOST } from "./transcript.ts";

async function split(text: string): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for await (const { text: part, line } of statements(text.split("\n"))) {
    found.push([line, part]);
  }
  return found;
}

async function run(text: string): Promise<[string[], string | undefined]> {
  const session = new Session(BARE_HOST);
  const printed: string[] = [];
  const failure = await runScript(session, text.split("\n"), {
    source: "stdin",
    print: (line) => printed.push(line),
  });
  await session.close();
  return [printed, failure];
}

Deno.test("text is split into statements that know their rows", async () => {
  assertEquals(await split("1\n\n  2\nf(\n  3,\n)\n// end"), [
    [1, "1"],
    [3, "  2"],
    [4, "f(\n  3,\n)"],
    [7, "// end"],
  ]);
});

Deno.test("a row that goes on with the statement before it belongs to it", async () => {
  assertEquals(
    await split(
      "x\n  .relu()\n  ?.sum()\nif (a) {\n}\nelse {\n}\na\n  ? b\n  : c\n.5\n[1]\nimport('x')",
    ),
    [
      [1, "x\n  .relu()\n  ?.sum()"],
      [4, "if (a) {\n}\nelse {\n}"],
      [8, "a\n  ? b\n  : c"],
      [11, ".5"],
      [12, "[1]"],
      [13, "import('x')"],
    ],
  );
});

Deno.test("a semicolon or an empty row ends a statement without looking further", async () => {
  const seen: string[] = [];
  async function* rows() {
    for (const row of ["1;", "2", "", "3"]) {
      yield await Promise.resolve(row);
      seen.push(`row ${row}`);
    }
  }
  for await (const { text } of statements(rows())) seen.push(text);
  assertEquals(seen, ["1;", "row 1;", "row 2", "2", "row ", "row 3", "3"]);
});

Deno.test("a script prints the values of expressions and nothing else", async () => {
  assertEquals(
    await run("const six = 2 *\n  3\nsix\nsix;\n[six]\n  .map((x) => x + 1)"),
    [["6", "[ 7 ]"], undefined],
  );
});

Deno.test("the first error ends a script and names the row that threw", async () => {
  assertEquals(await run("1\n\nmissing\n2"), [
    ["1"],
    "stdin:3: ReferenceError: missing is not defined",
  ]);
  assertEquals(await run("if (true) {\n  1;\n  null.x;\n}"), [
    [],
    "stdin:3: TypeError: Cannot read properties of null (reading 'x')",
  ]);
  assertEquals(await run("const bad = () => {\n  throw 1;\n};\n\nbad()"), [
    [],
    "stdin:5: Thrown: 1",
  ]);
  assertEquals(
    await run("const worse = () => {\n  throw Error('x');\n};\n\nworse()"),
    [
      [],
      "stdin:2: Error: x\n    at worse (stdin:2:9)\n    at stdin:5:1",
    ],
  );
  assertEquals(await run("1;\nconst = 2"), [
    [],
    "stdin:2: SyntaxError: Unexpected token `=`. Expected yield, an identifier, [ or {\n    const = 2\n          ^",
  ]);
});

Deno.test("a statement without an end is an error where it starts", async () => {
  assertEquals(await run("1\nf(\n  2,\n"), [
    ["1"],
    "stdin:2: SyntaxError: The statement that starts here has no end",
  ]);
});

Deno.test("rows are read from a stream however it is cut", async () => {
  const bytes = new TextEncoder().encode("é1\r\n\n世2\nlast");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        controller.enqueue(bytes.slice(0, cut));
        controller.enqueue(bytes.slice(cut));
        controller.close();
      },
    });
    assertEquals(await Array.fromAsync(rowsOf(stream)), [
      "é1",
      "",
      "世2",
      "last",
    ]);
  }
});
