/**
 * DenseNet (Huang, Liu, van der Maaten and Weinberger 2016): every layer sees what all layers before it made.
 */
import { concat, init, nn, rand, type Tensor, tensor, zoo } from "../../mod.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// ResNet adds what a block computes to its input; this network puts it behind it, as further channels. Nothing is overwritten: layer 5 sees what layer 1 made.
// A layer: batch norm, ReLU, a 3×3 convolution to k channels, the growth rate.
function layer(from: number, growth: number): nn.Sequential {
  return new nn.Sequential(
    new nn.BatchNorm2d(from),
    new nn.ReLU(),
    new nn.Conv2d(from, growth, 3, { padding: 1 }),
  );
}
const x = rand([1, 3, 8, 8]);
const first = concat([x, layer(3, 10)(x)], 1);
first.shape; // [ 1, 13, 8, 8 ]
const second = concat([first, layer(13, 10)(first)], 1);
second.shape; // [ 1, 23, 8, 8 ]

// What was there is still there: the first three channels of the result are x.
await second.slice(1, 0, 3).sub(x).abs().max().item(); // 0

// A block of several such layers. The input of each is wider by k than that of the one before.
class Dense extends nn.Module {
  readonly layers: nn.ModuleList;

  constructor(count: number, from: number, growth: number) {
    super();
    this.layers = new nn.ModuleList(
      Array.from({ length: count }, (_, i) => layer(from + i * growth, growth)),
    );
  }

  override forward(x: Tensor): Tensor {
    let all = x;
    for (const next of this.layers) all = concat([all, next(all)], 1);
    return all;
  }
}
const block = new Dense(4, 64, 32);
block(rand([1, 64, 24, 24])).shape; // [ 1, 192, 24, 24 ]

// L layers have L·(L + 1)/2 connections in the place of L: from each layer, and the input, to each later one.
[1, 2, 4, 12].map((count) => count * (count + 1) / 2); // [ 1, 3, 10, 78 ]

// Channels only grow, so between two blocks a transition halves them, by a 1×1 convolution, and the picture, by means of 2 by 2.
function transition(from: number): nn.Sequential {
  return new nn.Sequential(
    new nn.BatchNorm2d(from),
    new nn.ReLU(),
    new nn.Conv2d(from, from / 2, 1),
    new nn.AvgPool2d(2),
  );
}
transition(192)(rand([1, 192, 24, 24])).shape; // [ 1, 96, 12, 12 ]

// A whole network, of four blocks of four layers, as in Dive into Deep Learning, section 8.7.
const stem = new nn.Sequential(
  new nn.Conv2d(1, 64, 7, { stride: 2, padding: 3 }), // [N, 64, 48, 48]
  new nn.BatchNorm2d(64),
  new nn.ReLU(),
  new nn.MaxPool2d(3, { stride: 2, padding: 1 }), // [N, 64, 24, 24]
);
let h = stem(rand([1, 1, 96, 96]));
h.shape; // [ 1, 64, 24, 24 ]
const parts: nn.Module[] = [];
let channels = 64;
for (let i = 0; i < 4; i++) {
  parts.push(new Dense(4, channels, 32));
  channels += 4 * 32;
  if (i === 3) break;
  parts.push(transition(channels));
  channels /= 2;
}
const shapes = parts.map((part) => (h = part(h)).shape);
shapes.slice(0, 3); // [ [ 1, 192, 24, 24 ], [ 1, 96, 12, 12 ], [ 1, 224, 12, 12 ] ]
shapes.slice(3); // [ [ 1, 112, 6, 6 ], [ 1, 240, 6, 6 ], [ 1, 120, 3, 3 ], [ 1, 248, 3, 3 ] ]
const net = new nn.Sequential(
  stem,
  ...parts,
  new nn.BatchNorm2d(channels),
  new nn.ReLU(),
  new nn.AdaptiveAvgPool2d(1),
  new nn.Flatten(),
  new nn.Linear(channels, 10),
);
net(rand([1, 1, 96, 96])).shape; // [ 1, 10 ]
net.parameterCount(); // 758226
zoo.describe("densenet_d2l").parameters; // 758226

// The paper's networks for ImageNet have a 1×1 convolution to 4·k channels in each layer before the 3×3 (section 3). DenseNet-121 has a third fewer parameters than
// ResNet-18, and 25.0 % wrong, where ResNet-34 had as many with 22 million.
zoo.describe("densenet121").parameters; // 7978856
zoo.describe("resnet18").parameters; // 11689512
new zoo.DenseBlock(6, 64, 32)(rand([1, 64, 56, 56])).shape; // [ 1, 256, 56, 56 ]

// A small one for Fashion-MNIST: growth 8, two blocks of three layers.
const small = new nn.Sequential(
  new nn.Conv2d(1, 16, 3, { stride: 2, padding: 1 }), // [N, 16, 14, 14]
  new nn.MaxPool2d(2), // [N, 16, 7, 7]
  new Dense(3, 16, 8), // [N, 40, 7, 7]
  transition(40), // [N, 20, 3, 3]
  new Dense(3, 20, 8), // [N, 44, 3, 3]
  new nn.BatchNorm2d(44),
  new nn.ReLU(),
  new nn.AdaptiveAvgPool2d(1), // [N, 44, 1, 1]
  new nn.Flatten(), // [N, 44]
  new nn.Linear(44, 10),
);
small.parameterCount(); // 13190
// 120 steps whose size grows and shrinks again; the pixels less their mean, divided by their deviation.
const train = await nn.fashionMnist({ split: "train" });
const test = await nn.fashionMnist({ split: "test" });
const transform = (x: Tensor) => x.sub(0.286).div(0.353);
const part = { ...train, count: 3840 };
const batches = { batchSize: 32, shuffle: true, transform };
const optimizer = new nn.Adam(small.parameters(), { lr: 1e-2 });
const history = await nn.fit(small, new nn.DataLoader(part, batches), {
  optimizer,
  schedule: new nn.OneCycleLR(optimizer, 1e-2, { totalSteps: 120 }),
  scheduleBy: "step",
});
history.plot({ height: 8 });
const some = new nn.DataLoader({ ...test, count: 1000 }, { transform });
const { accuracy } = await nn.evaluate(small, some);
accuracy; // ≈ 0.74 ± 0.06

// What comes out of its first block, for a shoe: channels 0 to 15 are its input, and then each layer's eight. Two of each.
const shoe = tensor(Float32Array.from(test.images.subarray(0, 784)), {
  shape: [1, 1, 28, 28],
}).div(255);
const maps = zoo.features(small.eval(), transform(shoe), ["2"]).get("2")!;
maps.shape; // [ 1, 40, 7, 7 ]
const some8 = [0, 16, 24, 32].map((from) => maps.slice(1, from, from + 2));
const labels = ["input", "layer 1", "layer 2", "layer 3"];
await show(concat(some8, 1), {
  labels: labels.flatMap((label) => [label, label]),
});
