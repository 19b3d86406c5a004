import { assert, assertEquals } from "@std/assert";
import { init } from "../../mod.ts";
import type { Complete } from "../../repl/commands/command.ts";
import { cursorAt } from "../../repl/help/cursor.ts";
import { libraryHost } from "../../repl/library.ts";
import { Session } from "../../repl/session.ts";

/** Completes in a session in which some lines have been run. */
async function withCompletion(
  lines: readonly string[],
  body: (complete: Complete) => Promise<void>,
): Promise<void> {
  await init({ seed: 0 });
  const session = new Session(libraryHost("none"));
  for (const line of lines) await session.evaluate(line);
  await body((line, cursor) => session.complete!(line, cursor));
  await session.close();
}

const LINES = [
  "const x = zeros([2, 3])",
  "const net = zoo.lenet()",
  "const own = { get danger() { throw 1 }, colour: { red: 1, _hidden: 2 } }",
  "const optimizer = new nn.SGD(net.parameters(), { lr: 0.1 })",
  "class Own extends nn.Module { depth = 3; forward(x: any) { return x } }",
  "const mine = new Own()",
  "let counted = 0",
];

/** Rows with `|` at the cursor, or with it left out at the end, and all that is offered, or some of it behind "…". */
const CASES: readonly (readonly [string, string])[] = [
  // Names: the session's own and the library's, but none of those that are hidden.
  ["conv", "conv1d conv2d convTranspose2d"],
  ["coun", "counted"],
  ["1 + coun", "counted"],
  ["relu(opt", "optimizer"],
  ["conv2d(", "Own counted mine net optimizer own x"],
  ["adaptiveA", "adaptiveAvgPool2d"],
  ["AdaptiveA", "adaptiveAvgPool2d"],
  ["Unkno", ""],
  ["const cou", ""],
  ["1.5", ""],
  ["// cou", ""],
  ["/* cou", ""],
  ["`${coun", "counted"],
  ["co| + 1", "concat …"],
  // Properties.
  ["x.sha", "shape"],
  ["x.resh", "reshape"],
  ["x?.resh", "reshape"],
  ["x.shape.le", "length"],
  ["x.shape.find", "find findIndex findLast findLastIndex"],
  ["nn.Conv2", "Conv2d"],
  ["nn.conv2", "conv2d"],
  [
    "nn.init.kaim",
    "kaimingNormal kaimingNormal_ kaimingUniform kaimingUniform_",
  ],
  [
    "zoo.resnet1",
    "resnet101 resnet101V2 resnet152 resnet152V2 resnet18 resnet18V2",
  ],
  ["net.para", "parameterCount parameters"],
  ["optimizer.l", "loadStateDict lr"],
  ["own.", "colour danger"],
  ["own.danger.", ""],
  ["own.colour.", "red"],
  ["own.colour._", "_hidden"],
  ["mine.dep", "depth"],
  ["mine.parameterC", "parameterCount"],
  ["Math.flo", "floor"],
  ['"text".toUp', "toUpperCase"],
  ["[1].flat", "flat flatMap"],
  ["missing.na", ""],
  // Properties of what a call gives, which isn't run.
  ["x.relu().resh", "reshape"],
  ["x.matmul(x.transpose()).sum().it", "item"],
  ["net(x).softm", "softmax"],
  ["zeros([2]).resh", "reshape"],
  ["new nn.Conv2d(1, 2, 3).wei", ""],
  ["new nn.Conv2d(1, 2, 3).forw", "forward"],
  ["zoo.lenet().parameterC", "parameterCount"],
  ["x.split(1).fla", "flat flatMap"],
  ["x.read().th", "then"],
  ["(x.relu()).resh", "reshape"],
  // Networks.
  ['zoo.create("resnet1', "resnet101 resnet152 resnet18 resnet18_d2l"],
  ["zoo.describe('alex", "alexnet"],
  ['zoo.create("alexnet", { variant: "', "d2l paper torchvision"],
  ['zoo.create("resnet50", { weights: "', "imagenet imagenet-v2"],
  ['zoo.create("alexnet", { cla', "classes: "],
  [".zoo vgg16", "vgg16 vgg16_bn"],
  // Keys of options and the words that some of them take.
  ["conv2d(x, w, { pa", "padding: "],
  ["conv2d(x, w, {", "bias:  dilation:  groups:  padding:  stride: "],
  ["conv2d(x, w, { padding: 1, st", "stride: "],
  ["conv2d(x, w, { padding: 1, pad", "pad"],
  ['conv2d(x, w, { padding: "', "same"],
  ["new nn.Conv2d(1, 2, 3, { paddingM", "paddingMode: "],
  ['new nn.Conv2d(1, 2, 3, { paddingMode: "r', "reflect replicate"],
  ["nn.fit(net, data, { opt", "optimizer: "],
  ["new nn.SGD(net.parameters(), { mom", "momentum: "],
  ["x.sum(0, { keep", "keepDims: "],
  ["x.relu().sum(0, { keep", "keepDims: "],
  ['zeros([2], { dtype: "', "bool f16 f32 f64 i32 u32"],
  ["nn.softmax(x.relu(), { ", ""],
  ["const o = { coun", "counted"],
  // Commands, and what they take.
  [".he", ".help"],
  ["?.he", ".help"],
  [".zo", ".zoo"],
  ["?conv2", "conv2d"],
  ["??nn.Flat", "Flatten"],
  ["?vgg16_", "vgg16_bn"],
  [".help resnet18_", "resnet18_d2l"],
];

Deno.test("Tab completes names, properties, networks, options and commands", () =>
  withCompletion(LINES, async (complete) => {
    const shown: [string, string][] = [];
    for (const [row, expected] of CASES) {
      const at = row.indexOf("|");
      const line = row.replace("|", "");
      const cursor = at < 0 ? line.length : at;
      const { items, from } = await complete(line, cursor);
      const typed = line.slice(from, cursor).toLowerCase();
      for (const item of items) {
        const fits = item.toLowerCase().startsWith(typed);
        assert(fits, `${item} for ${row}`);
      }
      const some = expected.endsWith("…");
      const wanted = expected.replace(/ ?…$/, "").split(" ");
      shown.push([
        row,
        some
          ? [...items.filter((item) => wanted.includes(item)), "…"].join(" ")
          : items.join(" "),
      ]);
    }
    assertEquals(shown, CASES.map(([row, expected]) => [row, expected]));
  }));

Deno.test("files are completed in paths, behind commands and in functions that take one", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/pictures`);
  for (const name of ["pic.png", "net.ts", ".hidden"]) {
    await Deno.writeTextFile(`${folder}/${name}`, "");
  }
  await withCompletion([], async (complete) => {
    const cases: readonly (readonly [string, string[]])[] = [
      [`loadTensors("${folder}/pi`, ["pic.png", "pictures/"]],
      [`nn.saveWeights(net, "${folder}/n`, ["net.ts"]],
      [`import { a } from "${folder}/n`, ["net.ts"]],
      [`await import("${folder}/n`, ["net.ts"]],
      [`f("${folder}/.h`, [".hidden"]],
      [`f("${folder}/`, ["net.ts", "pic.png", "pictures/"]],
      [`f("pi`, []],
      [`f("${folder}/none/a`, []],
    ];
    for (const [line, items] of cases) {
      const found = await complete(line, line.length);
      assertEquals([line, found.items], [line, items]);
      if (items.length > 0) {
        assertEquals(found.from, line.lastIndexOf("/") + 1);
      }
    }
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("no getter and no call of the line runs for a completion", () =>
  withCompletion(
    [
      "let ran = 0",
      "const trap = { get inner() { ran++; return {} }, go() { ran++; return trap } }",
      "const proxy = new Proxy({}, { get() { ran++ }, getPrototypeOf() { ran++; return null }, ownKeys() { ran++; return [] } })",
    ],
    async (complete) => {
      for (
        const line of ["trap.inner.a", "trap.go().inn", "proxy.a", "proxy.b.c"]
      ) {
        await complete(line, line.length);
      }
      const { items } = await complete("trap.", 5);
      assertEquals(items, ["go", "inner"]);
      assertEquals(Reflect.get(globalThis, "_"), undefined);
      const { items: counted } = await complete("ra", 2);
      assert(counted.includes("ran"));
    },
  ));

Deno.test("the cursor is seen in strings, keys, properties and names", () => {
  const kinds: readonly (readonly [string, string, string | undefined])[] = [
    ["", "name", ""],
    ["a.b", "property", "b"],
    ["a.", "property", ""],
    ["f(", "name", ""],
    ["f({ a", "key", "a"],
    ["f({ a: 1, b", "key", "b"],
    ["f({ a: b", "name", "b"],
    ["f({ a: { b", "name", "b"],
    ["({ a", "name", "a"],
    ['f("a', "string", "a"],
    ['f("a"', "name", ""],
    ['f("a\\"', "string", 'a\\"'],
    ["f(`a", "string", "a"],
    ["f(`a${b", "name", "b"],
    ["let a", "nothing", undefined],
    ["// a", "nothing", undefined],
    ["a // b", "nothing", undefined],
    ['"http://a', "string", "http://a"],
  ];
  for (const [text, kind, word] of kinds) {
    const cursor = cursorAt(text);
    const found = "word" in cursor ? cursor.word : undefined;
    assertEquals([text, cursor.kind, found], [text, kind, word]);
  }
});
