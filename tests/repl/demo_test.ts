import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { init, nn } from "../../mod.ts";
import { Terminal, terminalTest } from "../support/tmux.ts";

const DEMO = new URL("../../repl/demo.ts", import.meta.url).pathname;

/** The shapes that the lesson comes by, from the first convolution to the scores. */
const SHAPES = [
  "[ 1, 6, 28, 28 ]",
  "[ 1, 6, 14, 14 ]",
  "[ 1, 16, 10, 10 ]",
  "[ 1, 16, 5, 5 ]",
  "[ 1, 400 ]",
  "[ 1, 120 ]",
  "[ 1, 84 ]",
  "[ 1, 10 ]",
];

/** The first pictures of each part of Fashion-MNIST as the original's files, so that training takes a moment. */
async function smallData(folder: string): Promise<void> {
  for (
    const [split, prefix, count] of [["train", "train", 640], [
      "test",
      "t10k",
      64,
    ]] as const
  ) {
    const { images, labels } = await nn.fashionMnist({ split });
    const pictures = idx([count, 28, 28], images);
    await Deno.writeFile(`${folder}/${prefix}-images-idx3-ubyte`, pictures);
    await Deno.writeFile(
      `${folder}/${prefix}-labels-idx1-ubyte`,
      idx([count], labels),
    );
  }
}

/** The IDX format: 0, 0, 8 for bytes, the number of axes, their sizes, the values. */
function idx(sizes: readonly number[], values: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
  head.setUint32(0, 0x0800 + sizes.length);
  sizes.forEach((size, i) => head.setUint32(4 + 4 * i, size));
  const count = sizes.reduce((product, size) => product * size);
  const bytes = new Uint8Array(head.byteLength + count);
  bytes.set(new Uint8Array(head.buffer));
  bytes.set(values.subarray(0, count), head.byteLength);
  return bytes;
}

/** Where `parts` stand in `text`, each behind the one before. */
function inOrder(text: string, parts: readonly string[]): void {
  let at = 0;
  for (const part of parts) {
    const found = text.indexOf(`\n${part}\n`, at);
    assert(found >= 0, `${part} isn't there, or not in its place`);
    at = found + 1;
  }
}

Deno.test("in a pipe, the demo builds, trains and tests LeNet in plain rows, and saves weights that can be loaded", async () => {
  const folder = await Deno.makeTempDir();
  await smallData(folder);
  const out = `${folder}/weights.safetensors`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", DEMO, "--data", folder, "--out", out],
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  // deno-lint-ignore no-control-regex -- there must be none
  assert(!/[\x00-\x09\x0b-\x1f\x7f]/.test(text), "there are control codes");
  inOrder(text, [...SHAPES, "Total params: 61,706", "[ 640, 64 ]"]);
  for (
    const row of [
      /^epoch 1\/5 \d+\/20 loss \d\.\d{3} acc \d\.\d{3} \S+ img\/s ETA \d:\d\d$/m,
      /^epoch 5\/5 20\/20 /m,
      /^epoch 2\/2 20\/20 /m,
      /^ +loss, mean of 50 steps\n +│/m,
      /^Ankle boot [✓✗]/m,
      /^> accuracy\n0\.\d+$/m,
    ]
  ) {
    assert(row.test(text), `${row} isn't in the output`);
  }
  await init({ seed: 1 });
  const sizes = [[1, 6, 5], [6, 16, 5]] as const;
  const [conv1, conv2] = sizes.map(([a, b, k]) => new nn.Conv2d(a, b, k));
  const relu = new nn.ReLU();
  const net = new nn.Sequential(
    conv1,
    relu,
    relu,
    conv2,
    relu,
    relu,
    relu,
    new nn.Linear(400, 120),
    relu,
    new nn.Linear(120, 84),
    relu,
    new nn.Linear(84, 10),
  );
  await nn.loadWeights(net, out);
  await Deno.remove(folder, { recursive: true });
});

terminalTest(
  "at a terminal, the demo draws a progress bar in place and has colours",
  async () => {
    const folder = await Deno.makeTempDir();
    await smallData(folder);
    const out = `${folder}/weights.safetensors`;
    await using terminal = new Terminal(
      ["run", "--allow-all", DEMO, "--data", folder, "--out", out],
      { COLORTERM: "truecolor" },
    );
    await terminal.shows("epoch 1/5 ━");
    await terminal.shows("epoch 5/5 ━");
    await terminal.shows("> accuracy");
    assertEquals(await terminal.ends(), 0);
    assertStringIncludes(terminal.raw, "\x1b[1A\r\x1b[K");
    assertStringIncludes(terminal.raw, "\x1b[38;2;");
    assert((await Deno.stat(out)).size > 61_706 * 4);
    await Deno.remove(folder, { recursive: true });
  },
);
