import { assertEquals } from "@std/assert";
import {
  bar,
  duration,
  ProgressLine,
  quantity,
} from "../../../nn/term/progress.ts";
import { colorsOf, type Screen } from "../../../nn/term/screen.ts";

function screen(options: Partial<Screen>): Screen & { text: string } {
  return {
    colors: "none",
    live: false,
    columns: 80,
    text: "",
    write(text) {
      this.text += text;
    },
    ...options,
  };
}

Deno.test("without a terminal there is one plain row for each tenth of the way", () => {
  const out = screen({});
  const line = new ProgressLine({ screen: out });
  for (let done = 1; done <= 157; done++) {
    line.update({
      label: "epoch 1/3",
      done,
      total: 157,
      facts: `loss ${(2 / done).toFixed(3)}`,
    });
  }
  assertEquals(out.text.trimEnd().split("\n"), [
    "epoch 1/3 16/157 loss 0.125",
    "epoch 1/3 32/157 loss 0.063",
    "epoch 1/3 48/157 loss 0.042",
    "epoch 1/3 63/157 loss 0.032",
    "epoch 1/3 79/157 loss 0.025",
    "epoch 1/3 95/157 loss 0.021",
    "epoch 1/3 110/157 loss 0.018",
    "epoch 1/3 126/157 loss 0.016",
    "epoch 1/3 142/157 loss 0.014",
    "epoch 1/3 157/157 loss 0.013",
  ]);
});

Deno.test("fewer steps than tenths give a row each", () => {
  const out = screen({});
  const line = new ProgressLine({ screen: out });
  for (let done = 1; done <= 3; done++) {
    line.update({ label: "a", done, total: 3, facts: "" });
  }
  assertEquals(out.text, "a 1/3\na 2/3\na 3/3\n");
});

Deno.test("a terminal's row is drawn in place, at most ten times a second, and once more at the end", () => {
  const out = screen({ live: true });
  let now = 0;
  const line = new ProgressLine({ screen: out, now: () => now });
  for (let done = 1; done <= 4; done++) {
    line.update({ label: "epoch 1/1", done, total: 4, facts: "loss 1" });
    now += 60;
  }
  assertEquals(out.text.split("\n"), [
    "epoch 1/1 ━━━━━━────────────────── 1/4 loss 1",
    "\x1b[1A\r\x1b[Kepoch 1/1 ━━━━━━━━━━━━━━━━━━────── 3/4 loss 1",
    "\x1b[1A\r\x1b[Kepoch 1/1 ━━━━━━━━━━━━━━━━━━━━━━━━ 4/4 loss 1",
    "",
  ]);
});

Deno.test("a narrow terminal gets a shorter bar, then none, and never a row that wraps", () => {
  const row = (columns: number) => {
    const out = screen({ live: true, columns });
    new ProgressLine({ screen: out }).update({
      label: "epoch 1/1",
      done: 1,
      total: 4,
      facts: "loss 1.25",
    });
    return out.text;
  };
  assertEquals(row(40), "epoch 1/1 ━━━━─────────── 1/4 loss 1.25\n");
  assertEquals(row(28), "epoch 1/1 1/4 loss 1.25\n");
  assertEquals(row(16), "epoch 1/1 1/4 l\n");
});

Deno.test("the bar has colours where the screen has them", () => {
  const out = screen({ live: true, colors: "indexed", columns: 20 });
  new ProgressLine({ screen: out }).update({
    label: "a",
    done: 1,
    total: 2,
    facts: "",
  });
  assertEquals(out.text, "a \x1b[36m━━━━━━╸\x1b[0m\x1b[2m──────\x1b[0m 1/2\n");
});

Deno.test("a bar shows halves of a column", () => {
  assertEquals([0, 0.25, 0.6, 1, 2, -1].map((x) => bar(x, 2).join("")), [
    "──",
    "╸─",
    "━─",
    "━━",
    "━━",
    "──",
  ]);
});

Deno.test("durations and quantities are short", () => {
  assertEquals([0, 12.4, 59.6, 75, 3723, Infinity].map(duration), [
    "0:00",
    "0:12",
    "1:00",
    "1:15",
    "1:02:03",
    "-:--",
  ]);
  assertEquals(
    [0.5, 9.96, 870, 999.6, 1900, 9960, 34_000, 999_600, 2.1e6].map(quantity),
    [
      "0.5",
      "10",
      "870",
      "1.0k",
      "1.9k",
      "10k",
      "34k",
      "1.0M",
      "2.1M",
    ],
  );
});

Deno.test("colours follow the terminal and the environment", () => {
  const colors = (terminal: boolean, env: Record<string, string>) =>
    colorsOf(terminal, (name) => env[name]);
  assertEquals(colors(false, { COLORTERM: "truecolor" }), "none");
  assertEquals(colors(true, { COLORTERM: "truecolor" }), "full");
  assertEquals(colors(true, { COLORTERM: "24bit", NO_COLOR: "1" }), "none");
  assertEquals(
    colors(true, { TERM: "xterm-256color", NO_COLOR: "" }),
    "indexed",
  );
  assertEquals(colors(true, { TERM: "xterm-kitty" }), "full");
  assertEquals(colors(true, { TERM: "dumb" }), "none");
});
