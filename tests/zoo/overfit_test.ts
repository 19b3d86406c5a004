/** Networks of each kind, at a small size, learn eight pictures by heart. */
import { init, nn, scope, tensor, zoo } from "../../mod.ts";
import { assertGradients, picture } from "../support/made_up.ts";
import { assertOverfits, type OverfitOptions } from "../support/overfit.ts";

const GREY = { shape: [1, 32, 32] } satisfies OverfitOptions;
const GREY_64 = { shape: [1, 64, 64] } satisfies OverfitOptions;
const SMALL = { inChannels: 1, classes: 8, width: 8 } as const;

const NETWORKS: Record<string, [() => nn.Module, OverfitOptions]> = {
  LeNet: [
    () => zoo.lenet({ activation: "relu", pooling: "max" }),
    { shape: [1, 28, 28], lr: 3e-3 },
  ],
  "d2l's VGG-11 with batch norm": [
    () =>
      zoo.vgg11Bn({
        variant: "d2l",
        widthDivisor: 8,
        inputSize: 32,
        dropout: 0,
      }),
    GREY,
  ],
  "ResNet-18": [() => zoo.resnet18({ ...SMALL, stem: "small" }), GREY],
  "a ResNet of bottlenecks": [
    () =>
      new zoo.ResNet(zoo.Bottleneck, [1, 1, 1, 1], { ...SMALL, stem: "small" }),
    GREY,
  ],
  "ResNet-18 with pre-activation": [
    () => zoo.resnet18V2({ classes: 8, inChannels: 1 }),
    GREY_64,
  ],
  "Inception v2": [
    () => zoo.inceptionV2({ classes: 8, inChannels: 1, dropout: 0 }),
    GREY_64,
  ],
  "torchvision's GoogLeNet": [
    () => zoo.googlenet({ classes: 8, inChannels: 1, dropout: 0 }),
    GREY_64,
  ],
  "plain-18": [() => zoo.plain18({ ...SMALL, stem: "small" }), GREY],
  "d2l's ResNet-18": [() => zoo.d2lResnet18({ width: 8 }), GREY],
  DenseNet: [
    () =>
      new zoo.DenseNet(
        { growthRate: 8, blocks: [2, 2], initFeatures: 8 },
        { inChannels: 1, classes: 8 },
      ),
    { ...GREY, lr: 1e-2 },
  ],
  "d2l's DenseNet": [
    () => zoo.d2lDenseNet({ growthRate: 8, initFeatures: 16 }),
    GREY,
  ],
};

for (const [name, [make, options]] of Object.entries(NETWORKS)) {
  Deno.test(`${name} learns eight pictures by heart`, async () => {
    await init({ seed: 0 });
    const net = make();
    await assertOverfits(net, options);
    net.dispose();
  });
}

Deno.test("torchvision's GoogLeNet with its heads learns eight pictures by heart", async () => {
  await init({ seed: 0 });
  const sizes = { classes: 8, inChannels: 1, dropout: 0, auxDropout: 0 };
  const net = zoo.googlenet({ ...sizes, auxLogits: true });
  const loss = zoo.auxiliaryLoss(net);
  await assertOverfits(net, { ...GREY_64, loss });
  net.dispose();
});

Deno.test("each parameter of NiN's and AlexNet's gets a gradient", async () => {
  await init({ seed: 0 });
  const networks: [nn.Module, number[]][] = [
    [zoo.nin({ variant: "paper" }), [2, 3, 32, 32]],
    [zoo.nin(), [2, 1, 67, 67]],
    [zoo.alexnet({ classes: 10 }), [2, 3, 63, 63]],
  ];
  for (const [net, shape] of networks) {
    using _ = scope();
    const labels = tensor([3, 6], { dtype: "i32" });
    nn.crossEntropy(net(picture(shape, 6)), labels).backward();
    await assertGradients(net);
    net.dispose();
  }
});
