import { assertEquals, assertRejects } from "@std/assert";
import { init, nn, tensor } from "../../../mod.ts";
import { plot } from "../../../nn/term/plot.ts";
import { pictures } from "../../../repl/term/picture.ts";
import { saveImage, type SaveImageOptions } from "../../../repl/term/save.ts";
import { scene } from "../../support/pictures.ts";

await init({ seed: 0 });

const plain = { colors: "none", columns: 80 } as const;

/** Saves, and gives the file's bytes. */
async function saved(
  x: Parameters<typeof saveImage>[0],
  options: SaveImageOptions = {},
): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir();
  try {
    await saveImage(x, `${folder}/x.png`, options);
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), [
      "x.png",
    ]);
    return await Deno.readFile(`${folder}/x.png`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The picture in a file, its number of channels first. */
async function read(file: Uint8Array) {
  const { width, height, data } = await nn.decodeImage(file);
  const channels = { 0: 1, 2: 3, 6: 4 }[file[25]];
  return { channels, width, height, pixels: [...data] };
}

Deno.test("colours come back from the file as they were, from a tensor, pixels or a drawing", async () => {
  const picture = scene(9, 5, 3);
  const { width, height, data } = picture;
  using rows = tensor(data, { shape: [height, width, 3], dtype: "f32" });
  using x = rows.permute([2, 0, 1]).div(255);
  using bytes = rows.permute([2, 0, 1]);
  const wanted = { channels: 3, width, height, pixels: [...data] };
  assertEquals(await read(await saved(x)), wanted);
  assertEquals(await read(await saved(bytes)), wanted);
  assertEquals(await read(await saved(picture)), wanted);
  assertEquals(await read(await saved(await saved(x))), wanted);
  const drawing = pictures(
    [{ pixels: data, width, height, channels: 3, range: [0, 255] }],
    { screen: plain },
  );
  assertEquals(await read(await saved(drawing)), wanted);
});

Deno.test("grey values between 0 and 1 and whole ones up to 255 are taken as they are, others spread", async () => {
  const grey = (...values: number[]) => values.flatMap((v) => [v, v, v]);
  const one = { channels: 1, width: 3, height: 1 };
  const file = async (values: number[], options: SaveImageOptions = {}) => {
    using x = tensor([values]);
    return await read(await saved(x, options));
  };
  assertEquals(await file([0, 0.2, 0.4]), { ...one, pixels: grey(0, 51, 102) });
  assertEquals(await file([1, 7, 9]), { ...one, pixels: grey(1, 7, 9) });
  assertEquals(await file([-1, 0, 1]), { ...one, pixels: grey(0, 128, 255) });
  assertEquals(await file([0, 0.2, 0.4], { range: "each" }), {
    ...one,
    pixels: grey(0, 128, 255),
  });
  assertEquals(await file([0, 1, 4], { range: [0, 2] }), {
    ...one,
    pixels: grey(0, 128, 255),
  });
  assertEquals(await file([0, 1, 2], { map: "signed" }), {
    channels: 3,
    width: 3,
    height: 1,
    pixels: [245, 245, 245, 245, 244, 244, 245, 243, 243],
  });
});

Deno.test("four channels are colours and opacity", async () => {
  using x = tensor([[[1, 0]], [[0, 1]], [[0, 0]], [[1, 0.5]]]);
  assertEquals(await read(await saved(x)), {
    channels: 4,
    width: 2,
    height: 1,
    pixels: [255, 0, 0, 0, 255, 0],
  });
});

Deno.test("maps are saved as a grid with room between them, and every pixel as large as is asked for", async () => {
  using maps = tensor([[[0]], [[1]], [[0]], [[1]], [[1]]]);
  const { channels, width, height, pixels } = await read(
    await saved(maps, { columns: 3 }),
  );
  assertEquals([channels, width, height], [4, 100, 66]);
  const at = (x: number, y: number) => pixels[(y * width + x) * 3];
  assertEquals(
    [at(0, 0), at(34, 0), at(65, 31), at(68, 0), at(0, 34), at(99, 65)],
    [0, 255, 255, 0, 255, 0],
  );
  using one = tensor([[0, 1]]);
  assertEquals(await read(await saved(one, { scale: 2 })), {
    channels: 1,
    width: 4,
    height: 2,
    pixels: [0, 0, 255, 255, 0, 0, 255, 255].flatMap((v) => [v, v, v]),
  });
});

Deno.test("names of other formats and drawings of characters are refused, and nothing is written", async () => {
  using x = tensor([[0, 1]]);
  await assertRejects(
    () => saveImage(x, "x.jpg"),
    TypeError,
    "Cannot save a picture as x.jpg: expected a name that ends in .png",
  );
  await assertRejects(
    () => saveImage(plot([1, 2], { screen: plain }), "x.png"),
    TypeError,
    "Cannot save a drawing of characters as a picture: expected one that show() made, or what it was made of",
  );
});
