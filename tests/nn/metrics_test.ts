import { assertEquals, assertThrows } from "@std/assert";
import { nn, randn, ShapeError, tensor, zeros } from "../../mod.ts";
import { onBothDevices } from "../support/devices.ts";

const labelsOf = (values: readonly number[]) =>
  tensor([...values], { dtype: "i32" });

onBothDevices(
  "accuracy counts the labels with the highest score, the first of equal ones",
  async () => {
    const logits = tensor([[1, 2, 3], [3, 2, 1], [2, 2, 1], [2, 2, 1]]);
    const labels = labelsOf([2, 0, 0, 1]);
    assertEquals(await nn.accuracy(logits, labels).item(), 0.75);
    assertEquals(await nn.topK(logits, labels, 1).item(), 0.75);
    assertEquals(await nn.topK(logits, labels, 2).item(), 1);
  },
);

onBothDevices("accuracy and topK take planes of labels", async () => {
  const logits = tensor([[[[5, 1]], [[2, 3]], [[1, 4]]]]); // [1, 3, 1, 2]
  const labels = tensor([[[1, 1]]], { dtype: "i32" });
  assertEquals(await nn.accuracy(logits, labels).item(), 0);
  assertEquals(await nn.topK(logits, labels, 2).item(), 1);
});

onBothDevices(
  "topK finds no label whose score is NaN, and counts NaN above others",
  async () => {
    const logits = tensor([[NaN, 1, 0], [NaN, 1, 0]]);
    const labels = labelsOf([0, 1]);
    assertEquals(await nn.topK(logits, labels, 1).item(), 0);
    assertEquals(await nn.topK(logits, labels, 2).item(), 0.5);
  },
);

onBothDevices("topK agrees with sorting", async () => {
  const logits = randn([50, 7]);
  const rows = await logits.array() as number[][];
  const labels = rows.map((_, i) => i % 7);
  for (const k of [1, 3, 7]) {
    const found = rows.filter((row, i) =>
      row.toSorted((a, b) => b - a).slice(0, k).includes(row[labels[i]])
    );
    const part = await nn.topK(logits, labelsOf(labels), k).item();
    assertEquals(Math.round(part * 50), found.length);
  }
});

onBothDevices(
  "a confusion matrix has the true classes in its rows",
  async () => {
    const scores = tensor([[9, 0, 0], [9, 0, 0], [0, 0, 9], [0, 9, 0]]);
    const labels = labelsOf([0, 1, 1, 1]);
    const expected = [[1, 0, 0], [1, 1, 1], [0, 0, 0]];
    const matrix = nn.confusionMatrix(scores, labels);
    assertEquals(matrix.dtype, "i32");
    assertEquals(await matrix.array(), expected);
    const guesses = scores.argmax(1);
    assertEquals(
      await nn.confusionMatrix(guesses, labels, { classes: 3 }).array(),
      expected,
    );
    const none = nn.confusionMatrix(zeros([0, 2]), labelsOf([]));
    assertEquals(await none.array(), [[0, 0], [0, 0]]);
  },
);

onBothDevices("metrics refuse what doesn't fit", () => {
  const labels = labelsOf([0, 1]);
  assertThrows(
    () => nn.accuracy(zeros([3, 4]), labels),
    ShapeError,
    "Cannot compare scores of shape [3, 4] with i32 labels of shape [2]: expected [N, C, …] and integers of [N, …]",
  );
  assertThrows(
    () => nn.topK(zeros([2, 4]), zeros([2]), 1),
    ShapeError,
    "Cannot compare scores of shape [2, 4] with f32 labels of shape [2]: expected [N, C, …] and integers of [N, …]",
  );
  assertThrows(
    () => nn.topK(zeros([2, 4]), labels, 0),
    RangeError,
    "Cannot look for labels among the 0 highest scores: expected an integer of 1 or more",
  );
  assertThrows(
    () => nn.confusionMatrix(labels, labels),
    RangeError,
    "Cannot count guesses: their number of classes is unknown, pass { classes }",
  );
  assertThrows(
    () => nn.confusionMatrix(labelsOf([1]), labels, { classes: 3 }),
    ShapeError,
    "Cannot compare guesses of shape [1] with labels of shape [2]: expected the same shape",
  );
});
