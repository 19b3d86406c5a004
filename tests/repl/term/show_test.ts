import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  init,
  memory,
  nn,
  resetPeakMemory,
  tensor,
  zeros,
} from "../../../mod.ts";
import { encodePng } from "../../../repl/term/png.ts";
import { show, type ShowOptions } from "../../../repl/term/show.ts";
import type { Showable } from "../../../repl/term/shown.ts";

await init({ seed: 0 });

const plain = { colors: "none", columns: 80 } as const;

async function rows(x: Showable, options: ShowOptions = {}) {
  return (await show(x, { screen: plain, scale: 1, ...options })).rows;
}

const grey = [[0, 3, 6, 9], [0, 3, 6, 9]];

Deno.test("tensors of two to four axes are grey or coloured pictures, one or several with their numbers", async () => {
  using one = tensor(grey);
  assertEquals(await rows(one), [" -*@"]);
  using channel = one.reshape([1, 2, 4]);
  assertEquals(await rows(channel), [" -*@"]);
  using batch = one.reshape([2, 1, 1, 4]);
  assertEquals(await rows(batch), [" -*@   -*@", "0     1"]);
  using red = tensor([[[1, 0]], [[0, 0]], [[0, 0]]]);
  const { rows: [row] } = await show(red, {
    screen: { colors: "full", columns: 80 },
    scale: 1,
  });
  assertEquals(
    row,
    "\x1b[38;2;255;0;0;48;2;255;0;0m▀\x1b[38;2;0;0;0;48;2;0;0;0m▀\x1b[0m",
  );
  using flags = red.unsqueeze(0).expand([2, 3, 1, 2]);
  assertEquals(await rows(flags), ["-   -", "0   1"]);
  assertEquals(await rows(red, { maps: true }), ["@", "0   1   2"]);
});

Deno.test("colours between 0 and 1 are taken as they are, others are spread", async () => {
  using dim = tensor([[[0.5]], [[0.5]], [[0.5]]]);
  const full = { colors: "full", columns: 80 } as const;
  const first = async (x: Showable) =>
    (await show(x, { screen: full, scale: 1 })).rows[0];
  assertEquals(
    await first(dim),
    "\x1b[38;2;128;128;128;48;2;128;128;128m▀\x1b[0m",
  );
  using normalised = tensor([[[-1, 1]], [[-1, 1]], [[-1, 1]]]);
  assertEquals(
    await first(normalised),
    "\x1b[38;2;0;0;0;48;2;0;0;0m▀\x1b[38;2;255;255;255;48;2;255;255;255m▀\x1b[0m",
  );
});

Deno.test("other numbers of channels are a grid of maps, a row for each example", async () => {
  using maps = tensor([[[0, 3]], [[6, 9]]]);
  assertEquals(await rows(maps), [" @   @", "0   1"]);
  assertEquals(await rows(maps, { range: "all" }), [" -  *@", "0   1"]);
  assertEquals(await rows(maps, { range: [0, 18] }), [" :  -+", "0   1"]);
  assertEquals(await rows(maps, { labels: ["a", "b"] }), [
    " @   @",
    "a   b",
  ]);
  assertEquals(await rows(maps, { labels: false }), [" @   @"]);
  assertEquals(await rows(maps, { columns: 1 }), [" @", "0", "", " @", "1"]);
  using two = maps.unsqueeze(0).expand([2, 2, 1, 2]);
  assertEquals(await rows(two, { scale: 2 }), [
    "  @@    @@",
    "0,0   0,1",
    "",
    "  @@    @@",
    "1,0   1,1",
  ]);
});

Deno.test("small maps are enlarged, and many are cut off with a word on it", async () => {
  using maps = tensor(
    Array.from({ length: 5 }, () => [[0, 1], [1, 0]]),
  );
  assertEquals((await show(maps, { screen: plain, most: 2 })).rows, [
    "       @@@@@@@         @@@@@@@",
    "       @@@@@@@         @@@@@@@",
    "       @@@@@@@         @@@@@@@",
    "++++++++++++++  ++++++++++++++",
    "@@@@@@@         @@@@@@@",
    "@@@@@@@         @@@@@@@",
    "@@@@@@@         @@@@@@@",
    "0               1",
    "and 3 more: { most: 5 } shows all",
  ]);
});

Deno.test("a layer's filters are shown, and those of a network's first convolution", async () => {
  const conv = new nn.Conv2d(1, 2, [1, 2], { bias: false });
  using values = tensor([[[[0, 1]]], [[[1, 0]]]]);
  conv.weight.assign(values);
  assertEquals(await rows(conv), [" @  @", "0   1"]);
  assertEquals(await rows(new nn.Sequential(new nn.ReLU(), conv)), [
    " @  @",
    "0   1",
  ]);
  const sequence = new nn.Conv1d(2, 1, 3, { bias: false });
  using slope = tensor([[[0, 1, 2], [0, 1, 2]]]);
  sequence.weight.assign(slope);
  assertEquals(await rows(sequence), [" +@"]);
  await assertRejects(
    () => show(new nn.ReLU()),
    TypeError,
    "Cannot show ReLU: it has no convolution, whose filters are pictures",
  );
});

Deno.test("arrays are pixels with { width, height }: bytes from 0 to 255, three or four values a pixel, several pictures in a row", async () => {
  const size = { width: 2, height: 1 };
  assertEquals(await rows([0, 1], size), [" @"]);
  assertEquals(await rows(Uint8Array.of(0, 128), size), [" +"]);
  assertEquals(await rows(Uint8Array.of(0, 0, 0, 255, 255, 255), size), [" @"]);
  assertEquals(
    await rows(Uint8ClampedArray.of(0, 0, 0, 9, 255, 255, 255, 9), size),
    [" @"],
  );
  assertEquals(await rows([0, 1, 1, 0], size), [" @  @", "0   1"]);
  assertEquals(
    await rows({ data: Uint8Array.of(0, 0, 0, 255, 255, 255), ...size }),
    [" @"],
  );
  const data = new ImageData(2, 1);
  data.data.set([0, 0, 0, 255, 255, 255, 255, 255]);
  assertEquals(await rows(data), [" @"]);
  await assertRejects(
    () => show([1, 2, 3], size),
    RangeError,
    "Cannot show 3 values as 1×2 pixels: expected a multiple of 2",
  );
  await assertRejects(
    () => show([1, 2, 3], { width: 2 }),
    RangeError,
    "Cannot show 3 values as pixels: pass their { width, height }",
  );
});

Deno.test("files are shown from their bytes, path and URL", async () => {
  const file = encodePng({
    width: 2,
    height: 1,
    channels: 1,
    data: Uint8Array.of(0, 255),
  });
  const path = await Deno.makeTempFile({ suffix: ".png" });
  try {
    await Deno.writeFile(path, file);
    for (
      const source of [
        file,
        path,
        new URL(`file://${path}`),
        `data:image/png;base64,${file.toBase64()}`,
      ]
    ) assertEquals(await rows(source), [" @"]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a data set shows its first examples with their classes", async () => {
  const data = {
    images: Uint8Array.of(0, 255, 255, 0),
    labels: Uint8Array.of(1, 0),
    count: 2,
    shape: [1, 1, 2],
    classes: ["b", "a"],
  };
  assertEquals(await rows(data), [" @  @", "a   b"]);
  assertEquals(await rows(new nn.ArrayDataset(data)), [" @  @", "a   b"]);
  const floats = {
    length: 3,
    classes: ["c"],
    get: (i: number) =>
      Promise.resolve({
        image: Float32Array.of(i, 9),
        shape: [1, 1, 2],
        label: i,
      }),
  };
  assertEquals(await rows(floats, { most: 2 }), [
    " @   @",
    "c   1",
    "and 1 more: { most: 3 } shows all",
  ]);
});

Deno.test("what is no picture is refused with what is one", async () => {
  using row = zeros([3]);
  await assertRejects(
    () => show(row),
    Error,
    "Cannot show a tensor of shape [3] as pictures: expected [H, W], [C, H, W] or [N, C, H, W], a row of numbers is for plot() and hist()",
  );
  using empty = zeros([0, 3, 4, 4]);
  await assertRejects(
    () => show(empty),
    Error,
    "Cannot show a tensor of shape [0, 3, 4, 4] as pictures: expected [H, W], [C, H, W] or [N, C, H, W]",
  );
  await assertRejects(
    () => show(42 as never),
    TypeError,
    "Cannot show 42: expected a tensor, a layer with filters, a picture's path, URL or bytes, or pixels with { width, height }",
  );
});

Deno.test("a promise is refused with a word on it", async () => {
  await assertRejects(
    () => show(Promise.resolve(1) as never),
    TypeError,
    "Cannot show a promise, which must be awaited first: expected a tensor, a layer with filters, a picture's path, URL or bytes, or pixels with { width, height }",
  );
});

Deno.test("an overlay stands beside its picture, and must have its size", async () => {
  using x = tensor(grey);
  using heat = tensor([[0, 0, 0, 2], [0, 0, 0, 2]]);
  assertEquals(await rows(x, { overlay: heat }), [
    " -*@     @",
    "      heat",
  ]);
  using small = zeros([2, 2]);
  await assertRejects(
    () => show(x, { overlay: small }),
    Error,
    "Cannot lay heat of shape [2, 2] over 1 pictures of 2×4: expected [1, 2, 4]",
  );
});

Deno.test("showing leaves no memory behind and reads no more than it draws", async () => {
  using many = zeros([1000, 8, 8, 1]);
  using turned = many.permute([0, 3, 1, 2]);
  resetPeakMemory();
  const { bytes, tensors } = memory();
  await show(turned, { screen: plain });
  const after = memory();
  assertEquals([after.bytes, after.tensors], [bytes, tensors]);
  assert(after.peakBytes - bytes <= 64 * 8 * 8 * 4);
});
