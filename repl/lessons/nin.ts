/**
 * Network in Network (Lin, Chen and Yan 2013): small networks at every place, and maps that are the answer.
 */
import { init, nn, rand, type Tensor, tensor, zoo } from "../../mod.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// A filter of a convolution is linear: it can tell only what a weighted sum tells. Two 1×1 convolutions behind it, with ReLUs, make a small network of it that runs
// at every place, with the same weights everywhere (section 3.1).
function block(
  from: number,
  to: number,
  kernel: number,
  options: { stride?: number; padding?: number } = {},
): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(from, to, kernel, options),
    new nn.ReLU(),
    new nn.Conv2d(to, to, 1),
    new nn.ReLU(),
    new nn.Conv2d(to, to, 1),
    new nn.ReLU(),
  );
}

// With AlexNet's windows, for pictures of 224 by 224: as in Dive into Deep Learning, section 8.3.
const x = rand([1, 1, 224, 224]);
const first = block(1, 96, 11, { stride: 4 });
const pool = new nn.MaxPool2d(3, { stride: 2 });
const b1 = first(x);
b1.shape; // [ 1, 96, 54, 54 ]
pool(b1).shape; // [ 1, 96, 26, 26 ]
const second = block(96, 256, 5, { padding: 2 });
const b2 = second(pool(b1));
b2.shape; // [ 1, 256, 26, 26 ]
const third = block(256, 384, 3, { padding: 1 });
const b3 = third(pool(b2));
b3.shape; // [ 1, 384, 12, 12 ]

// No linear layers at the end. The last block has as many maps as there are classes, and the mean of a map is the score of its class (section 3.2).
const fourth = block(384, 10, 3, { padding: 1 });
const b4 = fourth(pool(b3));
b4.shape; // [ 1, 10, 5, 5 ]
const mean = new nn.AdaptiveAvgPool2d(1);
mean(b4).shape; // [ 1, 10, 1, 1 ]
mean(b4).flatten(1).shape; // [ 1, 10 ]

// What that saves: AlexNet's linear layers have 58,631,144 weights and biases, these means none. Nothing there can learn pictures by heart.
const net = new nn.Sequential(
  first, // [N, 96, 54, 54]
  pool,
  second, // [N, 256, 26, 26]
  pool,
  third, // [N, 384, 12, 12]
  pool,
  new nn.Dropout(0.5),
  fourth, // [N, 10, 5, 5]
  mean,
  new nn.Flatten(),
);
net.parameterCount(); // 1992166
zoo.nin().parameterCount(); // 1992166

// The authors' own network was for CIFAR-10, pictures of 32 by 32: 8.8 % wrong with shifted and mirrored pictures, the best at the time.
zoo.nin({ variant: "paper" }).parameterCount(); // 966986

// A small one for pictures of 28 by 28, which starts from weights that keep the size of values from layer to layer.
function he(layer: nn.Module): void {
  if (layer instanceof nn.Conv2d) nn.init.kaimingNormal_(layer.weight);
}

// Its last convolution has no ReLU, so that a score can be below 0.
const small = new nn.Sequential(
  block(1, 24, 5, { stride: 2, padding: 2 }), // [N, 24, 14, 14]
  new nn.MaxPool2d(3, { stride: 2 }), // [N, 24, 6, 6]
  block(24, 48, 3, { padding: 1 }), // [N, 48, 6, 6]
  new nn.Conv2d(48, 10, 1), // [N, 10, 6, 6]
  new nn.AdaptiveAvgPool2d(1), // [N, 10, 1, 1]
  new nn.Flatten(), // [N, 10]
).apply(he);
small.parameterCount(); // 17434

// 160 steps whose size grows and shrinks again; the pixels less their mean, divided by their deviation.
const train = await nn.fashionMnist({ split: "train" });
const test = await nn.fashionMnist({ split: "test" });
const transform = (x: Tensor) => x.sub(0.286).div(0.353);
const part = { ...train, count: 5120 };
const batches = { batchSize: 32, shuffle: true, transform };
const optimizer = new nn.Adam(small.parameters(), { lr: 1e-2 });
const history = await nn.fit(small, new nn.DataLoader(part, batches), {
  optimizer,
  schedule: new nn.OneCycleLR(optimizer, 1e-2, { totalSteps: 160 }),
  scheduleBy: "step",
});
history.plot({ height: 8 });
const some = new nn.DataLoader({ ...test, count: 1000 }, { transform });
const { accuracy } = await nn.evaluate(small, some);
accuracy; // ≈ 0.7 ± 0.07

// As each map stands for a class, they show where the network sees what. An ankle boot, and the maps of all ten classes in one range.
const boot = tensor(Float32Array.from(test.images.subarray(0, 784)), {
  shape: [1, 1, 28, 28],
}).div(255);
const maps = zoo.features(small.eval(), transform(boot), ["3"]).get("3")!;
maps.shape; // [ 1, 10, 6, 6 ]
await show(maps, { labels: test.classes, range: "all", columns: 5 });
