/**
 * LeNet (LeCun, Bottou, Bengio and Haffner 1998, figure 2), in the three forms in use.
 *
 * The paper's network differs from all of them: its C3 sees only some of the six maps, its pooling layers learn a weight and a bias each, and it
 * ends in radial basis functions. http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf
 */
import type { Tensor } from "../core/tensor.ts";
import {
  AvgPool2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  Sigmoid,
  Tanh,
} from "../nn/mod.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of {@linkcode lenet}. */
export interface LeNetOptions {
  /**
   * - `"d2l"`: 28×28 pictures with padding 2, sigmoid and average pooling, as in Dive into Deep Learning, section 7.6 (61,706 parameters);
   * - `"tutorial"`: 32×32 pictures, ReLU and max pooling, parameters named conv1 … fc3 as in PyTorch's tutorials (61,706);
   * - `"small"`: two convolutions of 10 and 20 channels and one linear layer (8,490).
   *
   * @default "d2l"
   */
  readonly variant?: "d2l" | "tutorial" | "small";
  /** Number of classes. @default 10 */
  readonly classes?: number;
  /** Channels of the input. @default 1 */
  readonly inChannels?: number;
  /** Of the d2l form. @default "sigmoid" */
  readonly activation?: "sigmoid" | "tanh" | "relu";
  /** Of the d2l form. @default "avg" */
  readonly pooling?: "avg" | "max";
  /** Probability of dropping before the last layer. @default 0 */
  readonly dropout?: number;
}

/**
 * A LeNet, untrained. `[N, inChannels, 28, 28]` (32 for the tutorial's) `→ [N, classes]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.lenet({ activation: "relu", pooling: "max" });
 * assertEquals(net(zeros([1, 1, 28, 28])).shape, [1, 10]);
 * ```
 */
export const lenet: Builder<LeNetOptions, Module> = withWeights(
  "lenet",
  (options) => {
    const { variant = "d2l", classes = 10, inChannels = 1 } = options;
    const { dropout = 0 } = options;
    switch (variant) {
      case "d2l":
        return d2lLeNet(options, classes, inChannels);
      case "tutorial":
        return new TutorialLeNet(classes, inChannels, dropout);
      case "small":
        return new SmallLeNet(classes, inChannels, dropout);
    }
  },
);

function d2lLeNet(
  { activation = "sigmoid", pooling = "avg", dropout = 0 }: LeNetOptions,
  classes: number,
  inChannels: number,
): Module {
  const Activation = { sigmoid: Sigmoid, tanh: Tanh, relu: ReLU }[activation];
  const Pool = { avg: AvgPool2d, max: MaxPool2d }[pooling];
  return new Sequential( // [N, 1, 28, 28]
    new Conv2d(inChannels, 6, 5, { padding: 2 }), // [N, 6, 28, 28]
    new Activation(),
    new Pool(2), // [N, 6, 14, 14]
    new Conv2d(6, 16, 5), // [N, 16, 10, 10]
    new Activation(),
    new Pool(2), // [N, 16, 5, 5]
    new Flatten(), // [N, 400]
    new Linear(400, 120),
    new Activation(),
    new Linear(120, 84),
    new Activation(),
    ...(dropout > 0 ? [new Dropout(dropout)] : []),
    new Linear(84, classes),
  );
}

/** The 32×32 form with ReLU and max pooling. */
export class TutorialLeNet extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d = new Conv2d(6, 16, 5);
  readonly fc1: Linear = new Linear(16 * 5 * 5, 120);
  readonly fc2: Linear = new Linear(120, 84);
  readonly fc3: Linear;
  readonly pool: MaxPool2d = new MaxPool2d(2);
  readonly dropout: Dropout | null;

  constructor(classes: number, inChannels: number, dropout = 0) {
    super();
    this.dropout = dropout > 0 ? new Dropout(dropout) : null;
    this.conv1 = new Conv2d(inChannels, 6, 5);
    this.fc3 = new Linear(84, classes);
  }

  override forward(x: Tensor): Tensor { // [N, 1, 32, 32]
    const c1 = this.pool(this.conv1(x).relu()); // [N, 6, 14, 14]
    const c2 = this.pool(this.conv2(c1).relu()); // [N, 16, 5, 5]
    const f1 = this.fc1(c2.flatten(1)).relu(); // [N, 120]
    const f2 = this.fc2(f1).relu(); // [N, 84]
    return this.fc3(this.dropout ? this.dropout(f2) : f2); // [N, classes]
  }
}

/** The form with 10 and 20 channels and one linear layer. */
export class SmallLeNet extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d = new Conv2d(10, 20, 5);
  readonly fc: Linear;
  readonly pool: MaxPool2d = new MaxPool2d(2);
  readonly dropout: Dropout | null;

  constructor(classes: number, inChannels: number, dropout = 0) {
    super();
    this.dropout = dropout > 0 ? new Dropout(dropout) : null;
    this.conv1 = new Conv2d(inChannels, 10, 5);
    this.fc = new Linear(20 * 4 * 4, classes);
  }

  override forward(x: Tensor): Tensor { // [N, 1, 28, 28]
    const c1 = this.pool(this.conv1(x)).relu(); // [N, 10, 12, 12]
    const c2 = this.pool(this.conv2(c1)).relu(); // [N, 20, 4, 4]
    const maps = c2.flatten(1); // [N, 320]
    return this.fc(this.dropout ? this.dropout(maps) : maps); // [N, classes]
  }
}
