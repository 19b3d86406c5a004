import { assert, assertEquals } from "@std/assert";
import { KEYS, Terminal, terminalTest } from "../support/tmux.ts";

const MAIN = new URL("../../repl/lesson_main.ts", import.meta.url).pathname;
const WAITS = "Enter goes on, q leaves";

function lesson(...args: string[]): Terminal {
  return new Terminal(["run", "--allow-all", MAIN, ...args]);
}

terminalTest(
  "at a terminal, a lesson waits for a key between its steps, and q leaves",
  async () => {
    await using terminal = lesson("padding");
    await terminal.shows("> const x = rand");
    await terminal.shows(WAITS);
    assert(!(await terminal.screen()).includes("[ 1, 1, 8, 8 ]"));
    await terminal.type(KEYS.enter);
    await terminal.shows("[ 1, 1, 8, 8 ]");
    await terminal.shows(WAITS);
    await terminal.type(" ");
    await terminal.shows("[ 6, 8, 8, 8 ]");
    await terminal.shows(WAITS);
    await terminal.type("q");
    assertEquals(await terminal.ends(), 0);
    const screen = await terminal.screen();
    assert(!screen.includes(WAITS), screen);
  },
);

terminalTest(
  "Ctrl-C leaves a lesson that waits, and with --repl its variables are there at the prompt",
  async () => {
    await using terminal = lesson("padding", "--repl");
    await terminal.shows(WAITS);
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("> ");
    await terminal.type(`x.shape.length + 39${KEYS.enter}`);
    await terminal.shows("\n43\n");
    await terminal.type(KEYS.ctrlD);
    assertEquals(await terminal.ends(), 0);
  },
);

terminalTest(
  "with --no-pause a lesson plays on, its comments broken between words",
  async () => {
    await using terminal = lesson("padding", "--no-pause");
    await terminal.shows("each side the size stays.");
    await terminal.shows("[ 112, 56, 28, 14, 7 ]");
    assertEquals(await terminal.ends(), 0);
    assert(!terminal.text.includes(WAITS));
    const rows = terminal.text.split("\n").filter((row) =>
      !row.startsWith(">")
    );
    assertEquals(rows.filter((row) => row.length > 80), []);
  },
);
