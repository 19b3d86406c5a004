/** Losses: PyTorch's values and gradients with every option, as functions and as layers; hand-worked values, edges, errors. */
import { assert, assertEquals } from "@std/assert";
import {
  DTypeError,
  nn,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { sample, testGradients } from "../support/gradcheck.ts";
import { place } from "../support/layers.ts";
import {
  LOSS_CASES,
  LOSS_LAYERS,
  type LossFunction,
  lossOptions,
} from "../support/losses.ts";
import { assertStored } from "../support/torch.ts";

onBothDevices(
  "losses and their gradients are PyTorch's with every option, as functions and as layers",
  async (device) => {
    for (const given of LOSS_CASES) {
      const { name, what, reduction } = given;
      const options = lossOptions(given, device);
      const layer: nn.Module = Reflect.construct(
        Reflect.get(nn, LOSS_LAYERS[name]),
        [options],
      );
      const f: LossFunction = Reflect.get(nn, name);
      const title = `${name} ${what} ${reduction} ${
        JSON.stringify(given.options)
      }`;
      for (
        const run of [
          (x: Tensor, y: Tensor) => f(x, y, options),
          (x: Tensor, y: Tensor) => layer(x, y),
        ]
      ) {
        const x = place(given.x, device, true);
        const y = place(given.y, device, given.dTarget !== undefined);
        const loss = run(x, y);
        await assertStored(loss, given.loss, `${title}, forward`);
        loss.backward(place(given.dy, device));
        await assertStored(x.grad, given.dx, `${title}, gradient`, 1e-4);
        if (!given.dTarget) continue;
        await assertStored(y.grad, given.dTarget, `${title}, target`, 1e-4);
      }
      layer.dispose();
    }
  },
);

onBothDevices(
  "labels that were computed on the device give the same losses",
  async () => {
    const logits = tensor([[1, 2, 4], [0, 0, 0], [3, 1, 2]]);
    const known = tensor([2, -100, 0], { dtype: "i32" });
    const computed = tensor([1, -101, -1], { dtype: "i32" }).add(1);
    for (const reduction of ["none", "mean", "sum"] as const) {
      const weight = tensor([1, 2, 3]);
      for (const labelSmoothing of [0, 0.1]) {
        const options = { reduction, weight, labelSmoothing };
        assertEquals(
          await nn.crossEntropy(logits, computed, options).read(),
          await nn.crossEntropy(logits, known, options).read(),
        );
      }
    }
  },
);

onBothDevices("losses are right, worked by hand", async () => {
  const near = async (loss: Tensor, ...want: number[]) => {
    const got = await loss.read();
    want.forEach((v, i) => assert(Math.abs(got[i] - v) < 1e-6, `${got[i]}`));
  };
  const label = (...values: number[]) => tensor(values, { dtype: "i32" });
  const logits = tensor([[0, Math.log(3)], [0, 0]]);
  const none = { reduction: "none" } as const;
  const [ln2, ln3, ln4] = [2, 3, 4].map(Math.log);
  await near(nn.crossEntropy(logits, label(1, 0), none), ln4 - ln3, ln2);
  await near(
    nn.crossEntropy(logits, label(1, 0), { weight: tensor([3, 1]) }),
    (1 * (ln4 - ln3) + 3 * ln2) / 4,
  );
  await near(
    nn.crossEntropy(logits, label(0, 7), { ignoreIndex: 7 }),
    ln4,
  );
  await near(
    nn.crossEntropy(logits, tensor([[0.5, 0.5], [1, 0]]), none),
    ln4 - ln3 / 2,
    ln2,
  );
  const probability = tensor([0, 1]);
  await near(nn.binaryCrossEntropy(probability, tensor([1, 1]), none), 100, 0);
  await near(
    nn.binaryCrossEntropyWithLogits(tensor([-50, 50]), tensor([1, 1]), none),
    50,
    0,
  );
  const [x, y] = [tensor([0, 0.5, 3]), zeros([3])];
  await near(nn.mseLoss(x, y), 9.25 / 3);
  await near(nn.l1Loss(x, y), 3.5 / 3);
  await near(nn.smoothL1Loss(x, y, none), 0, 0.125, 2.5);
  await near(nn.huberLoss(x, y, { ...none, delta: 2 }), 0, 0.125, 4);
  await near(nn.klDiv(tensor([[-1, -2]]), tensor([[0, 1]])), 1);
});

onBothDevices("an average over no labels is NaN, and their sum 0", async () => {
  const labels = tensor([-100, -100], { dtype: "i32" });
  const x = zeros([2, 3], { requiresGrad: true });
  assertEquals(await nn.crossEntropy(x, labels).item(), NaN);
  const sum = nn.crossEntropy(x, labels, { reduction: "sum" });
  assertEquals(await sum.item(), 0);
  sum.backward();
  assertEquals(await x.grad?.array(), [[0, 0, 0], [0, 0, 0]]);
});

onBothDevices("unsigned labels may be ignored too, and NaN stays", async () => {
  const labels = tensor([1, 255], { dtype: "u32" });
  const x = tensor([[0, 0], [5, NaN]]);
  const options = { ignoreIndex: 255, reduction: "none" } as const;
  const losses = await nn.crossEntropy(x, labels, options).read();
  assert(Math.abs(losses[0] - Math.LN2) < 1e-6);
  assertEquals(losses[1], 0);
  const nan = tensor([NaN]);
  for (
    const loss of [
      nn.binaryCrossEntropy(nan, ones([1])),
      nn.binaryCrossEntropyWithLogits(nan, ones([1])),
      nn.mseLoss(nan, ones([1])),
      nn.l1Loss(nan, ones([1])),
      nn.smoothL1Loss(nan, ones([1])),
      nn.huberLoss(nan, ones([1])),
      nn.klDiv(nan, ones([1])),
    ]
  ) assertEquals(await loss.item(), NaN);
});

testGradients(
  "the losses of class scores have their derivatives",
  (x, y, w) => {
    const labels = tensor([2, -100, 0, 1], { dtype: "i32" }).reshape([2, 2]);
    const weight = w.exp();
    const options = { weight, labelSmoothing: 0.2 };
    return [
      nn.crossEntropy(x, labels, options),
      nn.crossEntropy(x, y.softmax(1), { ...options, reduction: "none" }),
      nn.nllLoss(x, labels, { weight, reduction: "sum" }),
    ];
  },
  [sample([2, 3, 2], 1), sample([2, 3, 2], 2), sample([3], 3)],
);

testGradients(
  "the other losses have their derivatives",
  (x, y) => {
    const [p, t] = [x.sigmoid(), y.sigmoid()];
    const posWeight = tensor([0.5, 2, 3], { dtype: "f64" });
    return [
      nn.binaryCrossEntropy(p, t),
      nn.binaryCrossEntropyWithLogits(x, t, { posWeight }),
      nn.l1Loss(x, y),
      nn.smoothL1Loss(x, y, { beta: 0.3, reduction: "none" }),
      nn.huberLoss(x, y, { delta: 0.7, reduction: "sum" }),
      nn.klDiv(x.logSoftmax(1), y.softmax(1), { reduction: "batchmean" }),
      nn.klDiv(x, y, { logTarget: true }),
    ];
  },
  [sample([2, 3], 4), sample([2, 3], 5)],
);

onDevice("cpu", "losses refuse what they can't do", () => {
  const labels = (...values: number[]) => tensor(values, { dtype: "i32" });
  const x = zeros([2, 3]);
  const cases: [
    () => unknown,
    typeof ShapeError | typeof DTypeError | typeof RangeError,
    string,
  ][] = [
    [
      () => nn.crossEntropy(x, labels(0, 1, 2)),
      ShapeError,
      "Cannot compute cross-entropy of logits [2, 3] and labels [3]: expected labels [2]",
    ],
    [
      () => nn.crossEntropy(zeros([2, 3, 4]), labels(0, 1)),
      ShapeError,
      "Cannot compute cross-entropy of logits [2, 3, 4] and labels [2]: expected labels [2, 4]",
    ],
    [
      () => nn.crossEntropy(x, zeros([2])),
      ShapeError,
      "Cannot compute cross-entropy of logits [2, 3] and probabilities [2]: expected [2, 3], or class indices [2] of i32",
    ],
    [
      () => nn.crossEntropy(zeros([]), labels(0)),
      ShapeError,
      "Cannot compute cross-entropy of logits []: expected [C] or [N, C, ...]",
    ],
    [
      () => nn.crossEntropy(x, zeros([2, 3]).gt(0)),
      DTypeError,
      "Cannot compute cross-entropy with bool labels: expected class indices of i32 or u32, or probabilities of floats",
    ],
    [
      () => nn.crossEntropy(x, x, { ignoreIndex: 1 }),
      DTypeError,
      "Cannot ignore index 1 in cross-entropy with probabilities: expected class indices of i32 or u32",
    ],
    [
      () => nn.crossEntropy(x, labels(0, 1), { weight: ones([2]) }),
      ShapeError,
      "Cannot compute cross-entropy with weights [2]: expected one for each class, [3]",
    ],
    [
      () => nn.crossEntropy(x, labels(0, 1), { labelSmoothing: 1.5 }),
      RangeError,
      "Cannot compute cross-entropy with a label smoothing of 1.5: expected a number from 0 to 1",
    ],
    [
      () => nn.crossEntropy(x, labels(0, -1)),
      RangeError,
      "Cannot compute cross-entropy: label -1 at position 1 is out of range for 3 classes, expected 0 to 2",
    ],
    [
      () => nn.nllLoss(x, labels(3, -100)),
      RangeError,
      "Cannot compute the negative log-likelihood: label 3 at position 0 is out of range for 3 classes, expected 0 to 2",
    ],
    [
      () => nn.nllLoss(x, x),
      DTypeError,
      "Cannot compute the negative log-likelihood with f32 labels: expected class indices of i32 or u32",
    ],
    [
      () => nn.mseLoss(x, zeros([2])),
      ShapeError,
      "Cannot compute the squared error of inputs [2, 3] and targets [2]: expected the same shape",
    ],
    [
      () => new nn.L1Loss()(x, zeros([3])),
      ShapeError,
      "Cannot compute the absolute error of inputs [2, 3] and targets [3]: expected the same shape, in L1Loss()",
    ],
    [
      () => nn.binaryCrossEntropy(x, zeros([3])),
      ShapeError,
      "Cannot compute binary cross-entropy of inputs [2, 3] and targets [3]: expected the same shape",
    ],
    [
      () => nn.smoothL1Loss(x, x, { beta: -1 }),
      RangeError,
      "Cannot compute the smooth absolute error with beta -1: expected a number of 0 or more",
    ],
    [
      () => nn.huberLoss(x, x, { delta: 0 }),
      RangeError,
      "Cannot compute Huber's loss with delta 0: expected a number above 0",
    ],
    [
      () => nn.klDiv(zeros([]), zeros([]), { reduction: "batchmean" }),
      ShapeError,
      "Cannot average the divergence of [] over a batch: expected [N, ...]",
    ],
  ];
  for (const [run, kind, message] of cases) assertFails(run, kind, message);
});

onDevice(
  "cpu",
  "layers of losses keep their weights and print their options",
  () => {
    const weight = ones([3]);
    const loss = new nn.CrossEntropyLoss({ weight, labelSmoothing: 0.1 });
    assertEquals([...loss.stateDict().keys()], ["weight"]);
    assertEquals(String(loss), "CrossEntropyLoss(labelSmoothing=0.1)");
    loss.dispose();
    assertEquals(weight.disposed, false);
    const binary = new nn.BCEWithLogitsLoss({ posWeight: weight });
    assertEquals([...binary.stateDict().keys()], ["pos_weight"]);
    binary.dispose();
    assertEquals(String(new nn.NLLLoss()), "NLLLoss()");
  },
);
