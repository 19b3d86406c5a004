/**
 * AlexNet (Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks", section 3.5 and figure 2).
 * https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks
 */
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  Conv2d,
  Dropout,
  Flatten,
  init,
  Linear,
  LocalResponseNorm,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from "../nn/mod.ts";
import { startAsD2l } from "./start.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of {@linkcode alexnet}. */
export interface AlexNetOptions {
  /**
   * - `"torchvision"`: 64, 192, 384, 256 and 256 channels without groups or normalisation, after Krizhevsky's one-column network of 2014
   *   (arXiv:1404.5997); 61,100,840 parameters;
   * - `"paper"`: 96, 256, 384, 384 and 256 channels, of which the second, fourth and fifth layer see one half each, as on the paper's two GPUs, with
   *   local response normalisation; 60,965,224;
   * - `"d2l"`: as in Dive into Deep Learning, section 8.1: the paper's channels without groups or normalisation, on pictures of one channel, with
   *   Glorot's weights at the start; 46,764,746 at 10 classes.
   *
   * @default "torchvision"
   */
  readonly variant?: "torchvision" | "paper" | "d2l";
  /** Number of classes. @default 1000, of the d2l form 10 */
  readonly classes?: number;
  /** Channels of the input. @default 3, of the d2l form 1 */
  readonly inChannels?: number;
  /** Probability of dropping in the linear layers. @default 0.5 */
  readonly dropout?: number;
}

/**
 * AlexNet, untrained. `x: [N, inChannels, 224, 224] → [N, classes]`
 *
 * The last pooling layer has stride 2 in all forms: with the stride of 1 that some descriptions give, its 13×13 maps wouldn't become 6×6.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zoo } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(zoo.alexnet().parameterCount(), 61_100_840);
 * ```
 */
export const alexnet: Builder<AlexNetOptions, Module> = withWeights(
  "alexnet",
  (options) => {
    switch (options.variant ?? "torchvision") {
      case "torchvision":
        return new AlexNet(options);
      case "paper":
        return new PaperAlexNet(options);
      case "d2l":
        return d2lAlexNet(options);
    }
  },
);

/** torchvision's form, with its names. */
export class AlexNet extends Module {
  readonly features: Sequential;
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(6);
  readonly classifier: Sequential;

  constructor(options: AlexNetOptions = {}) {
    super();
    const { classes = 1000, inChannels = 3, dropout = 0.5 } = options;
    this.features = new Sequential( // [N, 3, 224, 224]
      new Conv2d(inChannels, 64, 11, { stride: 4, padding: 2 }), // [N, 64, 55, 55]
      new ReLU(),
      new MaxPool2d(3, { stride: 2 }), // [N, 64, 27, 27]
      new Conv2d(64, 192, 5, { padding: 2 }), // [N, 192, 27, 27]
      new ReLU(),
      new MaxPool2d(3, { stride: 2 }), // [N, 192, 13, 13]
      new Conv2d(192, 384, 3, { padding: 1 }), // [N, 384, 13, 13]
      new ReLU(),
      new Conv2d(384, 256, 3, { padding: 1 }), // [N, 256, 13, 13]
      new ReLU(),
      new Conv2d(256, 256, 3, { padding: 1 }), // [N, 256, 13, 13]
      new ReLU(),
      new MaxPool2d(3, { stride: 2 }), // [N, 256, 6, 6]
    );
    this.classifier = new Sequential(
      new Dropout(dropout),
      new Linear(256 * 6 * 6, 4096),
      new ReLU(),
      new Dropout(dropout),
      new Linear(4096, 4096),
      new ReLU(),
      new Linear(4096, classes),
    );
  }

  override forward(x: Tensor): Tensor {
    const maps = this.avgpool(this.features(x)); // [N, 256, 6, 6]
    return this.classifier(maps.flatten(1)); // [N, classes]
  }
}

/** The paper's form: what its two GPUs computed apart are two groups of channels. */
export class PaperAlexNet extends Module {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(options: AlexNetOptions = {}) {
    super();
    const { classes = 1000, inChannels = 3, dropout = 0.5 } = options;
    // Section 3.3 has k = 2, n = 5, α = 1e-4, β = 0.75; PyTorch's alpha is divided by n, the paper's isn't.
    const normalise = () =>
      new LocalResponseNorm(5, { alpha: 5e-4, beta: 0.75, k: 2 });
    const pool = () => new MaxPool2d(3, { stride: 2 });
    this.features = new Sequential({ // [N, 3, 224, 224]
      conv1: new Conv2d(inChannels, 96, 11, { stride: 4, padding: 2 }), // [N, 96, 55, 55]
      relu1: new ReLU(),
      norm1: normalise(),
      pool1: pool(), // [N, 96, 27, 27]
      conv2: new Conv2d(96, 256, 5, { padding: 2, groups: 2 }), // [N, 256, 27, 27]
      relu2: new ReLU(),
      norm2: normalise(),
      pool2: pool(), // [N, 256, 13, 13]
      conv3: new Conv2d(256, 384, 3, { padding: 1 }), // [N, 384, 13, 13]
      relu3: new ReLU(),
      conv4: new Conv2d(384, 384, 3, { padding: 1, groups: 2 }), // [N, 384, 13, 13]
      relu4: new ReLU(),
      conv5: new Conv2d(384, 256, 3, { padding: 1, groups: 2 }), // [N, 256, 13, 13]
      relu5: new ReLU(),
      pool5: pool(), // [N, 256, 6, 6]
    });
    this.classifier = new Sequential({
      drop6: new Dropout(dropout),
      fc6: new Linear(256 * 6 * 6, 4096),
      relu6: new ReLU(),
      drop7: new Dropout(dropout),
      fc7: new Linear(4096, 4096),
      relu7: new ReLU(),
      fc8: new Linear(4096, classes),
    });
    this.#initialise();
  }

  /** Section 5: weights of deviation 0.01, biases of 1 where they give the ReLUs a positive start, elsewhere 0. */
  #initialise(): void {
    const positive = ["conv2", "conv4", "conv5", "fc6", "fc7"];
    for (const part of [this.features, this.classifier]) {
      for (const [name, layer] of part.namedChildren()) {
        if (!(layer instanceof Conv2d || layer instanceof Linear)) continue;
        init.normal_(layer.weight, 0, 0.01);
        init.constant_(layer.bias!, positive.includes(name) ? 1 : 0);
      }
    }
  }

  override forward(x: Tensor): Tensor {
    return this.classifier(this.features(x).flatten(1));
  }
}

function d2lAlexNet(options: AlexNetOptions): Sequential {
  const { classes = 10, inChannels = 1, dropout = 0.5 } = options;
  const net = new Sequential( // [N, 1, 224, 224]
    new Conv2d(inChannels, 96, 11, { stride: 4, padding: 1 }), // [N, 96, 54, 54]
    new ReLU(),
    new MaxPool2d(3, { stride: 2 }), // [N, 96, 26, 26]
    new Conv2d(96, 256, 5, { padding: 2 }), // [N, 256, 26, 26]
    new ReLU(),
    new MaxPool2d(3, { stride: 2 }), // [N, 256, 12, 12]
    new Conv2d(256, 384, 3, { padding: 1 }), // [N, 384, 12, 12]
    new ReLU(),
    new Conv2d(384, 384, 3, { padding: 1 }), // [N, 384, 12, 12]
    new ReLU(),
    new Conv2d(384, 256, 3, { padding: 1 }), // [N, 256, 12, 12]
    new ReLU(),
    new MaxPool2d(3, { stride: 2 }), // [N, 256, 5, 5]
    new Flatten(), // [N, 6400]
    new Linear(6400, 4096),
    new ReLU(),
    new Dropout(dropout),
    new Linear(4096, 4096),
    new ReLU(),
    new Dropout(dropout),
    new Linear(4096, classes),
  );
  return startAsD2l(net);
}
