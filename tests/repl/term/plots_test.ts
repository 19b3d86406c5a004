import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { init, memory, nn, tensor, zeros } from "../../../mod.ts";
import { confusion } from "../../../repl/term/confusion.ts";
import { plot, type Plottable } from "../../../repl/term/curves.ts";
import { hist, type HistogramOptions } from "../../../repl/term/histogram.ts";
import type { Numbers } from "../../../repl/term/numbers.ts";
import { Gallery } from "../../../repl/term/picture.ts";

await init({ seed: 0 });

const plain = { colors: "none", columns: 80 } as const;

async function bars(x: Numbers, options: HistogramOptions = {}) {
  return (await hist(x, { screen: plain, ...options })).rows;
}

Deno.test("a histogram counts values in equal intervals, between labelled axes, with its facts beneath", async () => {
  using x = tensor([[0, 0.5, 1], [1.25, 1.5, 2]]);
  const { bytes, tensors } = memory();
  assertEquals(await bars(x, { bins: 4, width: 8, height: 2, title: "x" }), [
    "   x",
    "2 ┤    ████",
    "1 ┤████████",
    "0 └┬──────┬",
    "   0      2",
    "   6 values, mean 1.04, std 0.652, min 0, max 2",
  ]);
  assertEquals([memory().bytes, memory().tensors], [bytes, tensors]);
});

Deno.test("whole numbers of few kinds have a bar each above their number, in eighths of a row", async () => {
  const labels = [0, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2];
  assertEquals(await bars(labels, { width: 12, height: 1 }), [
    "8 ┤▁▁▁▁▂▂▂▂████",
    "0 └──┬───┬───┬─",
    "     0   1   2",
    "   11 values, mean 1.64, std 0.643, min 0, max 2",
  ]);
});

Deno.test("NaN and infinity are counted apart, and values outside of a range not at all", async () => {
  assertEquals(
    await bars([NaN, NaN, Infinity, 1, 1, 30], {
      range: [0, 2],
      width: 9,
      height: 1,
    }),
    [
      "2 ┤   ███",
      "0 └─┬──┬──┬─",
      "    0  1  2",
      "   3 values, mean 10.7, std 13.7, min 1, max 30, 2 NaN, 1 infinite",
    ],
  );
  assertEquals(await bars([NaN, -Infinity], { title: "loss" }), [
    "loss",
    "(no values)",
    "1 NaN, 1 infinite",
  ]);
  assertEquals(await bars([]), ["(no values)"]);
});

Deno.test("nested lists and single values have histograms too; other things and empty ranges are refused", async () => {
  assertEquals(
    await bars([[1], [1, 2]], { width: 2, height: 1 }),
    await bars([1, 1, 2], { width: 2, height: 1 }),
  );
  assertEquals((await bars([0.5], { width: 4, height: 1 })).slice(-1), [
    "   1 value, mean 0.5, std 0, min 0.5, max 0.5",
  ]);
  await assertRejects(
    () => hist("x" as never),
    TypeError,
    "Cannot count the values of x: expected a tensor or a list of numbers",
  );
  await assertRejects(
    () => hist(Promise.resolve([1]) as never),
    TypeError,
    "Cannot count the values of a promise, which must be awaited first: expected a tensor or a list of numbers",
  );
  await assertRejects(
    () => hist([1], { bins: 0 }),
    RangeError,
    "Cannot count values in 0 intervals: expected a whole number from 1",
  );
  await assertRejects(
    () => hist([1], { range: [2, 1] }),
    RangeError,
    "Cannot count values from 2 to 1: expected a range that isn't empty",
  );
});

Deno.test("plot draws lists at once, and tensors when they are read", async () => {
  const size = { width: 10, height: 2, screen: plain };
  const drawn = async (x: Plottable) => (await plot(x, size)).rows;
  const line = [
    "2 ┤      ⣀⠤⠒⠉",
    "0 ┤⣀⠤⠤⠒⠊⠉",
    "  └┬────┬───┬",
    "   1    2   3",
  ];
  assertEquals((plot([0, 1, 2], size) as { rows: unknown }).rows, line);
  using x = tensor([0, 1, 2]);
  assertEquals(await drawn(x), line);
  using two = tensor([[0, 1, 2], [2, 1, 0]]);
  const crossed = await drawn(two);
  assertEquals(crossed.at(-1), "   ⠒⠒ 0   ⠂⠂ 1");
  assertEquals(await drawn({ 0: [0, 1, 2], 1: [2, 1, 0] }), crossed);
  assertEquals(await drawn([[0, 1, 2], [2, 1, 0]]), crossed);
  assertEquals(await drawn({ a: x, b: [2, 1, 0] }), [
    ...crossed.slice(0, -1),
    "   ⠒⠒ a   ⠂⠂ b",
  ]);
  assertEquals(await drawn(Float32Array.of(0, 1, 2)), line);
});

Deno.test("plot draws a history by what is asked for", () => {
  const history = new nn.History();
  history.losses.push(2, 1);
  history.lrs.push(0.1, 0.2);
  const size = { width: 8, height: 2, screen: plain };
  assertEquals(String(plot(history, size)), String(history.plot(size)));
  assertEquals(
    String(plot(history, { ...size, metric: "lr" })),
    String(history.plot({ ...size, metric: "lr" })),
  );
});

Deno.test("what has no lines is refused", async () => {
  using cube = zeros([2, 2, 2]);
  await assertRejects(
    async () => await plot(cube),
    Error,
    "Cannot plot a tensor of shape [2, 2, 2]: expected [n], or [lines, n] with up to 8 lines",
  );
  using square = zeros([2, 2]);
  assertThrows(
    () => plot({ square }),
    Error,
    "Cannot plot a tensor of shape [2, 2] as one line: expected [n]",
  );
  assertThrows(
    () => plot("loss" as never),
    TypeError,
    "Cannot plot loss: expected a tensor or a list of numbers",
  );
  assertThrows(
    () => plot({ a: "b" } as never),
    TypeError,
    "Cannot plot b: expected a tensor or a list of numbers",
  );
});

Deno.test("a confusion matrix has a row for each class, its grounds by part, and the part that was right", async () => {
  using matrix = tensor([[3, 1], [0, 0]], { dtype: "i32" });
  const names = ["Ankle boot", "Bag"];
  assertEquals((await confusion(matrix, names, { screen: plain })).rows, [
    "              0  1  right",
    "0 Ankle boot  3  1    75%",
    "1 Bag         ·  ·      –",
    "3 of 4 right: 75.0%",
  ]);
  const { rows } = await confusion(matrix, names, {
    screen: { colors: "full", columns: 80 },
  });
  assertEquals(
    rows[1],
    "0 Ankle boot \x1b[38;2;255;255;255;48;2;0;130;52m 3\x1b[0m" +
      " \x1b[38;2;255;255;255;48;2;110;20;15m 1\x1b[0m    75%",
  );
  assertEquals(rows[2], "1 Bag         ·  ·      –");
});

Deno.test("a confusion matrix that is too wide is a picture", async () => {
  const eye = Array.from(
    { length: 40 },
    (_, i) => Array.from({ length: 40 }, (_, j) => i === j ? 1 : 0),
  );
  const drawing = await confusion(eye, [], { screen: plain });
  assertEquals(drawing instanceof Gallery, true);
  assertEquals(drawing.rows.slice(-2), [
    "                                      ++",
    "40 of 40 right: 100.0%",
  ]);
  await assertRejects(
    () => confusion([[1, 2]], [], { screen: plain }),
    Error,
    "Cannot draw a confusion matrix of shape [1, 2]: expected a square one",
  );
});
