/**
 * VGG (Simonyan and Zisserman 2014): a network of blocks, all of 3×3 convolutions.
 */
import {
  init,
  nn,
  ones,
  rand,
  type Tensor,
  tensor,
  zeros,
  zoo,
} from "../../mod.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// Two convolutions of 3 by 3, one after the other, see as far as one of 5 by 5. To find out, ask which pixels have a gradient from the middle of the result.
const window = ones([1, 1, 3, 3]);
async function seen(layers: number): Promise<number> {
  const x = zeros([1, 1, 15, 15], { requiresGrad: true });
  let h = x;
  for (let i = 0; i < layers; i++) h = nn.conv2d(h, window, { padding: 1 });
  h.slice(2, 7, 8).slice(3, 7, 8).sum().backward();
  return (await x.grad!.read()).filter((value) => value !== 0).length;
}
await seen(1); // 9
await seen(2); // 25
await seen(3); // 49

// Three of them cost 27·C² weights where one of 7 by 7 costs 49·C², and have three ReLUs in the place of one (section 2.3). For 64 channels:
3 * 3 * 3 * 64 * 64; // 110592
7 * 7 * 64 * 64; // 200704

// So a block is some 3×3 convolutions that keep the size, each with a ReLU, and a pool that halves it.
function block(count: number, from: number, to: number): nn.Sequential {
  const layers: nn.Module[] = [];
  for (let i = 0; i < count; i++) {
    layers.push(new nn.Conv2d(i === 0 ? from : to, to, 3, { padding: 1 }));
    layers.push(new nn.ReLU());
  }
  return new nn.Sequential(...layers, new nn.MaxPool2d(2));
}
block(2, 3, 8)(rand([1, 3, 32, 32])).shape; // [ 1, 8, 16, 16 ]

// VGG-11, the paper's configuration A, is five blocks of 1, 1, 2, 2 and 2 convolutions. Where the size is halved the channels double, up to 512.
const blocks = [
  block(1, 3, 64),
  block(1, 64, 128),
  block(2, 128, 256),
  block(2, 256, 512),
  block(2, 512, 512),
];
let h = rand([1, 3, 224, 224]);
const shapes = blocks.map((part) => (h = part(h)).shape);
shapes[0]; // [ 1, 64, 112, 112 ]
shapes[1]; // [ 1, 128, 56, 56 ]
shapes[2]; // [ 1, 256, 28, 28 ]
shapes[3]; // [ 1, 512, 14, 14 ]
shapes[4]; // [ 1, 512, 7, 7 ]

// Then AlexNet's three linear layers. Only their sizes matter here, so they get no initial values.
const head = nn.init.skipInit(() =>
  new nn.Sequential(
    new nn.Flatten(), // [N, 25088]
    new nn.Linear(512 * 7 * 7, 4096),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Linear(4096, 4096),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Linear(4096, 1000),
  )
);
head(h).shape; // [ 1, 1000 ]

// Eleven layers that learn. Three quarters of the weights are in one of them, the first linear layer.
const convolutions = blocks.reduce(
  (sum, part) => sum + part.parameterCount(),
  0,
);
convolutions; // 9220480
head.parameterCount(); // 123642856
head.at(1)!.parameterCount(); // 102764544

// As many as the zoo's, and as the paper's table 2 has it: 133 million. VGG-16, configuration D, has 138 million and VGG-19, configuration E, 144 million.
convolutions + head.parameterCount(); // 132863336
zoo.describe("vgg11").parameters; // 132863336
zoo.describe("vgg16").parameters; // 138357544
zoo.describe("vgg19").parameters; // 143667240

// The work: 7.5 billion multiplications of a weight and a value for one picture, ten times as many as AlexNet's. Nearly all are in the convolutions.
const places = [224 ** 2, 112 ** 2, 56 ** 2, 28 ** 2, 14 ** 2];
const products = blocks.map((part, i) => part.parameterCount() * places[i]);
products.reduce((a, b) => a + b) / 1e9; // ≈ 7.49 ± 0.01

// Deep networks want a start that keeps the size of values from layer to layer. He et al. (2015) have one for ReLUs.
function he(layer: nn.Module): void {
  if (layer instanceof nn.Conv2d) nn.init.kaimingNormal_(layer.weight);
}

// The same plan for pictures of 32 by 32: an eighth of the channels, four blocks, and small linear layers.
const small = new nn.Sequential(
  block(1, 1, 8), // [N, 8, 16, 16]
  block(1, 8, 16), // [N, 16, 8, 8]
  block(2, 16, 32), // [N, 32, 4, 4]
  block(2, 32, 64), // [N, 64, 2, 2]
  new nn.Flatten(), // [N, 256]
  new nn.Linear(256, 64),
  new nn.ReLU(),
  new nn.Linear(64, 10),
).apply(he);
small(rand([1, 1, 32, 32])).shape; // [ 1, 10 ]
small.parameterCount(); // 87658

// 120 steps whose size grows and shrinks again; the pixels less their mean, divided by their deviation.
const train = await nn.fashionMnist({ split: "train" });
const test = await nn.fashionMnist({ split: "test" });
const transform = (x: Tensor) => nn.pad(x.sub(0.286).div(0.353), [2, 2, 2, 2]);
const part = { ...train, count: 3840 };
const batches = { batchSize: 32, shuffle: true, transform };
const optimizer = new nn.Adam(small.parameters(), { lr: 5e-3 });
const history = await nn.fit(small, new nn.DataLoader(part, batches), {
  optimizer,
  schedule: new nn.OneCycleLR(optimizer, 5e-3, { totalSteps: 120 }),
  scheduleBy: "step",
});
history.plot({ height: 8 });
const some = new nn.DataLoader({ ...test, count: 1000 }, { transform });
const { accuracy } = await nn.evaluate(small, some);
accuracy; // ≈ 0.78 ± 0.06

// What the blocks make of a shoe: the deeper, the smaller and the less like a picture. Four maps of each of the first three.
const shoe = tensor(Float32Array.from(test.images.subarray(0, 784)), {
  shape: [1, 1, 28, 28],
}).div(255);
const stages = zoo.features(small, transform(shoe), ["0", "1", "2"]);
const four = [...stages.values()].map((maps) => maps.slice(1, 0, 4));
four.map((maps) => maps.shape[2]); // [ 16, 8, 4 ]
await show(four[0]);
await show(four[1]);
await show(four[2]);
