import { assert, assertEquals } from "@std/assert";
import { decodeImage } from "../../../nn/data/image.ts";
import { Gallery, type Picture, pictures } from "../../../repl/term/picture.ts";
import { encodePng } from "../../../repl/term/png.ts";
import { encodeSixel } from "../../../repl/term/sixel.ts";
import { scene } from "../../support/pictures.ts";
import { readIterm, readKitty, readSixel } from "../../support/inline.ts";

const screen = { colors: "full", columns: 80 } as const;

/** Red, green, blue and white. */
const flag: Picture = {
  pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255],
  width: 2,
  height: 2,
  channels: 3,
  label: "flag",
};

Deno.test("a PNG file of each number of channels is decoded to the pixels that it was made of", async () => {
  const { width, height, data } = scene(13, 7, 3);
  const rgb = await decodeImage(
    encodePng({ width, height, channels: 3, data }),
  );
  assertEquals(rgb, { width, height, data });

  const grey = scene(13, 7, 1).data;
  const thrice = Uint8Array.from(
    { length: grey.length * 3 },
    (_, i) => grey[Math.floor(i / 3)],
  );
  const one = await decodeImage(
    encodePng({ width, height, channels: 1, data: grey }),
  );
  assertEquals(one.data, thrice);
  for (const channels of [2, 4] as const) {
    const colors = channels === 2 ? grey : data;
    const each = channels - 1;
    const clear = Uint8Array.from(
      { length: width * height * channels },
      (_, i) =>
        i % channels === each
          ? 128
          : colors[Math.floor(i / channels) * each + i % channels],
    );
    const read = await decodeImage(
      encodePng({ width, height, channels, data: clear }),
    );
    assertEquals(read.data, channels === 2 ? thrice : data);
  }
});

Deno.test("kitty and iTerm2 get a PNG with sharp pixels, the columns and rows that it takes, and labels beneath", async () => {
  for (const images of ["kitty", "iterm"] as const) {
    const { rows } = pictures([flag, flag], { screen, images, scale: 2 });
    assertEquals(rows.slice(1), ["flag  flag"]);
    const { file, columns, rows: lines } = images === "kitty"
      ? readKitty(rows[0])
      : readIterm(rows[0]);
    assertEquals([columns, lines], [10, 2]);
    const { width, height, data } = await decodeImage(file);
    assertEquals([width, height], [100, 40]);
    const at = (x: number, y: number) => [
      ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
    ];
    for (const left of [0, 60]) {
      assertEquals(at(left, 0), [255, 0, 0]);
      assertEquals(at(left + 19, 19), [255, 0, 0]);
      assertEquals(at(left + 20, 19), [0, 255, 0]);
      assertEquals(at(left + 19, 20), [0, 0, 255]);
      assertEquals(at(left + 39, 39), [255, 255, 255]);
    }
  }
});

Deno.test("kitty gets large pictures in several commands", async () => {
  const { width, height, data } = scene(60, 60, 3);
  const large = { pixels: data, width, height, channels: 3 } as const;
  const { rows: [text] } = pictures([large], {
    screen,
    images: "kitty",
    range: [0, 255],
  });
  assert(text.split("\x1b_G").length > 3);
  const { file, columns, rows } = readKitty(text);
  assertEquals([columns, rows], [60, 30]);
  const shown = await decodeImage(file);
  assertEquals([shown.width, shown.height], [600, 600]);
  assertEquals(shown.data.slice(0, 3), data.slice(0, 3));
  assertEquals(shown.data.slice(-3), data.slice(-3));
});

Deno.test("sixels draw up to 256 colours as they are, and nothing between pictures; labels stand in a row", () => {
  const { rows } = pictures([flag, { ...flag, label: "again" }], {
    screen,
    images: "sixel",
  });
  assertEquals(rows.slice(1), ["flag · again"]);
  const { width, height, pixels } = readSixel(rows[0]);
  assertEquals([width, height], [48, 16]);
  const at = (x: number, y: number) => pixels[y * width + x];
  for (const left of [0, 32]) {
    assertEquals(at(left, 0), [100, 0, 0]);
    assertEquals(at(left + 7, 7), [100, 0, 0]);
    assertEquals(at(left + 8, 0), [0, 100, 0]);
    assertEquals(at(left, 15), [0, 0, 100]);
    assertEquals(at(left + 15, 15), [100, 100, 100]);
  }
  assertEquals(at(16, 0), undefined);
  assertEquals(at(31, 15), undefined);
});

Deno.test("sixels of more colours keep the picture's means in each part of it", () => {
  const [width, height] = [48, 48];
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    data.set([x * 5, y * 5, 255 - x * 3 - y * 2, 255], i * 4);
  }
  const drawn = readSixel(encodeSixel({ width, height, data }));
  for (let top = 0; top < height; top += 12) {
    for (let left = 0; left < width; left += 12) {
      const sums = [0, 0, 0];
      for (let k = 0; k < 144; k++) {
        const i = (top + Math.floor(k / 12)) * width + left + k % 12;
        const pixel = drawn.pixels[i]!;
        sums.forEach((_, c) =>
          sums[c] += pixel[c] * 2.55 / 144 - data[i * 4 + c] / 144
        );
      }
      const wrong = Math.max(...sums.map(Math.abs));
      assert(wrong < 8, `${left},${top}: ${sums}`);
    }
  }
});

Deno.test("where pictures are off a row tells how many there are; without colours nothing but characters is sent", () => {
  assertEquals(pictures([flag], { screen, images: "off" }).rows, [
    "[a picture of 2×2]",
  ]);
  assertEquals(pictures([flag, flag], { screen, images: "off" }).rows, [
    "[2 pictures of 2×2]",
  ]);
  const wide = { ...flag, pixels: flag.pixels, width: 4, height: 1 };
  assertEquals(pictures([flag, wide], { screen, images: "off" }).rows, [
    "[2 pictures]",
  ]);
  const plain = { colors: "none", columns: 80 } as const;
  for (const images of ["half", "kitty", "iterm", "sixel"] as const) {
    const { rows } = pictures([flag], { screen: plain, images });
    assertEquals(rows, [":#", "fl", "ag"]);
  }
});

Deno.test("colours are half blocks, and of 256 colours the nearest", () => {
  assertEquals(
    pictures([flag], { screen }).rows[0],
    [
      "\x1b[38;2;255;0;0;48;2;0;0;255m▀",
      "\x1b[38;2;0;255;0;48;2;255;255;255m▀\x1b[0m",
    ].join(""),
  );
  const indexed = { colors: "indexed", columns: 80 } as const;
  assertEquals(
    pictures([flag], { screen: indexed }).rows[0],
    [
      "\x1b[38;5;196;48;5;21m▀",
      "\x1b[38;5;46;48;5;231m▀\x1b[0m",
    ].join(""),
  );
  const dull = { ...flag, pixels: [100, 101, 102, 200, 30, 60], height: 1 };
  assertEquals(
    pictures([dull], { screen: indexed, range: [0, 255] }).rows[0],
    "\x1b[38;5;241;48;5;241m▀\x1b[38;5;161;48;5;161m▀\x1b[0m",
  );
});

Deno.test("a signed map is white at zero whatever the ends are; NaN is seen in every form", () => {
  const map = { pixels: [-2, 0, 1, NaN], width: 4, height: 1 } as const;
  const signed: Picture = { ...map, map: "signed" };
  assertEquals(
    pictures([signed], { screen }).rows[0],
    [
      "\x1b[38;2;30;80;200;48;2;30;80;200m▀",
      "\x1b[38;2;245;245;245;48;2;245;245;245m▀",
      "\x1b[38;2;223;143;138;48;2;223;143;138m▀",
      "\x1b[38;2;255;0;255;48;2;255;0;255m▀\x1b[0m",
    ].join(""),
  );
  const plain = { colors: "none", columns: 80 } as const;
  assertEquals(pictures([signed], { screen: plain }).rows, [" +#?"]);
  assertEquals(pictures([map], { screen: plain }).rows, [" *@?"]);
});

Deno.test("pictures share their black and white where all are compared", () => {
  const plain = { colors: "none", columns: 80 } as const;
  const [dark, bright] = [[0, 1], [8, 9]].map((pixels): Picture => ({
    pixels,
    width: 2,
    height: 1,
  }));
  const rows = (range: "each" | "all") =>
    pictures([dark, bright], { screen: plain, range }).rows;
  assertEquals(rows("each"), [" @   @"]);
  assertEquals(rows("all"), [" .  %@"]);
});

Deno.test("heat lies over a picture in colours, and stands alone without", () => {
  const warm: Picture = {
    pixels: [1, 1, 0, 0],
    width: 4,
    height: 1,
    heat: [0, 2, 0, 4],
  };
  assertEquals(
    pictures([warm], { screen }).rows[0],
    [
      "\x1b[38;2;255;255;255;48;2;255;255;255m▀",
      "\x1b[38;2;249;188;159;48;2;249;188;159m▀",
      "\x1b[38;2;0;0;0;48;2;0;0;0m▀",
      "\x1b[38;2;191;191;68;48;2;191;191;68m▀\x1b[0m",
    ].join(""),
  );
  const plain = { colors: "none", columns: 80 } as const;
  assertEquals(pictures([warm], { screen: plain }).rows, [" + @"]);
});

Deno.test("a gallery gives its pictures as pixels: one as it is, several larger and apart", () => {
  const { rows: _, ...one } = pictures([flag], { screen });
  assert(pictures([flag], { screen }) instanceof Gallery);
  assertEquals(one.perRow, 1);
  const single = pictures([flag], { screen }).raster();
  assertEquals([single.width, single.height], [2, 2]);
  assertEquals([...single.data.subarray(4, 8)], [0, 255, 0, 255]);
  const several = pictures([flag, flag, flag], { screen, columns: 2 }).raster();
  assertEquals([several.width, several.height], [66, 66]);
  const at = (x: number, y: number) => [
    ...several.data.subarray((y * 66 + x) * 4, (y * 66 + x) * 4 + 4),
  ];
  assertEquals(at(0, 34), [255, 0, 0, 255]);
  assertEquals(at(32, 0), [0, 0, 0, 0]);
  assertEquals(at(65, 31), [255, 255, 255, 255]);
  assertEquals(at(65, 65), [0, 0, 0, 0]);
});
