import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { KEYS, Terminal, terminalTest } from "../support/tmux.ts";

const REPL = new URL("../../repl/main.ts", import.meta.url).pathname;
const ARGS = ["run", "--allow-all", REPL, "-q"];
const BARE = new URL("bare_repl.ts", import.meta.url).pathname;

terminalTest(
  "Tab completes the library's names and the properties of variables",
  async () => {
    await using terminal = new Terminal(ARGS);
    await terminal.shows("> ");
    await terminal.type("const answers = [4, 2]\r");
    await terminal.shows("> ");
    await terminal.type("answe\t");
    await terminal.shows("answers");
    await terminal.type(".leng\t");
    await terminal.shows("length");
    await terminal.type("\r");
    await terminal.shows("2\n> ");
  },
);

terminalTest(
  "six pasted lines with an await and a block run in order, with or without prompts in front",
  async () => {
    await using terminal = new Terminal(ARGS);
    await terminal.shows("> ");
    await terminal.type(
      "let total = 0\rtotal += await ones([2, 2]).sum().item()\r> for (let i = 0; i < 3; i++) {\r…   total += i\r… }\rtotal * 10\r",
    );
    await terminal.shows("total += await ones([2, 2]).sum().item()\n4\n");
    await terminal.shows("total * 10\n70\n> ");
  },
);

terminalTest(
  ".editor takes rows until Ctrl-D and runs them; Ctrl-C drops them",
  async () => {
    await using terminal = new Terminal(["run", "--allow-all", REPL, "-q"]);
    await terminal.shows("> ");
    await terminal.type(".editor\r");
    await terminal.shows("Ctrl-D runs what is typed here");
    await terminal.type("function twice(x) {\r  return 2 * x\r}\r\rtwice(21)");
    await terminal.type(KEYS.ctrlD);
    await terminal.shows("\n42\n> ");
    await terminal.type(".editor\r");
    await terminal.shows("Ctrl-D runs what is typed here");
    await terminal.type("throw 1\r");
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("Interrupted\n> ");
    await terminal.type("twice(4)\r");
    await terminal.shows("8\n> ");
    await terminal.type(".exit 3\r");
    assertEquals(await terminal.ends(), 3);
  },
);

terminalTest(
  "Ctrl-R finds what was typed before, in an earlier session too",
  async () => {
    const folder = await Deno.makeTempDir();
    const history = { TESSERA_HISTORY: `${folder}/history.jsonl` };
    const args = ["run", "--allow-all", BARE, "-q"];
    {
      await using terminal = new Terminal(args, history);
      await terminal.shows("> ");
      await terminal.type("[6 * 7,\r");
      await terminal.shows("… ");
      await terminal.type("1]\r");
      await terminal.shows("[ 42, 1 ]\n> ");
      await terminal.type("'other'\r");
      await terminal.shows("> ");
      await terminal.type(KEYS.ctrlD);
      assertEquals(await terminal.ends(), 0);
    }
    {
      await using terminal = new Terminal(args, history);
      await terminal.shows("> ");
      await terminal.type(KEYS.ctrlR);
      await terminal.shows("(search ``)");
      await terminal.type("6 *");
      await terminal.shows("(search `6 *`) [6 * 7,");
      await terminal.type(KEYS.enter);
      await terminal.shows("[ 42, 1 ]\n> ");
    }
    await Deno.remove(folder, { recursive: true });
  },
);

terminalTest(
  "Ctrl-C in a training gives the prompt back, and the history of what was trained",
  async () => {
    await using terminal = new Terminal(ARGS);
    await terminal.shows("> ");
    await terminal.type(
      "const data = await nn.fashionMnist({ split: 'test' }); const net = zoo.lenet(); const optimizer = new nn.SGD(net.parameters(), { lr: 0.01 })\r",
    );
    await terminal.shows("> ");
    await terminal.type(
      "const h = await nn.fit(net, data, { epochs: 99, optimizer, callbacks: { onStep: ({ step }) => { if (step === 2) console.log('second ' + 'step') } } })\r",
    );
    await terminal.shows("second step");
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("\n> ");
    await terminal.type("[h.stopped, h.steps >= 2]\r");
    await terminal.shows('[ "interrupted", true ]\n> ');
  },
);

terminalTest(
  "pictures are drawn in colour, and as characters with NO_COLOR",
  async () => {
    const line = "show(eye(8))\r";
    {
      await using terminal = new Terminal(ARGS, { COLORTERM: "truecolor" });
      await terminal.shows("> ");
      await terminal.type(line);
      await terminal.shows("\n> ");
      assertStringIncludes(terminal.raw, "\x1b[38;2;");
    }
    {
      await using terminal = new Terminal(ARGS, { NO_COLOR: "1" });
      await terminal.shows("> ");
      await terminal.type(line);
      await terminal.shows("\n> ");
      assert(!terminal.raw.includes("\x1b[38;"));
      assertStringIncludes(await terminal.screen(), "@@");
    }
  },
);
