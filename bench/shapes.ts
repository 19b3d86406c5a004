/**
 * Layers of the classic networks, as their papers' tables and torchvision give them, for one picture.
 *
 * - LeNet: LeCun et al. 1998, in the 28×28 form of Dive into Deep Learning, section 7.6
 * - AlexNet: Krizhevsky 2014, "One weird trick" (arXiv:1404.5997), the one-column form
 * - VGG-16: Simonyan and Zisserman 2014 (arXiv:1409.1556), table 1, column D
 * - GoogLeNet: Szegedy et al. 2014 (arXiv:1409.4842), table 1
 * - ResNet-18, ResNet-50: He et al. 2015 (arXiv:1512.03385), table 1
 * - DenseNet-121: Huang et al. 2016 (arXiv:1608.06993), table 1
 * - MobileNet: Howard et al. 2017 (arXiv:1704.04861), table 1, for its depthwise convolutions
 *
 * A layer that a network repeats stands here once.
 */

/** The networks that the layers come from. */
export type Network =
  | "LeNet"
  | "AlexNet"
  | "VGG-16"
  | "GoogLeNet"
  | "ResNet-18"
  | "ResNet-50"
  | "DenseNet-121"
  | "MobileNet";

/** Where a shape comes from. */
export interface Origin {
  readonly network: Network;
  /** The layer, by the name that the paper or torchvision gives it. */
  readonly layer: string;
}

/** `x: [N, channels, size, size], w: [filters, channels/groups, kernel, kernel]` */
export interface ConvLayer extends Origin {
  readonly channels: number;
  readonly size: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
}

/** `x: [N, inputs], w: [outputs, inputs]` */
export interface LinearLayer extends Origin {
  readonly inputs: number;
  readonly outputs: number;
}

/** `x: [N, channels, size, size]`, windows of `kernel`². */
export interface PoolLayer extends Origin {
  readonly kind: "max" | "avg";
  readonly channels: number;
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly ceilMode: boolean;
}

/** `x: [N, channels, size, size]`, normalised over batches or over neighbouring channels. */
export interface NormLayer extends Origin {
  readonly kind: "batch" | "localResponse";
  readonly channels: number;
  readonly size: number;
}

/** What must be computed and moved at least, for one call. */
export interface Cost {
  /** A multiply-add is two. Those on padding count. */
  readonly flops: number;
  /** Each operand read once, each result written once. */
  readonly bytes: number;
}

const FLOAT_BYTES = 4;

function conv(
  network: Network,
  layer: string,
  [channels, size]: readonly [number, number],
  [filters, kernel]: readonly [number, number],
  { stride = 1, padding = Math.floor(kernel / 2), groups = 1 } = {},
): ConvLayer {
  const from = { network, layer, channels, size };
  return { ...from, filters, kernel, stride, padding, groups };
}

/** Convolutions. */
export const CONV_LAYERS: readonly ConvLayer[] = [
  conv("LeNet", "conv1", [1, 28], [6, 5]),
  conv("LeNet", "conv2", [6, 14], [16, 5], { padding: 0 }),
  conv("AlexNet", "conv1", [3, 224], [64, 11], { stride: 4, padding: 2 }),
  conv("AlexNet", "conv2", [64, 27], [192, 5]),
  conv("AlexNet", "conv3", [192, 13], [384, 3]),
  conv("AlexNet", "conv4", [384, 13], [256, 3]),
  conv("AlexNet", "conv5", [256, 13], [256, 3]),
  conv("VGG-16", "conv1_1", [3, 224], [64, 3]),
  conv("VGG-16", "conv1_2", [64, 224], [64, 3]),
  conv("VGG-16", "conv2_1", [64, 112], [128, 3]),
  conv("VGG-16", "conv2_2", [128, 112], [128, 3]),
  conv("VGG-16", "conv3_1", [128, 56], [256, 3]),
  conv("VGG-16", "conv3_2", [256, 56], [256, 3]),
  conv("VGG-16", "conv4_1", [256, 28], [512, 3]),
  conv("VGG-16", "conv4_2", [512, 28], [512, 3]),
  conv("VGG-16", "conv5_1", [512, 14], [512, 3]),
  conv("GoogLeNet", "conv2 reduce", [64, 56], [64, 1]),
  conv("GoogLeNet", "conv2", [64, 56], [192, 3]),
  conv("GoogLeNet", "3a 1×1", [192, 28], [64, 1]),
  conv("GoogLeNet", "3a 5×5 reduce", [192, 28], [16, 1]),
  conv("GoogLeNet", "3a 3×3", [96, 28], [128, 3]),
  conv("GoogLeNet", "3a 5×5", [16, 28], [32, 5]),
  conv("GoogLeNet", "4a 1×1", [480, 14], [192, 1]),
  conv("GoogLeNet", "4a 3×3", [96, 14], [208, 3]),
  conv("GoogLeNet", "4a 5×5", [16, 14], [48, 5]),
  conv("GoogLeNet", "5b 1×1", [832, 7], [384, 1]),
  conv("GoogLeNet", "5b 3×3", [192, 7], [384, 3]),
  conv("GoogLeNet", "5b 5×5", [48, 7], [128, 5]),
  conv("ResNet-18", "conv1", [3, 224], [64, 7], { stride: 2 }),
  conv("ResNet-18", "layer1", [64, 56], [64, 3]),
  conv("ResNet-18", "layer2.0.conv1", [64, 56], [128, 3], { stride: 2 }),
  conv("ResNet-18", "layer2.0.downsample", [64, 56], [128, 1], { stride: 2 }),
  conv("ResNet-18", "layer2", [128, 28], [128, 3]),
  conv("ResNet-18", "layer3.0.conv1", [128, 28], [256, 3], { stride: 2 }),
  conv("ResNet-18", "layer3", [256, 14], [256, 3]),
  conv("ResNet-18", "layer4.0.conv1", [256, 14], [512, 3], { stride: 2 }),
  conv("ResNet-18", "layer4", [512, 7], [512, 3]),
  conv("ResNet-50", "layer1 reduce", [256, 56], [64, 1]),
  conv("ResNet-50", "layer1 expand", [64, 56], [256, 1]),
  conv("ResNet-50", "layer2.0.downsample", [256, 56], [512, 1], { stride: 2 }),
  conv("ResNet-50", "layer2.0.conv2", [128, 56], [128, 3], { stride: 2 }),
  conv("ResNet-50", "layer2 reduce", [512, 28], [128, 1]),
  conv("ResNet-50", "layer3 expand", [256, 14], [1024, 1]),
  conv("ResNet-50", "layer4 reduce", [2048, 7], [512, 1]),
  conv("DenseNet-121", "denselayer1.conv1", [64, 56], [128, 1]),
  conv("DenseNet-121", "denselayer1.conv2", [128, 56], [32, 3]),
  conv("DenseNet-121", "transition1", [256, 56], [128, 1]),
  conv("DenseNet-121", "denseblock3.24.conv1", [992, 14], [128, 1]),
  conv("DenseNet-121", "denseblock3.24.conv2", [128, 14], [32, 3]),
  conv("MobileNet", "conv dw 32, 112", [32, 112], [32, 3], { groups: 32 }),
  conv("MobileNet", "conv dw 128, 56", [128, 56], [128, 3], { groups: 128 }),
  conv("MobileNet", "conv dw 64, stride 2", [64, 112], [64, 3], {
    stride: 2,
    groups: 64,
  }),
  conv("MobileNet", "conv dw 512, 14", [512, 14], [512, 3], { groups: 512 }),
];

function linear(
  network: Network,
  layer: string,
  inputs: number,
  outputs: number,
): LinearLayer {
  return { network, layer, inputs, outputs };
}

/** Fully connected layers. */
export const LINEAR_LAYERS: readonly LinearLayer[] = [
  linear("LeNet", "fc1", 400, 120),
  linear("LeNet", "fc2", 120, 84),
  linear("LeNet", "fc3", 84, 10),
  linear("AlexNet", "fc6", 9216, 4096),
  linear("AlexNet", "fc7", 4096, 4096),
  linear("AlexNet", "fc8", 4096, 1000),
  linear("VGG-16", "fc6", 25088, 4096),
  linear("ResNet-18", "fc", 512, 1000),
  linear("ResNet-50", "fc", 2048, 1000),
  linear("DenseNet-121", "classifier", 1024, 1000),
];

function pool(
  network: Network,
  layer: string,
  kind: PoolLayer["kind"],
  [channels, size]: readonly [number, number],
  [kernel, stride]: readonly [number, number],
  { padding = 0, ceilMode = false } = {},
): PoolLayer {
  const from = { network, layer, kind, channels, size };
  return { ...from, kernel, stride, padding, ceilMode };
}

const CEIL = { ceilMode: true };

/** Pooling, global pooling among it. */
export const POOL_LAYERS: readonly PoolLayer[] = [
  pool("LeNet", "pool1", "avg", [6, 28], [2, 2]),
  pool("AlexNet", "pool1", "max", [64, 55], [3, 2]),
  pool("AlexNet", "pool5", "max", [256, 13], [3, 2]),
  pool("VGG-16", "pool1", "max", [64, 224], [2, 2]),
  pool("VGG-16", "pool3", "max", [256, 56], [2, 2]),
  pool("GoogLeNet", "maxpool1", "max", [64, 112], [3, 2], CEIL),
  pool("GoogLeNet", "3a pool", "max", [192, 28], [3, 1], { padding: 1 }),
  pool("GoogLeNet", "avgpool", "avg", [1024, 7], [7, 7]),
  pool("ResNet-18", "maxpool", "max", [64, 112], [3, 2], { padding: 1 }),
  pool("ResNet-18", "avgpool", "avg", [512, 7], [7, 7]),
  pool("DenseNet-121", "transition1", "avg", [128, 56], [2, 2]),
];

function norm(
  network: Network,
  layer: string,
  kind: NormLayer["kind"],
  channels: number,
  size: number,
): NormLayer {
  return { network, layer, kind, channels, size };
}

/** Normalisation. */
export const NORM_LAYERS: readonly NormLayer[] = [
  norm("AlexNet", "norm1 of the 2012 paper", "localResponse", 96, 55),
  norm("GoogLeNet", "norm1", "localResponse", 64, 56),
  norm("ResNet-18", "bn1", "batch", 64, 112),
  norm("ResNet-18", "layer1.bn", "batch", 64, 56),
  norm("ResNet-18", "layer4.bn", "batch", 512, 7),
  norm("ResNet-50", "layer1.bn3", "batch", 256, 56),
  norm("DenseNet-121", "transition1.norm", "batch", 256, 56),
];

/** Cost of a convolution over `batch` pictures. Its gradients cost the same. */
export function convCost(layer: ConvLayer, batch: number): Cost {
  const { channels, size, filters, kernel, groups } = layer;
  const out = convSize(layer);
  const depth = channels / groups * kernel ** 2;
  const moved = batch * channels * size ** 2 + filters * depth +
    batch * filters * out ** 2;
  return {
    flops: 2 * batch * filters * out ** 2 * depth,
    bytes: FLOAT_BYTES * moved,
  };
}

/** Height and width of a convolution's output. */
export function convSize(
  { size, kernel, stride, padding }: ConvLayer,
): number {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

/** Cost of a linear layer over `batch` rows, with its bias. */
export function linearCost(
  { inputs, outputs }: LinearLayer,
  batch: number,
): Cost {
  const moved = batch * inputs + inputs * outputs + outputs + batch * outputs;
  return {
    flops: 2 * batch * inputs * outputs + batch * outputs,
    bytes: FLOAT_BYTES * moved,
  };
}

/** Cost of pooling: one operation for each element of a window. Maxima come with their indices. */
export function poolCost(layer: PoolLayer, batch: number): Cost {
  const { kind, channels, size, kernel } = layer;
  const outputs = batch * channels * poolSize(layer) ** 2;
  const written = kind === "max" ? 2 * outputs : outputs;
  return {
    flops: outputs * kernel ** 2,
    bytes: FLOAT_BYTES * (batch * channels * size ** 2 + written),
  };
}

/** Height and width of pooling's output. */
export function poolSize(
  { size, kernel, stride, padding, ceilMode }: PoolLayer,
): number {
  const steps = (size + 2 * padding - kernel) / stride;
  if (!ceilMode) return Math.floor(steps) + 1;
  const out = Math.ceil(steps) + 1;
  // A last window must start inside the picture or its left padding.
  return (out - 1) * stride >= size + padding ? out - 1 : out;
}

/** Cost of ops that read `read` floats and write `written` ones, with `each` operations for a float read. */
export function streamCost(read: number, written: number, each = 1): Cost {
  return { flops: read * each, bytes: FLOAT_BYTES * (read + written) };
}

/** `ResNet-18 layer1`: a layer as it stands in tables. */
export function layerName({ network, layer }: Origin): string {
  return `${network} ${layer}`;
}
