import { assert, assertEquals } from "@std/assert";
import { KEYS, Terminal, terminalTest } from "../support/tmux.ts";

const REPL = new URL("bare_repl.ts", import.meta.url).pathname;
const ARGS = ["run", "--allow-all", REPL];

terminalTest(
  "at a terminal there are a banner and a prompt, values are shown in colour, and Ctrl-D leaves",
  async () => {
    await using terminal = new Terminal(ARGS);
    await terminal.shows("banner 1\nbanner 2\n> ");
    await terminal.type("const a: number = 1\r");
    await terminal.shows("> ");
    await terminal.type("nowhere\r");
    await terminal.shows("ReferenceError: nowhere is not defined\n> ");
    assert(terminal.raw.includes("\x1b[31mReferenceError"));
    await terminal.type(KEYS.ctrlD);
    assertEquals(await terminal.ends(), 0);
  },
);

terminalTest(
  "a text that isn't whole gets another prompt, and comes back as a whole with Up",
  async () => {
    const folder = await Deno.makeTempDir();
    const history = `${folder}/deep/history.jsonl`;
    {
      await using terminal = new Terminal([...ARGS, "-q"], {
        TESSERA_HISTORY: history,
      });
      await terminal.shows("> ");
      await terminal.type("[1,\r");
      await terminal.shows("… ");
      await terminal.type("2]\r");
      await terminal.shows("[ 1, 2 ]\n> ");
      await terminal.type("'single'\r");
      await terminal.shows('"single"\n> ');
      await terminal.type(KEYS.up + KEYS.up + KEYS.enter);
      await terminal.shows("[ 1, 2 ]\n> ");
      await terminal.type(KEYS.ctrlD);
      assertEquals(await terminal.ends(), 0);
    }
    assertEquals(
      await Deno.readTextFile(history),
      `"[1,\\n2]"\n"'single'"\n"[1,\\n2]"\n`,
    );
    {
      await using terminal = new Terminal([...ARGS, "-q"], {
        TESSERA_HISTORY: history,
      });
      await terminal.shows("> ");
      await terminal.type(KEYS.up + KEYS.enter);
      await terminal.shows("[ 1, 2 ]\n> ");
    }
    await Deno.remove(folder, { recursive: true });
  },
);

terminalTest(
  "pasted rows run one after the other, each at its own prompt",
  async () => {
    await using terminal = new Terminal([...ARGS, "-q"]);
    await terminal.shows("> ");
    await terminal.type(
      "const slow = (x) => new Promise((done) => setTimeout(() => done(x), 50))\rawait slow(1)\nslow(2)\r\nlet n = 2; if (n > 1) {\r  n + 1\r}\r",
    );
    await terminal.shows("> await slow(1)\n1\n");
    await terminal.shows("> slow(2)\n2\n");
    await terminal.shows("> let n = 2; if (n > 1) {\n");
    await terminal.shows("…   n + 1\n");
    await terminal.shows("… }\n3\n> ");
  },
);

terminalTest(
  "Ctrl-C clears what is typed, and says how to leave where nothing is",
  async () => {
    await using terminal = new Terminal([...ARGS, "-q"]);
    await terminal.shows("> ");
    await terminal.type("garbage (" + KEYS.ctrlC + "1 + 1\r");
    await terminal.shows("2\n> ");
    await terminal.type("f(\r");
    await terminal.shows("… ");
    await terminal.type("2" + KEYS.ctrlC);
    await terminal.shows("\n> ");
    await terminal.type("2 + 2\r");
    await terminal.shows("4\n> ");
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("Ctrl-D leaves\n> ");
  },
);

terminalTest(
  "Ctrl-C ends a line that waits, and the session goes on",
  async () => {
    await using terminal = new Terminal([...ARGS, "-q"]);
    await terminal.shows("> ");
    await terminal.type(
      "console.log('started'); await new Promise(() => {})\r",
    );
    await terminal.shows("started\n");
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("Interrupted\n> ");
    await terminal.type("1 + 1\r");
    await terminal.shows("2\n> ");
  },
);

terminalTest(
  "Ctrl-C ends a loop that never lets go of the thread but calls the library",
  async () => {
    await using terminal = new Terminal([...ARGS, "-q"]);
    await terminal.shows("> ");
    await terminal.type("console.log('started'); for (;;) step()\r");
    await terminal.shows("started\n");
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("Interrupted\n> ");
    await terminal.type("step(); 1 + 1\r");
    await terminal.shows("2\n> ");
  },
);

terminalTest(
  "a loop that never looks is ended with the process, after a warning",
  async () => {
    await using terminal = new Terminal([...ARGS, "-q"]);
    await terminal.shows("> ");
    await terminal.type("console.log('started'); for (;;);\r");
    await terminal.shows("started\n");
    await terminal.type(KEYS.ctrlC);
    // The system merges signals that come at once.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await terminal.type(KEYS.ctrlC);
    await terminal.shows(
      "The line doesn't let go: Ctrl-C once more ends the session\n",
    );
    await terminal.type(KEYS.ctrlC);
    assertEquals(await terminal.ends(), 137);
  },
);

terminalTest(
  "an error that no line waits for is shown above the prompt",
  async () => {
    await using terminal = new Terminal([...ARGS, "-q"]);
    await terminal.shows("> ");
    await terminal.type(
      "setTimeout(() => { throw new Error('from a timer') }, 100);\r",
    );
    await terminal.shows("> ");
    await terminal.type("1 +");
    await terminal.shows("Uncaught Error: from a timer\n> 1 +");
    await terminal.type(" 1\r");
    await terminal.shows("2\n> ");
  },
);

terminalTest("a history that can't be written is told once", async () => {
  await using terminal = new Terminal([...ARGS, "-q"], {
    TESSERA_HISTORY: "/dev/null/history",
  });
  await terminal.shows("Cannot read the history: ");
  await terminal.shows("> ");
  await terminal.type("1\r");
  await terminal.shows("1\n> ");
  await terminal.type("2\r");
  await terminal.shows("2\n> ");
  assertEquals(terminal.text.split("the history").length, 2);
});

terminalTest(
  "without colours nothing but the line editor's own codes is written",
  async () => {
    await using terminal = new Terminal([...ARGS, "--no-color"]);
    await terminal.shows("> ");
    await terminal.type("nowhere\r");
    await terminal.shows("ReferenceError: nowhere is not defined\n> ");
    assert(!terminal.raw.includes("\x1b[31m"));
  },
);
