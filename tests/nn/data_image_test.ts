import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FileFormatError, ShapeError } from "../../core/errors.ts";
import { collate } from "../../nn/data/collate.ts";
import { decodeImage } from "../../nn/data/image.ts";
import { imageFolder } from "../../nn/data/image_folder.ts";
import { png, withFolder, word } from "../support/data_files.ts";
import fixtures from "../fixtures/images.json" with { type: "json" };

type Name = keyof typeof fixtures;

/** What a file of the fixtures decodes to, and the largest difference from Pillow's pixels. */
async function compare(name: Name): Promise<[number, number, number]> {
  const { file, rgb } = fixtures[name];
  const { width, height, data } = await decodeImage(
    Uint8Array.fromBase64(file),
  );
  const expected = Uint8Array.fromBase64(rgb);
  assertEquals(data.length, expected.length);
  const differences = data.map((v, i) => Math.abs(v - expected[i]));
  return [width, height, Math.max(...differences)];
}

Deno.test("PNG files of every kind give Pillow's bytes", async () => {
  const names: Name[] = [
    "rgb.png",
    "grey.png",
    "rgb_alpha.png",
    "grey_alpha.png",
    "palette.png",
    "bilevel.png",
    "profile.png",
  ];
  for (const name of names) {
    assertEquals(await compare(name), [7, 5, 0], name);
  }
});

Deno.test("JPEG files give Pillow's pixels but for rounding", async () => {
  const limits = {
    "full.jpg": 2,
    "halved.jpg": 4,
    "progressive.jpg": 4,
    "grey.jpg": 1,
    "cmyk.jpg": 2,
  };
  for (const [name, limit] of Object.entries(limits)) {
    const [width, height, difference] = await compare(name as Name);
    assertEquals([width, height], [21, 13], name);
    assert(difference <= limit, `${name}: ${difference}`);
  }
});

Deno.test("a picture that was taken with the camera turned is put upright", async () => {
  const { file } = fixtures["turned.jpg"];
  const { width, height } = await decodeImage(Uint8Array.fromBase64(file));
  assertEquals([width, height], [13, 21]);
});

Deno.test("files that are no pictures, 16 bits a channel and pictures too large are refused", async () => {
  const deep = Uint8Array.fromBase64(fixtures["sixteen_bits.png"].file);
  const large = await png(1, 1, [1, 2, 3]);
  large.set(word(100_000), 16);
  large.set(word(900), 20);
  const broken = Uint8Array.fromBase64(fixtures["rgb.png"].file);
  const cases: [Uint8Array, string][] = [
    [deep, "16 bits a channel, where 8 are read"],
    [large, "100000×900 pixels, more than the 89478485 that are read"],
    [new Uint8Array(), "the file is no PNG or JPEG, or it is damaged"],
    [broken.slice(0, 60), "the file is no PNG or JPEG, or it is damaged"],
    [Uint8Array.of(1, 2), "the file is no PNG or JPEG, or it is damaged"],
  ];
  for (const [bytes, rule] of cases) {
    const error = await assertRejects(
      () => decodeImage(bytes),
      FileFormatError,
    );
    assertEquals(error.message, `Cannot decode bytes: ${rule}`);
    assertEquals([error.file, error.offset, error.rule], ["bytes", 0, rule]);
  }
});

/** Writes pictures of one colour each. */
async function paint(
  folder: string,
  files: Readonly<Record<string, readonly [number, number, number[]]>>,
): Promise<void> {
  for (const [name, [width, height, rgb]] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    const pixels = new Array(width * height).fill(rgb).flat();
    await Deno.writeFile(path, await png(width, height, pixels));
  }
}

Deno.test("a folder of folders gives sorted classes and files, decoded when they are asked for", async () => {
  await withFolder(async (folder) => {
    await paint(folder, {
      "dog/b.PNG": [2, 1, [1, 2, 3]],
      "dog/a/z.png": [2, 1, [4, 5, 6]],
      "Cat/10.png": [2, 1, [7, 8, 9]],
      "Cat/9.jpg": [2, 1, [10, 11, 12]],
      ".hidden/x.png": [1, 1, [0, 0, 0]],
      "Cat/.thumb.png": [1, 1, [0, 0, 0]],
    });
    await Deno.writeTextFile(`${folder}/Cat/notes.txt`, "no picture");
    await Deno.writeTextFile(`${folder}/readme.png`, "in no class");
    const data = await imageFolder(folder);
    assertEquals([data.length, data.classes], [4, ["Cat", "dog"]]);
    assertEquals(
      data.files.map(({ path, label }) => [path.slice(folder.length), label]),
      [["/Cat/10.png", 0], ["/Cat/9.jpg", 0], ["/dog/a/z.png", 1], [
        "/dog/b.PNG",
        1,
      ]],
    );
    const { image, shape, label } = await data.get(2);
    assertEquals([shape, label, [...image]], [[3, 1, 2], 1, [
      4,
      4,
      5,
      5,
      6,
      6,
    ]]);
    const error = await assertRejects(() => data.get(4), RangeError);
    assertEquals(
      error.message,
      "Cannot get example 4: expected an integer from 0 to 3",
    );
  });
});

Deno.test("a transform changes each picture, and may make it grey", async () => {
  await withFolder(async (folder) => {
    await paint(folder, { "a/1.png": [3, 2, [10, 20, 30]] });
    const data = await imageFolder(folder, {
      transform: ({ data }) => ({
        width: 2,
        height: 1,
        data: data.slice(1, 3),
      }),
    });
    const { image, shape } = await data.get(0);
    assertEquals([shape, [...image]], [[1, 1, 2], [20, 30]]);
    const odd = await imageFolder(folder, {
      transform: ({ data }) => ({
        width: 4,
        height: 1,
        data: data.slice(0, 6),
      }),
    });
    const error = await assertRejects(() => odd.get(0), FileFormatError);
    assertEquals(
      error.message,
      `Cannot read ${folder}/a/1.png: 6 bytes for 4×1 pixels`,
    );
  });
});

Deno.test("pictures of several sizes don't go into a batch", async () => {
  await withFolder(async (folder) => {
    await paint(folder, {
      "a/1.png": [3, 2, [1, 1, 1]],
      "a/2.png": [2, 2, [1, 1, 1]],
    });
    const data = await imageFolder(folder);
    const error = await assertRejects(
      () => collate(data, Uint32Array.of(0, 1), 0),
      ShapeError,
    );
    assertEquals(
      error.message,
      "Cannot put examples 0 and 1 into a batch: their shapes are [3, 2, 3] and [3, 2, 2], resize them to one size",
    );
  });
});

Deno.test("threads decode to the same examples and the same errors, and end by themselves", async () => {
  await withFolder(async (folder) => {
    const files: Record<string, [number, number, number[]]> = {};
    for (let i = 0; i < 9; i++) files[`a/${i}.png`] = [2, 1, [i, 2 * i, 255]];
    await paint(folder, files);
    await Deno.writeTextFile(`${folder}/a/9.png`, "x");
    const here = await imageFolder(folder);
    const there = await imageFolder(folder, { workers: 2 });
    for (let round = 0; round < 2; round++) {
      const all = Array.from({ length: 9 }, (_, i) => i);
      assertEquals(
        await Promise.all(all.map((i) => there.get(i))),
        await Promise.all(all.map((i) => here.get(i))),
      );
      const errors = [];
      for (const data of [here, there]) {
        errors.push(await assertRejects(() => data.get(9), FileFormatError));
      }
      assertEquals(errors[1].message, errors[0].message);
      assertEquals([errors[1].file, errors[1].rule], [
        errors[0].file,
        errors[0].rule,
      ]);
      // The sanitizers of Deno.test see to it that no thread is left.
      await new Promise((done) => setTimeout(done, 150));
    }
    await Deno.remove(`${folder}/a/0.png`);
    const gone = await assertRejects(
      () => there.get(0),
      Deno.errors.NotFound,
    );
    assertMatch(gone.message, /No such file/);
    await new Promise((done) => setTimeout(done, 150));
    const refused = await assertRejects(
      () => imageFolder(folder, { workers: -1 }),
      RangeError,
    );
    assertEquals(
      refused.message,
      "Cannot decode in -1 threads: expected an integer of 0 or more",
    );
  });
});

Deno.test("a folder without classes, a class without pictures and a damaged picture are named", async () => {
  await withFolder(async (folder) => {
    const none = await assertRejects(
      () => imageFolder(folder),
      Deno.errors.NotFound,
    );
    assertEquals(
      none.message,
      `Cannot read pictures in ${folder}: expected a folder for each class, there is none`,
    );
    await Deno.mkdir(`${folder}/cat`);
    const empty = await assertRejects(
      () => imageFolder(folder),
      Deno.errors.NotFound,
    );
    assertEquals(
      empty.message,
      `Cannot read pictures in ${folder}/cat: no file ends in .png, .jpg, .jpeg`,
    );
    await Deno.writeTextFile(`${folder}/cat/1.png`, "x");
    const data = await imageFolder(folder);
    const damaged = await assertRejects(() => data.get(0), FileFormatError);
    assertEquals(
      damaged.message,
      `Cannot decode ${folder}/cat/1.png: the file is no PNG or JPEG, or it is damaged`,
    );
  });
});
