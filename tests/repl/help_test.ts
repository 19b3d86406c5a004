import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as library from "../../mod.ts";
import { declarationAt, declarationIn } from "../../repl/help/declaration.ts";
import { docs } from "../../repl/help/docs.ts";
import { exampleRows } from "../../repl/help/example.ts";
import {
  colourCode,
  definitions,
  firstSentence,
  prose,
} from "../../repl/help/text.ts";
import { namesOf } from "../../repl/help/values.ts";
import { libraryHost } from "../../repl/library.ts";
import { Session } from "../../repl/session.ts";
import { play } from "./transcript.ts";

const PLAIN = { colors: "none", columns: 60 } as const;

/** What lines show, each by itself. */
async function shown(...rows: string[]): Promise<string[]> {
  await library.init({ seed: 0 });
  const session = new Session(libraryHost("none"));
  const texts: string[] = [];
  for (const row of rows) {
    const text = await play(session, [row]);
    texts.push(text.slice(text.indexOf("\n") + 1));
  }
  await session.close();
  return texts;
}

Deno.test("a question mark before or behind a name shows what the documentation says of it", async () => {
  const [before, behind, dotted, called] = await shown(
    "?nn.Dropout",
    "nn.Dropout?",
    ".help nn.Dropout",
    "help(nn.Dropout)",
  );
  assertStringIncludes(before, "new nn.Dropout(p = 0.5)");
  assertStringIncludes(before, "\nExample\n");
  assertStringIncludes(before, "nn/layers/dropout.ts:");
  assertEquals([behind, dotted, called], [before, before, before]);
});

Deno.test("what a variable holds, and its methods, lead to the pages of their class", async () => {
  const [, method, same, own, , net, , mine] = await shown(
    "const x = zeros([2, 2])",
    "?x.reshape",
    "?Tensor.reshape",
    "?reshape",
    "const net = zoo.lenet()",
    "?net",
    "const add = (a: number, b = 1) => a + b",
    "?add",
  );
  assertEquals(
    method.split("\n").slice(0, 4),
    [
      "Tensor.reshape(shape: Shape): Tensor",
      "",
      "The same values in another shape; one size may be -1 and follows from the",
      "others. `[4, 6]` → `reshape([2, -1])` → `[2, 12]`",
    ],
  );
  assertEquals([same, own], [method, method]);
  assertEquals(
    net.split("\n").slice(0, 3),
    [
      "net is an instance of nn.Sequential.",
      "",
      "new nn.Sequential(...layers: Module[] | [Record<string, Module>])",
    ],
  );
  assertEquals(mine, "(a, b = 1) => a + b");
});

Deno.test("types that signatures name have pages, and other values say what they are", async () => {
  const [type, , number, , nothing, list] = await shown(
    "?Size2d",
    "const n = 5",
    "?n",
    "let none",
    "?none",
    "?nn.transforms",
  );
  assertEquals(
    type.split("\n").slice(0, 3),
    [
      "type Size2d = number | readonly [number, number]",
      "",
      "One number for both axes, or `[height, width]`.",
    ],
  );
  assertEquals(number, "n is the number 5");
  assertEquals(nothing, "none is undefined");
  assertStringIncludes(list, "Functions\n");
});

Deno.test("two question marks show the source", async () => {
  const [source, method, mine] = await shown(
    "??nn.Flatten",
    "??Tensor.contiguous",
    "??eye",
  );
  assertStringIncludes(source, "export class Flatten extends Module {\n");
  assert(source.endsWith("\n}"), source);
  assertEquals(
    method.split("\n").slice(1),
    [
      "contiguous(): Tensor {",
      "  return isContiguous(this.view) ? this.alias() : this.clone();",
      "}",
    ],
  );
  assertStringIncludes(mine, "export function eye(");
});

Deno.test("networks are told by name, and in a table", async () => {
  const [page, same, table, unknown] = await shown(
    "?vgg16_bn",
    ".zoo vgg16_bn",
    ".zoo",
    ".zoo resnte18",
  );
  assertEquals(
    same,
    `zoo.create("vgg16_bn")
  parameters  138,365,992
  input       [N, 3, 224, 224]
  paper       Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556
  variants    torchvision (default): an adaptive average pool before the linear
              layers; the paper's layers otherwise, whose five pools some notes
              leave out
              d2l: blocks as layers, 1 channel, 10 classes, widthDivisor
  weights     imagenet: await zoo.create("vgg16_bn", { weights: "imagenet" })`,
  );
  assertEquals(page, `${same}\n\n?zoo.vgg16Bn tells its options.`);
  const rows = table.split("\n");
  assertEquals(
    rows.slice(0, 3),
    [
      "network        parameters      input  paper            weights",
      "─".repeat(78),
      "lenet              61,706    1×28×28  LeCun 1998       fashion-mnist",
    ],
  );
  assertEquals(
    unknown,
    'RangeError: Cannot find a network called "resnte18", did you mean "resnet18"?: zoo.list() has their names',
  );
});

Deno.test("the namespace of the networks is what zoo stands for, not the command", async () => {
  const [names] = await shown("zoo.list().length > 30");
  assertEquals(names, "true");
});

Deno.test("help by itself lists the commands by family, and every one has its own page", async () => {
  const [overview, call, dot] = await shown(".help", "help()", "?.zoo");
  assertEquals(call, overview);
  assertEquals(overview.split("\n")[0], "Help");
  assertStringIncludes(overview, "\n  .zoo [network]");
  assertStringIncludes(overview, "Ctrl-D leaves.");
  for (const row of overview.split("\n")) assert(row.length <= 80, row);
  assertEquals(
    dot,
    `.zoo [network]
The networks with their sizes and weights, or one of them`,
  );
});

Deno.test("what nothing is known of has a nearest name", async () => {
  const [typo, nothing, dotted] = await shown(
    "?conv2dd",
    "?qwertyuiop",
    "?nn.Conv2dd",
  );
  assertEquals(typo, "Nothing is known of conv2dd, did you mean conv2d?");
  assertEquals(
    nothing,
    "Nothing is known of qwertyuiop: .help lists the commands",
  );
  assertEquals(
    dotted,
    "Nothing is known of nn.Conv2dd, did you mean nn.Conv2d?",
  );
});

Deno.test("every public name has a page, a signature of sensible length and a first sentence that ends", async () => {
  const known = await docs();
  const long: string[] = [];
  for (const entry of known.entries.values()) {
    const { signature } = await declarationAt(entry);
    if (signature.length > 700) long.push(entry.path);
    const told = firstSentence(entry.doc.doc);
    if (told.length > 400) long.push(`${entry.path}: ${told}`);
  }
  assertEquals(long, []);
  const names = [
    ...Object.keys(library),
    ...Object.keys(library.nn).map((name) => `nn.${name}`),
    ...Object.keys(library.nn.init).map((name) => `nn.init.${name}`),
    ...Object.keys(library.nn.transforms).map((name) =>
      `nn.transforms.${name}`
    ),
    ...Object.keys(library.zoo).map((name) => `zoo.${name}`),
  ];
  const spaces = ["nn", "zoo", "nn.init", "nn.transforms"];
  const missing = names.filter((name) => !known.entries.has(name));
  assertEquals(missing.filter((name) => !spaces.includes(name)), []);
  const methods = known.members(known.entries.get("Tensor")!);
  assertEquals(
    namesOf(library.Tensor.prototype).filter((name) => !methods.has(name)),
    ["runAll", "sibling", "run"],
  );
});

Deno.test("a declaration ends with its body, and its signature before it", () => {
  const text = `export function a(x: { b: number }): { c: number } {
  return { c: x.b };
}
class B {
  readonly d: number = 1;

  override e(): void {
    for (;;) { }
  }
}
export const f = { g: 1 };`;
  const cases: readonly (readonly [number, string, number])[] = [
    [0, "function a(x: { b: number }): { c: number }", 3],
    [4, "readonly d: number = 1", 1],
    [6, "e(): void", 3],
    [10, "const f", 1],
  ];
  for (const [line, signature, rows] of cases) {
    const found = declarationIn(text, line);
    assertEquals(found.signature, signature);
    assertEquals(found.whole.split("\n").length, rows);
  }
});

Deno.test("examples lose their imports, and assertions become comments", () => {
  assertEquals(
    exampleRows(`With words
\`\`\`ts ignore
import { assertEquals } from "@std/assert";
import {
  init,
  ones,
} from "@tessera/tessera";

await init({ seed: 0 });
const x = ones([2]); // two
assertEquals(
  await x.array(),
  [1, 1],
);
assertAlmostEquals(await x.sum().item(), 2, 1e-6);
assert(x.size === 2);
assertThrows(() => x.reshape([3]), ShapeError);
if (x) {
  assertEquals(1, 1);
}
\`\`\``),
    [
      "const x = ones([2]); // two",
      "await x.array(); // [1, 1]",
      "await x.sum().item(); // about 2",
      "x.size === 2; // true",
      "x.reshape([3]); // throws ShapeError",
      "if (x) {",
      "  assertEquals(1, 1);",
      "}",
    ],
  );
});

Deno.test("text keeps to the width, and code keeps its colour over the end of a row", () => {
  assertEquals(
    definitions([["a", "one two three four five six seven eight nine ten"]], {
      colors: "none",
      columns: 30,
    }),
    ["  a  one two three four five", "     six seven eight nine ten"],
  );
  assertEquals(
    prose("First\nparagraph.\n\n- an item\n- {@linkcode Other} one", PLAIN),
    ["First paragraph.", "", "- an item", "- `Other` one"],
  );
  assertEquals(
    colourCode(["a `b", "c` d"], { colors: "full", columns: 80 }),
    ["a \x1b[36mb\x1b[0m", "\x1b[36mc\x1b[0m d"],
  );
  assertEquals(
    firstSentence("As in `a. b` (c. d). More."),
    "As in `a. b` (c. d).",
  );
});

Deno.test("help works from a URL, and says what it needs where deno can't be run", async () => {
  const root = new URL("../../", import.meta.url);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async ({ url }) => {
      try {
        const path = new URL(`.${new URL(url).pathname}`, root);
        return new Response(await Deno.readFile(path), {
          headers: { "content-type": "text/plain; charset=utf-8" },
        });
      } catch {
        return new Response("not found", { status: 404 });
      }
    },
  );
  const run = async (...args: string[]) => {
    const folder = await Deno.makeTempDir();
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...args],
      cwd: folder,
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    await Deno.remove(folder);
    const decoder = new TextDecoder();
    return decoder.decode(stdout) || decoder.decode(stderr);
  };
  const page = `relu(x: Tensor): Tensor

max(x, 0). Nair and Hinton (2010).

Example
  await relu(tensor([-1, 0, 2])).array(); // [0, 0, 2]

nn/functional_activation.ts:19
`;
  try {
    const url = `http://127.0.0.1:${server.addr.port}/repl/main.ts`;
    assertEquals(await run("--allow-all", url, "-e", "?relu"), page);
  } finally {
    await server.shutdown();
  }
  const main = new URL("repl/main.ts", root).href;
  const flags = ["--allow-sys", "--allow-env", "--allow-read"];
  assertStringIncludes(
    await run(...flags, main, "-e", "?relu"),
    "Cannot read the documentation: `deno doc` can't be started, it needs --allow-run\nand --allow-read\n",
  );
});
