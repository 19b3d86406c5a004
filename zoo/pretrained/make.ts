/**
 * Trains the networks beside this file on all of Fashion-MNIST and writes their weights, 16-bit floats in safetensors:
 *
 *     deno run --allow-all zoo/pretrained/make.ts NAME [FOLDER]
 *
 * NAME is `lenet` or `resnet18`; FOLDER has the original files (Debian's package `dataset-fashion-mnist` installs them), without it they are
 * downloaded. The seed is fixed: on the same adapter the weights come out the same. README.md shows what was printed.
 */
import { init } from "../../core/mod.ts";
import { saveSafetensors } from "../../core/formats/files.ts";
import * as nn from "../../nn/mod.ts";
import { create } from "../registry.ts";
import { FASHION_MNIST } from "../weights_fashion.ts";

const SEED = 0;
const BATCH = 128;

/** Passes over the 60,000 pictures, and the largest step size of Adam. */
const RUNS: Readonly<Record<string, { epochs: number; lr: number }>> = {
  lenet: { epochs: 6, lr: 4e-3 },
  resnet18: { epochs: 4, lr: 1e-2 },
};

const [name, path] = Deno.args;
if (!Object.hasOwn(RUNS, name ?? "")) {
  throw new RangeError(
    `Cannot train "${name}": expected ${Object.keys(RUNS).join(" or ")}`,
  );
}
const { epochs, lr } = RUNS[name];
const { options, preprocessing: { mean, std } } = FASHION_MNIST[name];

await init({ seed: SEED });
const where = path === undefined ? { full: true } : { path };
const load = async (split: "train" | "test") =>
  new nn.DataLoader(await nn.fashionMnist({ split, ...where }), {
    batchSize: BATCH,
    shuffle: split === "train",
    dropLast: split === "train",
    transform: (x) => nn.transforms.normalize(x, mean, std),
  });
const [train, test] = await Promise.all([load("train"), load("test")]);

const net = create(name, options);
const optimizer = new nn.Adam(net.parameters(), { lr });
const steps = epochs * Math.floor(60_000 / BATCH);
const history = await nn.fit(net, train, {
  optimizer,
  epochs,
  validation: test,
  schedule: new nn.OneCycleLR(optimizer, lr, { totalSteps: steps }),
  scheduleBy: "step",
  callbacks: {
    onEpochEnd({ epoch, result: { loss, accuracy, validation, seconds } }) {
      const row = [loss, accuracy, validation?.loss, validation?.accuracy]
        .map((value) => value?.toFixed(4));
      console.log([epoch, ...row, seconds.toFixed(0)].join(" | "));
    },
  },
});
console.log(history.plot());

const file = new URL(`./${name}-fashion-mnist.safetensors`, import.meta.url);
await saveSafetensors(file, net.stateDict(), { types: { f32: "F16" } });
await nn.loadWeights(net, file);
const { accuracy } = await nn.evaluate(net, test);
console.log(
  `${name}: ${net.parameterCount()} parameters, accuracy ${
    accuracy.toFixed(4)
  } on the 10,000 test pictures, as written`,
);
