/**
 * ResNet (He, Zhang, Ren and Sun 2015): what shortcuts are for.
 */
import { init, nn, rand, type Tensor, zoo } from "../../mod.ts";
import { plot } from "../term/curves.ts";
import { gradCam } from "../term/cam.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// A deeper network could always do what a shallow one does: its further layers would only have to leave things as they are. Yet plain networks got worse with depth,
// on the training pictures as well: 18 layers had 27.9 % wrong on ImageNet, 34 layers 28.5 % (table 2). Leaving things as they are is hard to learn.
// So let that be the start: a block computes what to add to its input (figure 2).
class Residual extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly shortcut: nn.Module;

  constructor(from: number, to: number, stride: number, readonly adds = true) {
    super();
    const padding = 1;
    const bias = false;
    this.conv1 = new nn.Conv2d(from, to, 3, { stride, padding, bias });
    this.bn1 = new nn.BatchNorm2d(to);
    this.conv2 = new nn.Conv2d(to, to, 3, { padding, bias });
    this.bn2 = new nn.BatchNorm2d(to);
    this.shortcut = from === to ? new nn.Identity() : new nn.Sequential(
      new nn.Conv2d(from, to, 1, { stride, bias }),
      new nn.BatchNorm2d(to),
    );
  }

  override forward(x: Tensor): Tensor {
    const h = this.bn1(this.conv1(x)).relu();
    const y = this.bn2(this.conv2(h));
    return (this.adds ? y.add(this.shortcut(x)) : y).relu();
  }
}

// Where input and output have the same shape, the input is added as it is.
const x = rand([1, 64, 56, 56]);
const same = new Residual(64, 64, 1);
same(x).shape; // [ 1, 64, 56, 56 ]
same.parameterCount(); // 73984

// If its last batch norm gives 0, the block does nothing: with x above 0, relu(0 + x) = x.
nn.init.zeros_(same.bn2.weight!);
await same(x).sub(x).abs().max().item(); // 0

// Where it halves the picture and doubles the channels, a 1×1 convolution with stride 2 takes the input past it.
const halving = new Residual(64, 128, 2);
halving(x).shape; // [ 1, 128, 28, 28 ]
halving.shortcut(x).shape; // [ 1, 128, 28, 28 ]
halving.parameterCount(); // 230144

// ResNet-18, table 1: a convolution, four stages of two blocks, a mean and a linear layer. 17 convolutions on the way and the linear layer make 18.
const bias = false;
const stem = new nn.Sequential(
  new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias }), // [N, 64, 112, 112]
  new nn.BatchNorm2d(64),
  new nn.ReLU(),
  new nn.MaxPool2d(3, { stride: 2, padding: 1 }), // [N, 64, 56, 56]
);
const stages = [[64, 64, 1], [64, 128, 2], [128, 256, 2], [256, 512, 2]].map((
  [from, to, stride],
) =>
  new nn.Sequential(new Residual(from, to, stride), new Residual(to, to, 1))
);
const head = new nn.Sequential(
  new nn.AdaptiveAvgPool2d(1), // [N, 512, 1, 1]
  new nn.Flatten(), // [N, 512]
  new nn.Linear(512, 1000),
);
let h = stem(rand([1, 3, 224, 224]));
h.shape; // [ 1, 64, 56, 56 ]
const shapes = stages.map((stage) => (h = stage(h)).shape);
shapes; // [ [ 1, 64, 56, 56 ], [ 1, 128, 28, 28 ], [ 1, 256, 14, 14 ], [ 1, 512, 7, 7 ] ]
head(h).shape; // [ 1, 1000 ]
const net = new nn.Sequential(stem, ...stages, head);
net.parameterCount(); // 11689512
zoo.describe("resnet18").parameters; // 11689512

// Less than AlexNet's parameters by five times, and 1.8 billion multiply-adds, as the paper has it. VGG-16 has 15.5 billion.
nn.summary(net, [1, 3, 224, 224]).multiplyAdds / 1e9; // ≈ 1.82 ± 0.01

// From 50 layers on, blocks are of three convolutions, 1×1, 3×3 and 1×1, which work on a quarter of the channels (figure 5).
const bottleneck = new zoo.Bottleneck(256, 64, 1);
bottleneck(rand([1, 256, 56, 56])).shape; // [ 1, 256, 56, 56 ]
bottleneck.parameterCount(); // 70400
zoo.describe("resnet50").parameters; // 25557032
zoo.describe("resnet152").parameters; // 60192808

// What a shortcut does for the gradient: through 16 narrow blocks of random weights without batch norm, how much of it comes to the input?
async function through(adds: boolean): Promise<number> {
  const input = rand([1, 8, 8, 8], { requiresGrad: true });
  let h: Tensor = input;
  for (let i = 0; i < 16; i++) {
    const y = new nn.Conv2d(8, 8, 3, { padding: 1 })(h).relu();
    h = adds ? y.add(h) : y;
  }
  h.mean().backward();
  return await input.grad!.abs().sum().item();
}
await through(false); // < 1e-3
await through(true); // > 0.1

// A narrow one with twelve blocks for Fashion-MNIST: 26 layers, without shortcuts and with them, on the same pictures in the same order.
function deep(adds: boolean): nn.Sequential {
  const narrow = Array.from({ length: 6 }, () => new Residual(8, 8, 1, adds));
  const wide = Array.from({ length: 5 }, () => new Residual(16, 16, 1, adds));
  return new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { stride: 2, padding: 1 }), // [N, 8, 14, 14]
    new nn.MaxPool2d(2), // [N, 8, 7, 7]
    ...narrow, // [N, 8, 7, 7]
    new Residual(8, 16, 2, adds), // [N, 16, 4, 4]
    ...wide, // [N, 16, 4, 4]
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(16, 10),
  );
}
const train = await nn.fashionMnist({ split: "train" });
const test = await nn.fashionMnist({ split: "test" });
const part = { ...train, count: 1920 };
const transform = (x: Tensor) => x.sub(0.286).div(0.353);
const batches = { batchSize: 32, shuffle: true, seed: 1, transform };
async function trained(net: nn.Module): Promise<nn.History> {
  const optimizer = new nn.Adam(net.parameters(), { lr: 1e-2 });
  return await nn.fit(net, new nn.DataLoader(part, batches), {
    optimizer,
    schedule: new nn.OneCycleLR(optimizer, 1e-2, { totalSteps: 60 }),
    scheduleBy: "step",
  });
}
const plain = await trained(deep(false));
const residual = await trained(deep(true));
plot(
  { "plain": plain.losses, "with shortcuts": residual.losses },
  { title: "loss", xLabel: "step" },
);
plain.epochs[0].accuracy; // ≈ 0.25 ± 0.15
residual.epochs[0].accuracy; // ≈ 0.51 ± 0.1

// The library has a trained one, of a narrow ResNet-18. Right are, of 500 test pictures:
const ready = (await zoo.resnet18({
  weights: "fashion-mnist",
  width: 8,
  classes: 10,
  inChannels: 1,
})).eval();
const some = new nn.DataLoader({ ...test, count: 500 }, { transform });
const { accuracy } = await nn.evaluate(ready, some);
accuracy; // ≈ 0.89 ± 0.03

// What its first layer makes of a shoe.
const [{ inputs }] = new nn.DataLoader({ ...test, count: 1 }, { transform });
const maps = zoo.features(ready, inputs, ["conv1"]).get("conv1")!;
maps.shape; // [ 1, 8, 14, 14 ]
await show(maps);

// And where it looks, to say what it is: Grad-CAM weighs the maps of a layer by what they do for the score.
const heat = gradCam(ready, inputs, { layer: "layer1" });
heat.shape; // [ 1, 28, 28 ]
await show(heat);

// With shortcuts, 34 layers had 25.0 % wrong and 18 layers 27.9 %: depth helps again. Several networks of up to 152 layers won in 2015, with 3.6 % at five guesses.
