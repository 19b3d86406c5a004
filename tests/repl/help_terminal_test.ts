import { KEYS, Terminal, terminalTest } from "../support/tmux.ts";

const REPL = new URL("../../repl/main.ts", import.meta.url).pathname;

terminalTest(
  "Tab completes a name, the case of a class, a key of options and a network; help and hints are shown in colour",
  async () => {
    await using terminal = new Terminal(["run", "--allow-all", REPL, "-q"]);
    await terminal.shows("> ");
    await terminal.type("nn.adamw" + KEYS.tab);
    await terminal.shows("nn.AdamW");
    await terminal.type("\x15const x = zer" + KEYS.tab);
    await terminal.shows("zeros");
    await terminal.type("([2, 1, 4, 4])\r");
    await terminal.shows("> ");
    await terminal.type("conv2d(x, x, { pad" + KEYS.tab);
    await terminal.shows("{ padding: ");
    await terminal.type("\x15" + 'zoo.create("vgg16_' + KEYS.tab);
    await terminal.shows("vgg16_bn");
    await terminal.type("\x15conv2d(x, x, {\r");
    await terminal.shows("… ");
    await terminal.type("dila" + KEYS.tab);
    await terminal.shows("dilation: ");
    await terminal.type(KEYS.ctrlC);
    await terminal.shows("> ");
    await terminal.type("x.shpe\r");
    await terminal.shows("did you mean shape?\n> ");
    await terminal.type("?relu\r");
    await terminal.shows("relu(x: Tensor): Tensor");
  },
);
