/** The networks of the comparison in torchvision's forms, with its names of parameters. */
import type { Network, NetworkStep, Window } from "./networks.ts";

type Shape = Network["shape"];

/** Writes steps down; each method returns the number of the value that its step makes. */
class Builder {
  readonly steps: NetworkStep[] = [];

  add(step: NetworkStep): number {
    return this.steps.push(step);
  }

  /** Without a stride and padding of its own, one that keeps the size. */
  conv(
    of: number,
    name: string,
    filters: number,
    kernel: number,
    { stride = 1, padding = (kernel - 1) / 2, bias = false }:
      & Partial<Window>
      & { bias?: boolean } = {},
  ): number {
    const window = { kernel, stride, padding };
    return this.add({ op: "conv", of, name, filters, bias, ...window });
  }

  batchNorm(of: number, name: string, eps = 1e-5): number {
    return this.add({ op: "batchNorm", of, name, eps });
  }

  relu(of: number): number {
    return this.add({ op: "relu", of });
  }

  maxPool(
    of: number,
    kernel: number,
    { stride = kernel, padding = 0, ceil = false }:
      & Partial<Window>
      & { ceil?: boolean } = {},
  ): number {
    return this.add({ op: "maxPool", of, kernel, stride, padding, ceil });
  }

  concat(...parts: number[]): number {
    return this.add({ op: "concat", parts });
  }

  linear(of: number, name: string, outputs: number): number {
    return this.add({ op: "linear", of, name, outputs });
  }

  /** The end of most networks: the mean of each plane and a linear layer. */
  classify(of: number, name: string): number {
    return this.linear(this.add({ op: "globalAverage", of }), name, 1000);
  }
}

/** LeNet (LeCun et al. 1998, figure 2) with ReLU and max pooling, for pictures of 28×28. */
export function lenet(shape: Shape): Network {
  const net = new Builder();
  const conv = (of: number, name: string, filters: number, padding: number) => {
    const y = net.conv(of, name, filters, 5, { padding, bias: true });
    return net.maxPool(net.relu(y), 2);
  };
  const planes = conv(conv(0, "0", 6, 2), "3", 16, 0);
  const flat = net.add({ op: "flatten", of: planes });
  const hidden = net.relu(net.linear(flat, "7", 120));
  net.linear(net.relu(net.linear(hidden, "9", 84)), "11", 10);
  return { shape, steps: net.steps };
}

/** ResNet-18 (He et al. 2015, arXiv:1512.03385, table 1), which downsamples with 1×1 convolutions. */
export function resnet18(shape: Shape): Network {
  const net = new Builder();
  let x = net.conv(0, "conv1", 64, 7, { stride: 2 });
  x = net.relu(net.batchNorm(x, "bn1"));
  x = net.maxPool(x, 3, { stride: 2, padding: 1 });
  [64, 128, 256, 512].forEach((filters, stage) => {
    for (const block of [0, 1]) {
      const name = `layer${stage + 1}.${block}`;
      const stride = block === 0 && stage > 0 ? 2 : 1;
      let plus = x;
      if (stride > 1) {
        plus = net.conv(x, `${name}.downsample.0`, filters, 1, { stride });
        plus = net.batchNorm(plus, `${name}.downsample.1`);
      }
      let y = net.conv(x, `${name}.conv1`, filters, 3, { stride });
      y = net.relu(net.batchNorm(y, `${name}.bn1`));
      y = net.conv(y, `${name}.conv2`, filters, 3);
      y = net.batchNorm(y, `${name}.bn2`);
      x = net.relu(net.add({ op: "add", of: y, plus }));
    }
  });
  net.classify(x, "fc");
  return { shape, steps: net.steps };
}

/** VGG-16 (Simonyan and Zisserman 2014, arXiv:1409.1556, table 1, D). */
export function vgg16(shape: Shape): Network {
  const net = new Builder();
  let x = 0;
  // Its place among the layers is a layer's name; a ReLU follows each convolution.
  let place = 0;
  for (
    const [convs, filters] of [[2, 64], [2, 128], [3, 256], [3, 512], [3, 512]]
  ) {
    for (let i = 0; i < convs; i++) {
      const name = `features.${place}`;
      x = net.relu(net.conv(x, name, filters, 3, { bias: true }));
      place += 2;
    }
    x = net.maxPool(x, 2);
    place++;
  }
  x = net.add({ op: "flatten", of: x });
  x = net.relu(net.linear(x, "classifier.0", 4096));
  x = net.relu(net.linear(x, "classifier.3", 4096));
  net.linear(x, "classifier.6", 1000);
  return { shape, steps: net.steps };
}

/**
 * Branches of GoogLeNet's blocks (Szegedy et al. 2014, arXiv:1409.4842, table 1): 1×1; 3×3 and what it is reduced to; 5×5, for which torchvision has
 * 3×3, and its reduction; 1×1 after pooling. "pool" halves the planes, by windows of 3×3 or 2×2.
 */
const INCEPTION = {
  "3a": [64, 96, 128, 16, 32, 32],
  "3b": [128, 128, 192, 32, 96, 64],
  "4a": [192, 96, 208, 16, 48, 64],
  "4b": [160, 112, 224, 24, 64, 64],
  "4c": [128, 128, 256, 24, 64, 64],
  "4d": [112, 144, 288, 32, 64, 64],
  "4e": [256, 160, 320, 32, 128, 128],
  "5a": [256, 160, 320, 32, 128, 128],
  "5b": [384, 192, 384, 48, 128, 128],
} as const;

/** GoogLeNet in torchvision's form, without heads. */
export function googlenet(shape: Shape): Network {
  const net = new Builder();
  const unit = (
    of: number,
    name: string,
    filters: number,
    kernel: number,
    stride = 1,
  ) => {
    const y = net.conv(of, `${name}.conv`, filters, kernel, { stride });
    return net.relu(net.batchNorm(y, `${name}.bn`, 1e-3));
  };
  const halve = (of: number, kernel = 3) =>
    net.maxPool(of, kernel, { stride: 2, ceil: true });
  let x = halve(unit(0, "conv1", 64, 7, 2));
  x = halve(unit(unit(x, "conv2", 64, 1), "conv3", 192, 3));
  for (const [block, sizes] of Object.entries(INCEPTION)) {
    if (block === "4a") x = halve(x);
    if (block === "5a") x = halve(x, 2);
    const [one, reduced3, three, reduced5, five, pooled] = sizes;
    const name = `inception${block}`;
    const branch1 = unit(x, `${name}.branch1`, one, 1);
    const narrow3 = unit(x, `${name}.branch2.0`, reduced3, 1);
    const branch2 = unit(narrow3, `${name}.branch2.1`, three, 3);
    const narrow5 = unit(x, `${name}.branch3.0`, reduced5, 1);
    const branch3 = unit(narrow5, `${name}.branch3.1`, five, 3);
    const most = net.maxPool(x, 3, { stride: 1, padding: 1 });
    const branch4 = unit(most, `${name}.branch4.1`, pooled, 1);
    x = net.concat(branch1, branch2, branch3, branch4);
  }
  net.classify(x, "fc");
  return { shape, steps: net.steps };
}

/** DenseNet-121 (Huang et al. 2016, arXiv:1608.06993, table 1), what each layer makes put behind its input, which takes fewer dispatches than all parts at once. */
export function densenet121(shape: Shape): Network {
  const net = new Builder();
  const growth = 32;
  const active = (of: number, name: string) =>
    net.relu(net.batchNorm(of, `features.${name}`));
  let x = net.conv(0, "features.conv0", 64, 7, { stride: 2 });
  x = net.maxPool(active(x, "norm0"), 3, { stride: 2, padding: 1 });
  let channels = 64;
  [6, 12, 24, 16].forEach((layers, index) => {
    const block = `denseblock${index + 1}`;
    for (let i = 1; i <= layers; i++) {
      const name = `${block}.denselayer${i}`;
      let y = active(x, `${name}.norm1`);
      y = net.conv(y, `features.${name}.conv1`, 4 * growth, 1);
      y = active(y, `${name}.norm2`);
      y = net.conv(y, `features.${name}.conv2`, growth, 3);
      x = net.concat(x, y);
    }
    channels += layers * growth;
    if (index === 3) return;
    const name = `transition${index + 1}`;
    channels /= 2;
    x = net.conv(
      active(x, `${name}.norm`),
      `features.${name}.conv`,
      channels,
      1,
    );
    x = net.add({ op: "averagePool", of: x, kernel: 2 });
  });
  net.classify(active(x, "norm5"), "classifier");
  return { shape, steps: net.steps };
}
