import { assertEquals } from "@std/assert";
import { nn } from "../../../mod.ts";
import type { Screen } from "../../../nn/term/screen.ts";

/** The rows that a number of epochs of 10 steps give, `every` steps apart. */
function rows(epochs: number, options: Partial<Screen>, times = 1): string[] {
  let text = "";
  const screen: Screen = {
    colors: "none",
    live: false,
    columns: 80,
    write: (part) => void (text += part),
    ...options,
  };
  let now = 0;
  const show = nn.trainingProgress({ screen, now: () => now });
  for (let run = 0; run < times; run++) {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      for (let step = 1; step <= 10; step++) {
        now += 40;
        show({
          epoch,
          epochs,
          step,
          steps: 10,
          loss: 1,
          accuracy: NaN,
          metrics: { top5: 0.5 },
          ...(step === 10 && { validation: { loss: 2, accuracy: 0.25 } }),
          imagesPerSecond: 100,
          secondsLeft: 1,
        });
      }
    }
  }
  return text.trimEnd().split("\n");
}

Deno.test("without a terminal, training gives a row for every tenth of all epochs", () => {
  const shown = rows(5, {});
  assertEquals(shown.length, 10);
  assertEquals(
    shown[0],
    "epoch 1/5 5/10 loss 1.000 top5 0.500 100 img/s ETA 0:01",
  );
  assertEquals(
    shown[9],
    "epoch 5/5 10/10 loss 1.000 top5 0.500 val loss 2.000 val acc 0.250 100 img/s ETA 0:01",
  );
  assertEquals(rows(5, {}, 2).length, 20);
  assertEquals(rows(1, {}, 2).length, 20);
});

Deno.test("at a terminal, each epoch keeps its row, drawn at most ten times a second", () => {
  const shown = rows(2, { live: true, columns: 120 });
  const begun = shown.filter((row) => !row.startsWith("\x1b"));
  assertEquals(begun.map((row) => row.slice(0, 9)), ["epoch 1/2", "epoch 2/2"]);
  // Of ten steps in 400 ms, every third and the last.
  assertEquals(shown.length, 8);
});
