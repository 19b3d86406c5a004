import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mediaOf } from "../../repl/jupyter.ts";
import { init, memory, nn, tensor, zoo } from "../../mod.ts";
import { plot } from "../../nn/term/plot.ts";
import { pictures } from "../../repl/term/picture.ts";
import { Kernel } from "../support/jupyter.ts";

await init({ seed: 0 });

const DISPLAY = Symbol.for("Jupyter.display");
const plain = { colors: "none", columns: 80 } as const;

Deno.test("tensors are read before a notebook shows them, and what is text is shown as it stands", async () => {
  using x = tensor([[1, 2], [3, 4]]);
  const { bytes, tensors } = memory();
  const text = "Tensor f32[2, 2] gpu\n[[1. 2.]\n [3. 4.]]";
  assertEquals(await Reflect.get(x, DISPLAY).call(x), {
    "text/plain": text,
    "text/html": `<pre style="line-height: 1.15">${text}</pre>`,
  });
  assertEquals([memory().bytes, memory().tensors], [bytes, tensors]);
  const net = zoo.lenet();
  const tree = await mediaOf(net);
  assertEquals(tree["text/plain"], String(net));
  const summary = nn.summary(net, [1, 1, 28, 28]);
  const table = await mediaOf(summary);
  assertEquals(table["text/plain"], String(summary));
  assertStringIncludes(table["text/html"], "61,706");
  net.dispose();
});

Deno.test("pictures are PNG files with their labels, whose marks HTML doesn't take for its own", async () => {
  const gallery = pictures([
    { pixels: [0, 1], width: 2, height: 1, label: "a < b" },
    { pixels: [1, 0], width: 2, height: 1, label: "ok", tone: "good" },
  ], { screen: plain });
  const media = await mediaOf(gallery);
  assertEquals(media["text/plain"], String(gallery));
  const whole = Uint8Array.fromBase64(media["image/png"]);
  const { width, height } = await nn.decodeImage(whole);
  assertEquals([width, height], [66, 16]);
  const html = media["text/html"];
  const files = [...html.matchAll(/base64,([^"]*)"/g)].map(([, text]) => text);
  const decoded = await Promise.all(
    files.map((file) => nn.decodeImage(Uint8Array.fromBase64(file))),
  );
  assertEquals(decoded.map(({ data }) => [...data]), [
    [0, 0, 0, 255, 255, 255],
    [255, 255, 255, 0, 0, 0],
  ]);
  assertEquals(
    html.replaceAll(/base64,[^"]*/g, "base64,"),
    '<div style="display: inline-grid; grid-template-columns: repeat(2, auto); gap: 8px">' +
      '<figure style="margin: 0"><img width="64" height="32" style="image-rendering: pixelated" src="data:image/png;base64,">' +
      '<figcaption style="text-align: center">a &lt; b</figcaption></figure>' +
      '<figure style="margin: 0"><img width="64" height="32" style="image-rendering: pixelated" src="data:image/png;base64,">' +
      '<figcaption style="text-align: center; color: green">ok</figcaption></figure></div>',
  );
});

Deno.test("plots and histories are curves", async () => {
  const drawing = plot({ "a&b": [0, 1, NaN, 1], c: [1, 0, 0, 0] }, {
    title: "loss",
    xLabel: "step",
    screen: plain,
  });
  const { "text/html": svg, "text/plain": text } = await mediaOf(drawing);
  assertEquals(text, String(drawing));
  // The field goes from 64, 32 to 624, 276.
  assertStringIncludes(svg, '<path d="M64 276L250.7 32M624 32" fill="none"');
  assertStringIncludes(svg, '<path d="M64 32L250.7 276L437.3 276L624 276"');
  for (
    const words of ["loss", "step", "a&amp;b", "c", "1", "4", "0.0", "1.0"]
  ) {
    assertStringIncludes(svg, `>${words}</text>`);
  }
  const history = new nn.History();
  assertEquals((await mediaOf(history))["text/plain"], String(history));
  history.losses.push(3, 1);
  const media = await mediaOf(history);
  assertEquals(media["text/plain"], `${history}\n${history.plot()}`);
  assertStringIncludes(media["text/html"], "<svg ");
});

interface Notebook {
  readonly cells: readonly {
    readonly cell_type: "code" | "markdown";
    readonly source: readonly string[];
    readonly outputs?: readonly unknown[];
  }[];
}

Deno.test("the notebook on LeNet runs in Deno's kernel, and its cells show what they should", async () => {
  const folder = new URL("../../repl/lessons/", import.meta.url);
  const { cells }: Notebook = JSON.parse(
    await Deno.readTextFile(new URL("lenet.ipynb", folder)),
  );
  await using kernel = await Kernel.start(folder);
  const results: Record<string, string>[] = [];
  for (const { cell_type, source, outputs } of cells) {
    if (cell_type !== "code") continue;
    assertEquals(outputs, []);
    const { data, error } = await kernel.execute(source.join(""));
    assertEquals(error, undefined, source.join(""));
    results.push(data ?? {});
  }
  const [
    start,
    maps,
    scores,
    summary,
    data,
    history,
    accuracy,
    filters,
    features,
    spread,
    matrix,
    heat,
  ] = results;
  assertEquals(start, {});
  assertEquals(textOf(maps), "[ 1, 6, 28, 28 ]");
  assertEquals(textOf(scores), "[ 1, 10 ]");
  assertStringIncludes(summary["text/html"], "Total params: 61,706");
  assertStringIncludes(history["text/html"], "<svg ");
  assertStringIncludes(history["text/plain"], "1 epoch");
  assert(Number(textOf(accuracy)) > 0.5, textOf(accuracy));
  for (
    const [media, count, [width, height]] of [
      [data, 12, [288, 172]],
      [filters, 6, [220, 35]],
      [features, 6, [288, 114]],
      [heat, 2, [114, 56]],
    ] as const
  ) {
    const file = Uint8Array.fromBase64(media["image/png"]);
    const image = await nn.decodeImage(file);
    assertEquals(media["text/html"].split("<img ").length - 1, count);
    assertEquals([image.width, image.height], [width, height]);
  }
  assertStringIncludes(spread["text/plain"], "150 values");
  assertStringIncludes(matrix["text/plain"], " of 200 right: ");
});

/** A value's text without colours. */
function textOf(media: Record<string, string>): string {
  // deno-lint-ignore no-control-regex -- the codes are what is looked for
  return media["text/plain"].replaceAll(/\x1b\[[\d;]*m/g, "");
}
