/**
 * GoogLeNet (Szegedy et al. 2014): branches side by side, each with windows of another size.
 */
import { concat, init, nn, rand, type Tensor, tensor, zoo } from "../../mod.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// Which window is best, 1 by 1, 3 by 3 or 5 by 5? This network doesn't choose: a block has all of them and a pool, and puts their maps one behind another.
// The plain form of figure 2a: pooling keeps all channels, so each block has more than the one before, and the large windows become dear.
const x = rand([1, 192, 28, 28]);
const naive = [
  new nn.Conv2d(192, 64, 1),
  new nn.Conv2d(192, 128, 3, { padding: 1 }),
  new nn.Conv2d(192, 32, 5, { padding: 2 }),
  new nn.MaxPool2d(3, { stride: 1, padding: 1 }),
];
concat(naive.map((branch) => branch(x)), 1).shape; // [ 1, 416, 28, 28 ]
naive.reduce((sum, branch) => sum + branch.parameterCount(), 0); // 387296

// The form that is used, figure 2b: 1×1 convolutions make few channels of many before the large windows and behind the pool.
class Inception extends nn.Module {
  readonly one: nn.Sequential;
  readonly three: nn.Sequential;
  readonly five: nn.Sequential;
  readonly pool: nn.Sequential;

  constructor(from: number, sizes: readonly number[]) {
    super();
    const [one, before3, three, before5, five, behind] = sizes;
    const relu = new nn.ReLU();
    this.one = new nn.Sequential(new nn.Conv2d(from, one, 1), relu);
    this.three = new nn.Sequential(
      new nn.Conv2d(from, before3, 1),
      relu,
      new nn.Conv2d(before3, three, 3, { padding: 1 }),
      relu,
    );
    this.five = new nn.Sequential(
      new nn.Conv2d(from, before5, 1),
      relu,
      new nn.Conv2d(before5, five, 5, { padding: 2 }),
      relu,
    );
    this.pool = new nn.Sequential(
      new nn.MaxPool2d(3, { stride: 1, padding: 1 }),
      new nn.Conv2d(from, behind, 1),
      relu,
    );
  }

  override forward(x: Tensor): Tensor {
    const { one, three, five, pool } = this;
    return concat([one(x), three(x), five(x), pool(x)], 1);
  }
}

// The first block, 3a of table 1: 64 + 128 + 32 + 32 = 256 channels come out.
const block3a = new Inception(192, [64, 96, 128, 16, 32, 32]);
block3a(x).shape; // [ 1, 256, 28, 28 ]
block3a.one(x).shape; // [ 1, 64, 28, 28 ]
block3a.three(x).shape; // [ 1, 128, 28, 28 ]
block3a.five(x).shape; // [ 1, 32, 28, 28 ]
block3a.pool(x).shape; // [ 1, 32, 28, 28 ]

// Less than half of the plain block's weights. The table says 159K, which is in units of 1,024 and without the 368 biases.
block3a.parameterCount(); // 163696
(block3a.parameterCount() - 368) / 1024; // 159.5

// The rest of the table: input channels, then the sizes of the branches.
const three = [
  block3a,
  new Inception(256, [128, 128, 192, 32, 96, 64]),
];
const four = [
  new Inception(480, [192, 96, 208, 16, 48, 64]),
  new Inception(512, [160, 112, 224, 24, 64, 64]),
  new Inception(512, [128, 128, 256, 24, 64, 64]),
  new Inception(512, [112, 144, 288, 32, 64, 64]),
  new Inception(528, [256, 160, 320, 32, 128, 128]),
];
const five = [
  new Inception(832, [256, 160, 320, 32, 128, 128]),
  new Inception(832, [384, 192, 384, 48, 128, 128]),
];

// Before the blocks, a stem makes 28 by 28 of 224 by 224. Behind them, the mean of each map, as in NiN, and one linear layer.
const relu = new nn.ReLU();
const pool = () => new nn.MaxPool2d(3, { stride: 2, ceilMode: true });
const norm = () =>
  new nn.LocalResponseNorm(5, { alpha: 1e-4, beta: 0.75, k: 1 });
const stem = new nn.Sequential(
  new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3 }), // [N, 64, 112, 112]
  relu,
  pool(), // [N, 64, 56, 56]
  norm(),
  new nn.Conv2d(64, 64, 1),
  relu,
  new nn.Conv2d(64, 192, 3, { padding: 1 }), // [N, 192, 56, 56]
  relu,
  norm(),
  pool(), // [N, 192, 28, 28]
);
const h2 = stem(rand([1, 3, 224, 224]));
h2.shape; // [ 1, 192, 28, 28 ]
const stage3 = new nn.Sequential(...three, pool());
const h3 = stage3(h2);
h3.shape; // [ 1, 480, 14, 14 ]
const stage4 = new nn.Sequential(...four, pool());
const h4 = stage4(h3);
h4.shape; // [ 1, 832, 7, 7 ]
const stage5 = new nn.Sequential(...five);
const h5 = stage5(h4);
h5.shape; // [ 1, 1024, 7, 7 ]
const head = new nn.Sequential(
  new nn.AdaptiveAvgPool2d(1), // [N, 1024, 1, 1]
  new nn.Flatten(), // [N, 1024]
  new nn.Dropout(0.4),
  new nn.Linear(1024, 1000),
);
head(h5).shape; // [ 1, 1000 ]

// 22 layers that learn on the way from one end to the other, and a ninth of AlexNet's parameters.
const net = new nn.Sequential(stem, stage3, stage4, stage5, head);
net.parameterCount(); // 6998552
zoo.googlenet({ variant: "paper", auxLogits: false }).parameterCount(); // 6998552
zoo.describe("alexnet").parameters / net.parameterCount(); // ≈ 8.7 ± 0.1

// The authors' limit was 1.5 billion multiply-adds for a picture, so that it is of use outside of competitions.
nn.summary(net, [1, 3, 224, 224]).multiplyAdds / 1e9; // ≈ 1.59 ± 0.02

// In training the paper's has two more heads in the middle (section 5), as gradients get weak over so many layers; batch norm made them needless soon after.
zoo.googlenet({ variant: "paper" }).parameterCount(); // 13378280

// A start that keeps the size of values from layer to layer.
function he(layer: nn.Module): void {
  if (layer instanceof nn.Conv2d) nn.init.kaimingNormal_(layer.weight);
}

// A small one for Fashion-MNIST: two blocks of few channels.
const small = new nn.Sequential(
  new nn.Conv2d(1, 16, 5, { stride: 2, padding: 2 }), // [N, 16, 14, 14]
  new nn.ReLU(),
  new nn.MaxPool2d(3, { stride: 2, padding: 1 }), // [N, 16, 7, 7]
  new Inception(16, [16, 12, 24, 4, 8, 8]), // [N, 56, 7, 7]
  new Inception(56, [24, 16, 32, 6, 16, 12]), // [N, 84, 7, 7]
  new nn.AdaptiveAvgPool2d(1), // [N, 84, 1, 1]
  new nn.Flatten(), // [N, 84]
  new nn.Linear(84, 10),
).apply(he);
small.parameterCount(); // 15732

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
accuracy; // ≈ 0.69 ± 0.07

// What each branch of its first block makes of a shoe: two maps of each.
const shoe = tensor(Float32Array.from(test.images.subarray(0, 784)), {
  shape: [1, 1, 28, 28],
}).div(255);
const branches = ["one", "three", "five", "pool"];
const found = zoo.features(
  small,
  transform(shoe),
  branches.map((name) => `3.${name}`),
);
const two = [...found.values()].map((maps) => maps.slice(1, 0, 2));
const labels = branches.flatMap((name) => [name, name]);
await show(concat(two, 1), { labels });

// It won the competition of 2014: 6.7 % of the answers wrong with five guesses, where AlexNet had 15.3 % two years before. VGG came second.
