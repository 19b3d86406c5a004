/** Weights that come with the library, trained on Fashion-MNIST by `pretrained/make.ts`. */
import type { WeightsEntry } from "./weights_entry.ts";

const CLASSES: readonly string[] = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/** An entry whose pictures are 28×28, grey, and bright where the clothes are. */
function entry(
  name: string,
  accuracy: number,
  options: WeightsEntry["options"],
): WeightsEntry {
  const file = `${name}-fashion-mnist.safetensors`;
  return {
    sources: [],
    shipped: new URL(`./pretrained/${file}`, import.meta.url).href,
    options: { classes: 10, inChannels: 1, ...options },
    preprocessing: {
      channels: 1,
      resize: 28,
      crop: 28,
      interpolation: "bilinear",
      mean: [0.286],
      std: [0.353],
    },
    classes: () => CLASSES,
    accuracy: { top1: accuracy },
  };
}

/** By the network's name. The accuracies are those that `pretrained/README.md` shows. */
export const FASHION_MNIST: Readonly<Record<string, WeightsEntry>> = {
  lenet: entry("lenet", 0.905, { activation: "relu", pooling: "max" }),
  resnet18: entry("resnet18", 0.8906, { width: 8 }),
};
