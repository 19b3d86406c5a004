import { assert, assertEquals } from "@std/assert";
import { plot, type PlotOptions, type Series } from "../../../nn/term/plot.ts";

const plain = { colors: "none", columns: 80 } as const;

function rows(series: Series, options: PlotOptions = {}): readonly string[] {
  return plot(series, { screen: plain, ...options }).rows;
}

Deno.test("a falling line starts at the upper left and ends at the lower right, between labelled axes", () => {
  assertEquals(
    rows([2, 1.5, 1, 0.5, 0], {
      title: "loss",
      xLabel: "epoch",
      width: 20,
      height: 4,
    }),
    [
      "   loss",
      "2 ┤⠉⠒⠤⢄⡀",
      "  │    ⠈⠉⠒⠤⢄⡀",
      "1 ┤         ⠈⠉⠒⠢⠤⣀⡀",
      "0 ┤               ⠈⠑⠒⠤⣀",
      "  └┬────┬────────┬────┬",
      "   1    2        4    5",
      "   epoch",
    ],
  );
});

Deno.test("values that aren't finite leave a gap", () => {
  assertEquals(rows([0, 0, NaN, Infinity, 1, 1], { width: 10, height: 2 }), [
    "1 ┤       ⠈⠉⠉",
    "0 ┤⣀⣀⡀",
    "  └┬──────┬─┬",
    "   1      5 6",
  ]);
});

Deno.test("a flat line, a single value and no value at all can be drawn", () => {
  assertEquals(rows([3, 3], { width: 10, height: 3 }), [
    "4 ┤",
    "3 ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤",
    "2 ┤",
    "  └┬────────┬",
    "   1        2",
  ]);
  assertEquals(rows([5], { width: 10, height: 3 }), [
    "6 ┤",
    "  │⠄",
    "4 ┤",
    "  └┬─────────",
    "   1",
  ]);
  assertEquals(rows([], { title: "loss" }), ["loss", "(no values)"]);
  assertEquals(rows([NaN]), ["", "(no values)"]);
});

Deno.test("several lines share the axes and have a legend", () => {
  assertEquals(
    rows({ train: [0, 4], test: [4, 0] }, { width: 12, height: 3 }),
    [
      "4 ┤⠁⠂⠄⡀    ⣀⠤⠒⠉",
      "2 ┤    ⣁⠦⠖⡉",
      "0 ┤⣀⠤⠒⠉    ⠁⠂⠄⡀",
      "  └┬──────────┬",
      "   1          2",
      "   ⠒⠒ train   ⠂⠂ test",
    ],
  );
});

Deno.test("lines have colours where the screen has them, and the text is the same", () => {
  const options = {
    width: 12,
    height: 3,
    screen: { ...plain, colors: "full" } as const,
  };
  const coloured = rows({ a: [0, 4], b: [4, 0] }, options);
  assert(coloured.join("").includes("\x1b[36m"));
  assert(coloured.join("").includes("\x1b[33m"));
  assertEquals(
    // deno-lint-ignore no-control-regex -- the codes are what is taken away
    coloured.map((row) => row.replace(/\x1b\[\d+m/g, "")),
    rows({ a: [0, 4], b: [4, 0] }, { width: 12, height: 3 }),
  );
});

Deno.test("large and small numbers are labelled in powers of ten", () => {
  assertEquals(
    rows([0, 2e7], { width: 10, height: 2 })[0],
    "2.0e+7 ┤     ⣀⡠⠔⠒⠉",
  );
  assertEquals(
    rows([0, 2e-7], { width: 10, height: 2 })[0],
    "2.0e-7 ┤     ⣀⡠⠔⠒⠉",
  );
});

Deno.test("the horizontal axis has the range that is given", () => {
  assertEquals(
    rows([1, 2, 3], { width: 30, height: 2, xRange: [0, 100] }).slice(-2),
    [
      "  └┬──────────────┬─────────────┬",
      "   0             50           100",
    ],
  );
});

Deno.test("a plot fits the columns of the screen", () => {
  for (const columns of [20, 41, 80]) {
    const screen = { colors: "none", columns } as const;
    const drawn = plot([1, 5, 2], { screen }).rows;
    assert(drawn.every((row) => [...row].length <= columns));
  }
});
