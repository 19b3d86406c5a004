/**
 * AlexNet (Krizhevsky, Sutskever and Hinton 2012): LeNet's idea, wider and deeper, with what made that trainable.
 */
import {
  init,
  localResponseNorm,
  nn,
  ones,
  rand,
  type Tensor,
  tensor,
  zoo,
} from "../../mod.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// ImageNet has pictures of 224 by 224 in three colours and 1,000 classes. The network has eight layers that learn: five convolutions and three linear ones.
const x = rand([1, 3, 224, 224]);
const relu = new nn.ReLU();
const pool = new nn.MaxPool2d(3, { stride: 2 });

// Large windows at first, of 11 by 11, and a stride of 4: the picture is large, and its work must become less soon.
const conv1 = new nn.Conv2d(3, 96, 11, { stride: 4, padding: 2 });
const c1 = conv1(x);
c1.shape; // [ 1, 96, 55, 55 ]
conv1.parameterCount(); // 34944

// Why ReLU in the place of tanh? Where tanh is saturated, hardly any gradient passes; ReLU lets all of it pass, or none.
const steep = tensor([0.5, 3, 6], { requiresGrad: true });
steep.tanh().sum().backward();
await steep.grad!.array(); // ≈ [ 0.7864, 0.0099, 0 ] ± 0.0002
const straight = tensor([0.5, 3, 6], { requiresGrad: true });
straight.relu().sum().backward();
await straight.grad!.array(); // [ 1, 1, 1 ]

// Then maps are divided by what neighbouring maps have at the same place (section 3.3). Later networks do without; it learns nothing and changes no shape.
const n1 = localResponseNorm(relu(c1), 5, { alpha: 5e-4, beta: 0.75, k: 2 });
n1.shape; // [ 1, 96, 55, 55 ]

// The pools overlap: windows of 3 by 3 with a stride of 2.
const p1 = pool(n1);
p1.shape; // [ 1, 96, 27, 27 ]

// The authors' network didn't fit into one GPU of 3 GB. Half of the maps lived on each, and the second, fourth and fifth layer saw their own half only: groups.
const conv2 = new nn.Conv2d(96, 256, 5, { padding: 2, groups: 2 });
const p2 = pool(relu(conv2(p1)));
p2.shape; // [ 1, 256, 13, 13 ]
conv2.parameterCount(); // 307456

// Three convolutions without a pool between them. The third sees all maps.
const conv3 = new nn.Conv2d(256, 384, 3, { padding: 1 });
const conv4 = new nn.Conv2d(384, 384, 3, { padding: 1, groups: 2 });
const conv5 = new nn.Conv2d(384, 256, 3, { padding: 1, groups: 2 });
const c3 = relu(conv3(p2));
c3.shape; // [ 1, 384, 13, 13 ]
const c4 = relu(conv4(c3));
c4.shape; // [ 1, 384, 13, 13 ]
const p5 = pool(relu(conv5(c4)));
p5.shape; // [ 1, 256, 6, 6 ]

// Three linear layers see everything. Only shapes matter here, so they get no initial values, which would take a while to draw.
const [fc6, fc7, fc8] = nn.init.skipInit(() => [
  new nn.Linear(256 * 6 * 6, 4096),
  new nn.Linear(4096, 4096),
  new nn.Linear(4096, 1000),
]);
const f6 = relu(fc6(p5.flatten(1)));
f6.shape; // [ 1, 4096 ]
const scores = fc8(relu(fc7(f6)));
scores.shape; // [ 1, 1000 ]

// The paper counts 60 million parameters. Nine of ten are in the linear layers.
const convolutions = [conv1, conv2, conv3, conv4, conv5];
const count = (layers: nn.Module[]) =>
  layers.reduce((sum, layer) => sum + layer.parameterCount(), 0);
count(convolutions); // 2334080
count([fc6, fc7, fc8]); // 58631144
count([...convolutions, fc6, fc7, fc8]); // 60965224

// The zoo's network has as many. torchvision's form, for which there are trained weights, has other channels and no groups.
const paper = nn.init.skipInit(() => zoo.alexnet({ variant: "paper" }));
paper.parameterCount(); // 60965224
zoo.describe("alexnet").parameters; // 61100840

// It counts 650,000 neurons, too: the values behind each layer that learns.
const neurons = [96 * 55 * 55, 256 * 27 * 27, 384 * 13 * 13, 384 * 13 * 13];
neurons.reduce((a, b) => a + b) + 256 * 13 * 13 + 4096 + 4096 + 1000; // 659272

// And the work? Here it is the other way round: a weight of a convolution is used at each place, one of a linear layer once. Nine of ten multiplications are there.
nn.summary(paper, [1, 3, 224, 224]).multiplyAdds / 1e6; // ≈ 725 ± 5
count([fc6, fc7, fc8]) / 1e6; // ≈ 58.6 ± 0.1

// So many weights learn their pictures by heart. Against that: dropout, which puts half of the values to 0, others each time, and doubles the rest.
const dropout = new nn.Dropout(0.5);
const dropped = dropout(ones([10000]));
[...new Set(await dropped.read())].sort(); // [ 0, 2 ]
await dropped.mean().item(); // ≈ 1 ± 0.05
dropout.eval();
await dropout(ones([3])).array(); // [ 1, 1, 1 ]

// The same plan for pictures of 28 by 28 and ten classes: smaller windows, an eighth of the channels.
const small = new nn.Sequential(
  new nn.Conv2d(1, 12, 5, { stride: 2, padding: 2 }), // [N, 12, 14, 14]
  new nn.ReLU(),
  new nn.MaxPool2d(3, { stride: 2 }), // [N, 12, 6, 6]
  new nn.Conv2d(12, 32, 5, { padding: 2, groups: 2 }), // [N, 32, 6, 6]
  new nn.ReLU(),
  new nn.Conv2d(32, 48, 3, { padding: 1 }), // [N, 48, 6, 6]
  new nn.ReLU(),
  new nn.Conv2d(48, 48, 3, { padding: 1, groups: 2 }),
  new nn.ReLU(),
  new nn.Conv2d(48, 32, 3, { padding: 1, groups: 2 }), // [N, 32, 6, 6]
  new nn.ReLU(),
  new nn.MaxPool2d(3, { stride: 2 }), // [N, 32, 2, 2]
  new nn.Flatten(), // [N, 128]
  new nn.Dropout(0.5),
  new nn.Linear(128, 128),
  new nn.ReLU(),
  new nn.Linear(128, 10),
);
small(rand([2, 1, 28, 28])).shape; // [ 2, 10 ]
small.parameterCount(); // 54178

// 160 steps whose size grows and shrinks again; the pixels less their mean, divided by their deviation.
const train = await nn.fashionMnist({ split: "train" });
const test = await nn.fashionMnist({ split: "test" });
const transform = (x: Tensor) => x.sub(0.286).div(0.353);
const part = { ...train, count: 5120 };
const batches = { batchSize: 32, shuffle: true, transform };
const optimizer = new nn.Adam(small.parameters(), { lr: 6e-3 });
const history = await nn.fit(small, new nn.DataLoader(part, batches), {
  optimizer,
  schedule: new nn.OneCycleLR(optimizer, 6e-3, { totalSteps: 160 }),
  scheduleBy: "step",
});
history.plot({ height: 8 });
const some = new nn.DataLoader({ ...test, count: 1000 }, { transform });
const { accuracy } = await nn.evaluate(small, some);
accuracy; // ≈ 0.71 ± 0.07

// What its first layer makes of a shoe.
const shoe = tensor(Float32Array.from(test.images.subarray(0, 784)), {
  shape: [1, 1, 28, 28],
}).div(255);
const maps = zoo.features(small.eval(), transform(shoe), ["1"]).get("1")!;
maps.shape; // [ 1, 12, 14, 14 ]
await show(maps, { columns: 6 });

// It won the competition of 2012 with 15.3 % of the answers wrong, where one of five guesses had to be right; the next had 26.2 %.
