/**
 * LeNet with ReLU and batch norm on the whole of Fashion-MNIST: `deno task bench:fashion-mnist [--data FOLDER] [--epochs N] [--seed N]`.
 *
 * FOLDER holds the four IDX files, as those of Debian's `dataset-fashion-mnist`; without it they are downloaded once. What a run printed is in README.md.
 */
import { parseArgs } from "@std/cli/parse-args";
import { device, init, nn } from "../mod.ts";

const flags = parseArgs(Deno.args, {
  string: ["data", "epochs", "seed"],
  default: { epochs: "8", seed: "0" },
});
const epochs = Number(flags.epochs);
const path = flags.data ? String(flags.data) : undefined;

await init({ seed: Number(flags.seed) });
const [train, test] = await Promise.all((["train", "test"] as const).map(
  (split) =>
    nn.fashionMnist({
      split,
      ...(path ? { path } : { full: true }),
    }),
));

const net = new nn.Sequential( // [N, 1, 28, 28]
  new nn.Conv2d(1, 6, 5, { padding: 2 }), // [N, 6, 28, 28]
  new nn.BatchNorm2d(6),
  new nn.ReLU(),
  new nn.MaxPool2d(2), // [N, 6, 14, 14]
  new nn.Conv2d(6, 16, 5), // [N, 16, 10, 10]
  new nn.BatchNorm2d(16),
  new nn.ReLU(),
  new nn.MaxPool2d(2), // [N, 16, 5, 5]
  new nn.Flatten(), // [N, 400]
  new nn.Linear(400, 120),
  new nn.BatchNorm1d(120),
  new nn.ReLU(),
  new nn.Linear(120, 84),
  new nn.BatchNorm1d(84),
  new nn.ReLU(),
  new nn.Linear(84, 10),
);
const data = new nn.DataLoader(train, {
  batchSize: 128,
  shuffle: true,
  dropLast: true,
});
const optimizer = new nn.Adam(net.parameters(), { lr: 1e-3 });
const schedule = new nn.OneCycleLR(optimizer, 6e-3, {
  totalSteps: epochs * Math.floor(train.length / 128),
});

const started = performance.now();
const history = await nn.fit(net, data, {
  optimizer,
  schedule,
  scheduleBy: "step",
  epochs,
  validation: test,
});
const minutes = (performance.now() - started) / 60_000;

console.log(history.plot({ metric: "accuracy" }));
const { accuracy } = history.epochs.at(-1)!.validation!.metrics;
console.log(
  `${net.parameterCount()} parameters, ${epochs} epochs, seed ${flags.seed}, ${device().name}`,
);
console.log(
  `test accuracy ${accuracy.toFixed(4)} after ${minutes.toFixed(1)} minutes`,
);
