import { assert, assertEquals } from "@std/assert";
import { init, nn } from "../../mod.ts";
import { libraryHost } from "../../repl/library.ts";
import { setImageProtocol } from "../../repl/term/images.ts";
import { Session } from "../../repl/session.ts";
import { readKitty } from "../support/inline.ts";
import { KEYS, Terminal, terminalTest } from "../support/tmux.ts";
import { assertTranscript } from "./transcript.ts";

const REPL = new URL("../../repl/main.ts", import.meta.url).pathname;
const ARGS = ["run", "--allow-all", REPL, "--quiet"];

async function assertPictures(transcript: string): Promise<void> {
  await init({ seed: 0 });
  await assertTranscript(transcript, libraryHost("none"));
}

Deno.test("pictures, plots and histograms are commands, and the functions of lines", () =>
  assertPictures(`
    > const x = tensor([[0, 3, 6, 9], [0, 3, 6, 9]])
    > .show x, { scale: 2 }
      --**@@
      --**@@
    > show([x.reshape([1, 2, 4])][0], { scale: 1 })
     -*@
    > .plot x.select(0, 0), { width: 8, height: 2 }
    5 ┤    ⣀⠤⠒⠉
    0 ┤⣀⠤⠒⠉
      └┬──────┬
       1      4
    > .hist x, { width: 10, height: 2, bins: 2 }
    4 ┤██████████
    2 ┤██████████
    0 └┬────────┬
       0        9
       8 values, mean 4.5, std 3.35, min 0, max 9
    > .confusion nn.confusionMatrix(tensor([0, 1, 1], { dtype: "i32" }), tensor([0, 1, 0], { dtype: "i32" }), { classes: 2 }), ["cat", "dog"]
           0  1  right
    0 cat  1  1    50%
    1 dog  ·  1   100%
    2 of 3 right: 66.7%
  `));

Deno.test("LeNet's input, filters, maps and heat are shown line by line", () =>
  assertPictures(`
    > const net = await zoo.lenet({ weights: "fashion-mnist" })
    > const data = await nn.fashionMnist({ split: "test" })
    > const [{ inputs }] = new nn.DataLoader({ ...data, count: 1 }, { batchSize: 1 })
    > .show inputs, { scale: 0.5 }


           .=---=
         .:=++*+*:
    .::-===++****=
    .::-----::==-:

    > .show net.children()[0], { most: 2 }
    **@@##****  **@@..%%--
    ==##--====  ####::**##
      --%%##**  @@##  @@==
    ++%%##%%##  ##%%  ##**
    **--++++##  --%%++****
    0           1
    and 4 more: { most: 6 } shows all
    > (await show(gradCam(net, inputs, { target: 9 }))).rows.at(-1).trim()
    "heat"
  `));

Deno.test("a screen with colours gets half blocks, or pixels by the protocol that was chosen; the session's screen decides", async () => {
  await init({ seed: 0 });
  const screen = {
    colors: "full",
    live: true,
    columns: 80,
    write() {},
  } as const;
  const session = new Session(libraryHost("full"), { screen: () => screen });
  const line = "show(tensor([[0, 1]]), { scale: 1 })";
  const shown = async () => {
    const outcome = await session.evaluate(line);
    assert(outcome.kind === "value");
    return outcome.text;
  };
  try {
    setImageProtocol("half");
    assertEquals(
      await shown(),
      "\x1b[38;2;0;0;0;48;2;0;0;0m▀\x1b[38;2;255;255;255;48;2;255;255;255m▀\x1b[0m",
    );
    setImageProtocol("kitty");
    const { columns, rows, file } = readKitty(await shown());
    assertEquals([columns, rows], [2, 1]);
    const { width, height } = await nn.decodeImage(file);
    assertEquals([width, height], [20, 20]);
    setImageProtocol("off");
    assertEquals(await shown(), "[a picture of 1×2]");
  } finally {
    setImageProtocol(undefined);
    await session.close();
  }
});

Deno.test("save writes a picture where it gets a value, and show reads it back", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assertPictures(`
      > const path = ${JSON.stringify(`${folder}/x.png`)}
      > save(tensor([[0, 1]]), path)
      > .show path, { scale: 2 }
        @@
    `);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a pipe gets characters and no control codes, whatever is asked for", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...ARGS, "--images", "kitty"],
    env: { COLORTERM: "truecolor", TESSERA_IMAGES: "sixel" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  });
  await using process = command.spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(
    ".show tensor([[0, 1]]), { scale: 2 }\nplot([0, 1], { width: 4, height: 1 })\n",
  ));
  await writer.close();
  const { code, stdout } = await process.output();
  assertEquals(
    new TextDecoder().decode(stdout),
    "  @@\n1 ┤⣀⠤⠒⠉\n  └┬──┬\n   1  2\n",
  );
  assertEquals(code, 0);
});

terminalTest(
  "in a terminal with colours a picture is half blocks, beneath it its label, and a plot's line has its colour",
  async () => {
    await using terminal = new Terminal(ARGS, { COLORTERM: "truecolor" });
    await terminal.shows("> ");
    await terminal.type(
      'show(tensor([[0, 1], [1, 0]]), { scale: 1, labels: ["ab"] })\r',
    );
    await terminal.shows("▀▀\nab\n> ");
    const [black, white] = ["0;0;0", "255;255;255"];
    assert(
      terminal.raw.includes(
        `\x1b[38;2;${black};48;2;${white}m▀\x1b[38;2;${white};48;2;${black}m▀\x1b[0m`,
      ),
    );
    await terminal.type("plot([0, 1], { width: 4, height: 1 })\r");
    await terminal.shows("⣀⠤⠒⠉\n  └┬──┬\n   1  2\n> ");
    assert(terminal.raw.includes("\x1b[36m⣀"));
    await terminal.type(KEYS.ctrlD);
    assertEquals(await terminal.ends(), 0);
  },
);

terminalTest(
  "with NO_COLOR a picture is characters whatever is asked for, and without it kitty's protocol is used when asked for",
  async () => {
    const line = "show(tensor([[0, 1], [0, 1]]), { scale: 2 })\r";
    {
      await using terminal = new Terminal([...ARGS, "--images", "kitty"], {
        NO_COLOR: "1",
      });
      await terminal.shows("> ");
      await terminal.type(line);
      await terminal.shows("\n  @@\n  @@\n> ");
      assert(!terminal.raw.includes("\x1b_G"));
    }
    await using terminal = new Terminal([...ARGS, "--images", "kitty"]);
    await terminal.shows("> ");
    await terminal.type(line);
    await terminal.shows("\x1b\\");
    const start = terminal.raw.indexOf("\x1b_G");
    const end = terminal.raw.lastIndexOf("\x1b\\") + 2;
    const { columns, rows } = readKitty(terminal.raw.slice(start, end));
    assertEquals([columns, rows], [4, 2]);
  },
);
