import { assertEquals, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../repl/version.ts";
import { KEYS, Terminal, terminalTest } from "../support/tmux.ts";

const REPL = new URL("../../repl/main.ts", import.meta.url).pathname;

async function repl(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<[number, string, string]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", REPL, ...args],
    env,
  }).output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  return [code, out, err];
}

Deno.test("the REPL has the library, and a clean standard error", async () => {
  const code = "const x = ones([2, 2])\nx.sum().item()\nmissing\n";
  assertEquals(await repl(["-e", code]), [
    1,
    "4\n",
    "-e:3: ReferenceError: missing is not defined\n",
  ]);
});

Deno.test("a seed gives the same random numbers", async () => {
  const code = "[await randn([3]).array(), await rand([2]).array()]";
  const [first, second, other] = await Promise.all(
    ["7", "7", "8"].map((seed) => repl(["--seed", seed, "-e", code])),
  );
  assertEquals(first[0], 0);
  assertEquals(first, second);
  assertEquals(first[1] === other[1], false);
});

Deno.test("without an adapter the REPL says so and computes on the CPU", async () => {
  const [code, out, err] = await repl(
    ["-e", "ones([2]).add(1).array()"],
    { DENO_WEBGPU_BACKEND: "noop" },
  );
  assertEquals([code, out], [0, "[ 2, 2 ]\n"]);
  assertStringIncludes(
    err,
    "Cannot open a WebGPU device: no adapter was found",
  );
  assertStringIncludes(err, "Computing on the CPU instead, which is slow\n");
});

terminalTest(
  "at a terminal, Ctrl-C ends a loop of operations, and what variables hold is still there",
  async () => {
    await using terminal = new Terminal(["run", "--allow-all", REPL]);
    await terminal.shows(`Tessera ${VERSION} on `);
    await terminal.shows("Ctrl-D leaves\n> ");
    await terminal.type(
      "const x = ones([64, 64]); console.log('started'); for (;;) x.matmul(x).dispose()\r",
    );
    await terminal.shows("started\n");
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("Interrupted\n> ");
    await terminal.type("x.sum().item()\r");
    await terminal.shows("4096\n> ");
    await terminal.type(KEYS.ctrlD);
    assertEquals(await terminal.ends(), 0);
  },
);
