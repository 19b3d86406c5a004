/** Compiled steps of whole networks against call by call, over twenty steps. */
import { nn, randint, randn, zoo } from "../../mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertStepsAgree, type Training } from "../support/training.ts";

function training(
  net: () => nn.Module,
  shape: readonly number[],
  rest: Partial<Training> = {},
): Training {
  const classes = 10;
  return {
    net,
    optimizer: (net) =>
      new nn.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 }),
    batch: () => [randn(shape), randint(0, classes, [shape[0]])],
    steps: 20,
    ...rest,
  };
}

onBothDevices("LeNet", (device) =>
  assertStepsAgree(
    training(
      () => zoo.lenet({ activation: "relu", pooling: "max", dropout: 0.5 }),
      [device === "cpu" ? 2 : 16, 1, 28, 28],
      device === "cpu" ? { steps: 4 } : {},
    ),
  ));

const NETWORKS: readonly (readonly [string, () => nn.Module])[] = [
  [
    "a network of VGG blocks",
    () =>
      new nn.Sequential(
        zoo.vggBlock(1, 1, 8),
        zoo.vggBlock(2, 8, 16, { batchNorm: true }),
        zoo.vggBlock(2, 16, 32, { batchNorm: true }),
        new nn.Flatten(),
        new nn.Linear(32 * 16, 64),
        new nn.ReLU(),
        new nn.Dropout(0.5),
        new nn.Linear(64, 10),
      ),
  ],
  [
    "ResNet-18",
    () => zoo.resnet18({ classes: 10, inChannels: 1, width: 8, stem: "small" }),
  ],
  ["d2l's GoogLeNet", () => zoo.googlenet({ variant: "d2l" })],
  [
    "d2l's DenseNet",
    () => zoo.d2lDenseNet({ growthRate: 8, initFeatures: 16 }),
  ],
];

for (const [name, net] of NETWORKS) {
  onDevice(
    "webgpu",
    name,
    () => assertStepsAgree(training(net, [4, 1, 32, 32])),
  );
}
