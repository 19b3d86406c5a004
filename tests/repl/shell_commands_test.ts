import { assert, assertEquals, assertMatch } from "@std/assert";
import { currentBackend } from "../../core/runtime.ts";
import { init } from "../../mod.ts";
import { openDevice } from "../../repl/device.ts";
import { libraryHost } from "../../repl/library.ts";
import { Session } from "../../repl/session.ts";

/** A session that is typed into line by line. Gives what is shown and printed. */
class Typist {
  readonly printed: string[] = [];
  readonly session = new Session(libraryHost("none"), {
    print: (text) => void this.printed.push(text),
    screen: () => ({ colors: "none", live: false, columns: 80, write() {} }),
  });

  /** What a line shows; of several the last. */
  async type(...lines: string[]): Promise<string> {
    let text = "";
    for (const line of lines) {
      const outcome = await this.session.evaluate(line);
      text = outcome.kind === "value" || outcome.kind === "error"
        ? outcome.text
        : outcome.kind === "silent" && outcome.hint || outcome.kind;
    }
    return text;
  }

  async [Symbol.asyncDispose]() {
    await this.session.evaluate(".reset");
    await this.session.close();
  }
}

async function open(): Promise<Typist> {
  await openDevice({ seed: 3, log: console.error });
  const typist = new Typist();
  await typist.type(".reset");
  return typist;
}

Deno.test(".vars lists the variables with type, shape, dtype and bytes", async () => {
  await using typist = await open();
  assertEquals(await typist.type(".vars"), "No variables");
  assertEquals(
    await typist.type(
      "const net = new nn.Sequential(new nn.Linear(4, 2))",
      "let x = zeros([2, 4], { dtype: 'i32' }); let list = [ones([3]), 'a']",
      "class Mine {}; const f = () => 1; const ta = new Float32Array(5)",
      "implied = null;",
      ".vars",
    ),
    `Name     Type          Shape   Dtype  Bytes
───────────────────────────────────────────
net      Sequential            f32     40 B
x        Tensor        [2, 4]  i32     32 B
list     Array         [2]     f32     12 B
Mine     class
f        function
ta       Float32Array  [5]             20 B
implied  null`,
  );
  assertEquals(
    await typist.type("vars().then(({ rows }) => rows.length)"),
    "9",
  );
});

Deno.test(".mem shows that what no variable holds is freed, and the largest tensors of variables", async () => {
  await using typist = await open();
  const live = async () => (await typist.type(".mem")).split("\n")[0];
  assertEquals(await live(), "live    0 B in 0 tensors and 0 buffers");
  await typist.type("const net = new nn.Linear(4, 2); let x = zeros([100])");
  assertEquals(await live(), "live    440 B in 3 tensors and 3 buffers");
  await typist.type("for (let i = 0; i < 50; i++) x.add(i).mul(2)");
  assertEquals(
    (await typist.type(".mem")).split("\n").slice(3).join("\n"),
    `
Largest     Shape   Dtype  Bytes
────────────────────────────────
x           [100]   f32    400 B
net.weight  [2, 4]  f32     32 B
net.bias    [2]     f32      8 B`,
  );
  await typist.type("x = 5");
  assertEquals(await live(), "live    40 B in 2 tensors and 2 buffers");
  assertEquals(await typist.type("x = 6;", "memory().bytes"), "40");
});

Deno.test(".time gives the value and says how long it took", async () => {
  await using typist = await open();
  assertEquals(
    await typist.type(".time ones([2, 2]).matmul(ones([2, 2])).sum().item()"),
    "8",
  );
  assertEquals(await typist.type("await time(async () => 5)"), "5");
  assertEquals(
    await typist.type(".time for (let i = 0; i < 3; i++) i"),
    "silent",
  );
  assertEquals(typist.printed.length, 3);
  for (const text of typist.printed) assertMatch(text, /^[\d.]+ (ns|µs|ms|s)$/);
  assertEquals(
    await typist.type("time(5)"),
    "TypeError: Cannot time 5: expected a function, as in time(() => net(x))",
  );
});

Deno.test(".device shows the adapter in readable units, and device() is still the library's", async () => {
  await using typist = await open();
  const text = await typist.type(".device");
  const { name, limits } = await init({ seed: 0 });
  assert(text.startsWith(`adapter           ${name}`), text);
  assertMatch(text, /\nbuffer +[\d.]+ GB\n/);
  assertMatch(text, /\nseed +3$/);
  assertEquals(
    await typist.type("device().limits.maxBufferSize"),
    String(limits.maxBufferSize),
  );
});

Deno.test(".save writes the lines that succeeded, which the REPL runs again and Deno runs as a program", async () => {
  const folder = await Deno.makeTempDir();
  const before = Deno.cwd();
  Deno.chdir(folder);
  try {
    await Deno.writeTextFile("part.ts", "export const part = 20;\n");
    await Deno.writeTextFile("loaded.ts", "const fromFile = 2\nfromFile * 4\n");
    await using typist = await open();
    const last = await typist.type(
      "import { part } from './part.ts'",
      "const x = randn([2, 3])",
      "missing",
      "const x = x.add(part)",
      ".vars",
      ".load loaded.ts",
      "{a: 1, b: fromFile}",
      "total = x.sum()",
      "[1, 2].length",
      "enum Pooling { Max, Average }",
      "console.log('sum', await total.item(), Pooling.Average)",
      ".save saved.ts",
    );
    assertEquals(
      last,
      "12 lines in saved.ts: deno task repl saved.ts runs them",
    );
    assertEquals(typist.printed, ["8"]);
    const library = new URL("../../mod.ts", import.meta.url).href;
    assertEquals(
      await Deno.readTextFile("saved.ts"),
      `// Lines of a Tessera session: \`deno task repl FILE\` runs them again.
import { init, randn } from "${library}"
await init({ seed: 3 });

import { part } from './part.ts'
let x = randn([2, 3])
x = x.add(part)
// .vars
const fromFile = 2
fromFile * 4
// .load loaded.ts;
({a: 1, b: fromFile})
let total = x.sum();
[1, 2].length
enum Pooling { Max, Average }
console.log('sum', await total.item(), Pooling.Average)
`.replace(
        "fromFile * 4\n// .load loaded.ts;",
        "fromFile * 4;\n// .load loaded.ts",
      ),
    );
    const runs = [
      [new URL("../../repl/main.ts", import.meta.url).pathname, "saved.ts"],
      ["saved.ts"],
    ];
    const sums = await Promise.all(runs.map(async (args) => {
      const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", ...args],
      }).output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      return /^sum .*$/m.exec(new TextDecoder().decode(stdout))?.[0];
    }));
    assertMatch(sums[0] ?? "", /^sum -?[\d.]+ 1$/);
    assertEquals(sums[0], sums[1]);
  } finally {
    Deno.chdir(before);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test(".load tells a file's error with its row, and the session goes on", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, "const first = 1\n\nfirst.no.such\n");
  await using typist = await open();
  assertEquals(
    await typist.type(`.load ${file}`),
    `${file}:3: TypeError: Cannot read properties of undefined (reading 'such')`,
  );
  assertEquals(await typist.type("first"), "1");
  assertEquals(await typist.type("_error.name"), '"TypeError"');
  await Deno.remove(file);
  assertEquals(
    await typist.type(`load("${file}")`),
    `Error: Cannot load ${file}: No such file or directory (os error 2): readfile '${file}'`,
  );
  assertEquals(
    await typist.type(".load"),
    "TypeError: Cannot load without the name of a file: it is used as .load FILE",
  );
});

Deno.test(".history lists what was typed, and .error the last error with its stack", async () => {
  await using typist = await open();
  assertEquals(await typist.type(".error"), "No error so far");
  await typist.type("const f = () => {\n  throw new Error('deep')\n}", "f()");
  const stack = await typist.type(".error");
  assertMatch(stack, /^Error: deep\n {4}at f \(/);
  assertEquals(
    await typist.type(".history 3"),
    `2  const f = () => {
     throw new Error('deep')
   }
3  f()
4  .error`,
  );
  assertEquals(
    await typist.type("history(0)"),
    "RangeError: Cannot show the last 0 lines: expected a whole number from 1",
  );
});

Deno.test(".reset takes variables away, frees memory and starts the random numbers over", async () => {
  await using typist = await open();
  const first = await typist.type(
    "const drawn = await randn([2]).array(); drawn",
  );
  await typist.type("const relu = 5; let x = ones([10]); assigned = x;");
  assertEquals(await typist.type(".reset"), "silent");
  assertEquals(await typist.type(".vars"), "No variables");
  assertEquals(await typist.type("memory().bytes"), "0");
  assertEquals(
    await typist.type("[x, typeof relu, typeof assigned]"),
    '[ undefined, "function", "undefined" ]',
  );
  assertEquals(
    await typist.type("let x = 1", "vars().then((v) => v.rows.length)"),
    "3",
  );
  assertEquals(await typist.type("randn([2]).array()"), first);
});

Deno.test("a variable that holds a promise is told, and the editor needs a terminal", async () => {
  await using typist = await open();
  assertEquals(
    await typist.type("const loss = ones([1]).item()"),
    "loss is a promise: write const loss = await …",
  );
  assertEquals(
    await typist.type("const loss = await ones([1]).item()"),
    "silent",
  );
  assertEquals(
    await typist.type(".editor"),
    "Error: Cannot open the editor: it takes what is typed at a terminal, and there is none",
  );
});

Deno.test("after the device is lost the session says what went with it and goes on", async () => {
  await using typist = await open();
  const advice = (names: string, path = "") =>
    `DeviceLostError: Cannot use the GPU device: it was lost (destroyed), await init() gives a new one${path}
Lost with it: ${names}
To go on: await init() opens a device; then make what is lost again, or .load a file that .save has written`;
  await typist.type(
    "let lostX = ones([2]); const lostNet = new nn.Linear(2, 2); let n = 7",
  );
  currentBackend().destroy();
  assertEquals(await typist.type("lostX.add(1)"), advice("lostX, lostNet"));
  assertEquals(
    await typist.type("lostNet(lostX)"),
    advice("lostX, lostNet", ", in Linear(2, 2)"),
  );
  assertEquals(await typist.type("n"), "7");
  await typist.type("await init({ seed: 3 });", "lostX = ones([2])");
  assertEquals(await typist.type("lostX.add(n).array()"), "[ 8, 8 ]");
  assertEquals(
    await typist.type("lostNet(lostX)"),
    advice("lostNet", ", in Linear(2, 2)"),
  );
});

Deno.test("a request over the device's limit and wrong channels are errors of their lines only", async () => {
  await using typist = await open();
  assertMatch(
    await typist.type("zeros([2 ** 20, 2 ** 20])"),
    /^OutOfMemoryError: Cannot allocate 4398046511104 bytes: /,
  );
  assertEquals(
    await typist.type(
      "const net = new nn.Sequential(new nn.Conv2d(1, 6, 5))",
      "net(zeros([1, 3, 28, 28]))",
    ),
    "ShapeError: Cannot convolve [1, 3, 28, 28] with [6, 1, 5, 5]: the input has 3 channels, the weight expects 1 (1 a group × 1 groups), in 0: Conv2d(1, 6, kernelSize=[5,5])",
  );
  assertEquals(
    await typist.type("net(zeros([1, 1, 28, 28])).shape"),
    "[ 1, 6, 24, 24 ]",
  );
});
