import { assert, assertEquals } from "@std/assert";
import { type Picture, pictures } from "../../../repl/term/picture.ts";

const plain = { colors: "none", columns: 80 } as const;

const slope: Picture = {
  pixels: Array.from({ length: 40 }, (_, i) => i % 10),
  width: 10,
  height: 4,
};

Deno.test("without colours a picture is characters of growing density, two pixels each", () => {
  assertEquals(pictures([slope], { screen: plain }).rows, [
    " .:-=+*#%@",
    " .:-=+*#%@",
  ]);
});

Deno.test("with colours a character is an upper and a lower pixel", () => {
  const dot: Picture = { pixels: [0, 255, 255, 0], width: 2, height: 2 };
  assertEquals(
    pictures([dot], { screen: { colors: "full", columns: 80 } }).rows,
    [
      "\x1b[38;2;0;0;0;48;2;255;255;255m▀\x1b[38;2;255;255;255;48;2;0;0;0m▀\x1b[0m",
    ],
  );
  assertEquals(
    pictures([dot], { screen: { colors: "indexed", columns: 80 } }).rows[0],
    "\x1b[38;5;16;48;5;231m▀\x1b[38;5;231;48;5;16m▀\x1b[0m",
  );
});

Deno.test("a colour is named only where it changes, and an odd last row stands for both halves", () => {
  const bar: Picture = { pixels: [1, 1, 0], width: 3, height: 1 };
  assertEquals(
    pictures([bar], { screen: { colors: "full", columns: 80 } }).rows[0],
    "\x1b[38;2;255;255;255;48;2;255;255;255m▀▀\x1b[38;2;0;0;0;48;2;0;0;0m▀\x1b[0m",
  );
});

Deno.test("labels stand beneath their pictures, wrapped to the width and coloured by tone", () => {
  const list: Picture[] = [
    { ...slope, label: "Sneaker ✓", tone: "good" },
    { ...slope, label: "T-shirt/top ✗ Coat", tone: "bad" },
  ];
  assertEquals(pictures(list, { screen: plain }).rows, [
    " .:-=+*#%@   .:-=+*#%@",
    " .:-=+*#%@   .:-=+*#%@",
    "Sneaker ✓   T-shirt/to",
    "            p ✗ Coat",
  ]);
  const coloured = pictures(list, { screen: { colors: "full", columns: 80 } });
  assertEquals(
    coloured.rows[2],
    "\x1b[32mSneaker ✓\x1b[0m   \x1b[31mT-shirt/to\x1b[0m",
  );
});

Deno.test("pictures become smaller, then break into rows, to fit the screen", () => {
  const large: Picture = {
    pixels: new Uint8Array(28 * 28).fill(200),
    width: 28,
    height: 28,
  };
  for (
    const [count, columns, rows] of [[2, 80, 14], [4, 80, 9], [8, 80, 15]]
  ) {
    const drawn = pictures(Array(count).fill(large), {
      screen: { colors: "none", columns },
      range: [0, 255],
    }).rows;
    assertEquals(drawn.length, rows);
    assert(drawn.every((row) => row.length <= columns));
  }
});

Deno.test("a smaller picture has the means of the pixels that it covers", () => {
  const fine: Picture = {
    pixels: [0, 9, 9, 9, 0, 0, 9, 9],
    width: 4,
    height: 2,
  };
  assertEquals(
    pictures([fine], { screen: plain, width: 2, range: [0, 9] }).rows[0],
    ":@",
  );
});

Deno.test("a picture of one grey is black unless a range says otherwise", () => {
  const grey: Picture = { pixels: [5, 5], width: 2, height: 1 };
  assertEquals(pictures([grey], { screen: plain }).rows[0], "");
  assertEquals(
    pictures([grey], { screen: plain, range: [0, 10] }).rows[0],
    "++",
  );
});

Deno.test("no pictures are an empty drawing", () => {
  assertEquals(String(pictures([], { screen: plain })), "");
});
