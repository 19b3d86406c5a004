/**
 * Weights trained on ImageNet (ILSVRC 2012): torchvision's files, and their copies in safetensors that timm keeps on the Hugging Face hub.
 *
 * Addresses, the transforms and accuracies (shares of the 50,000 validation pictures) are those of torchvision 0.14.1, torchvision/models/*.py, whose
 * file names end in the first eight digits of their SHA-256; for Inception v4 those of timm.
 */
import CLASSES from "./imagenet_classes.txt" with { type: "text" };
import type {
  NameRule,
  Preprocessing,
  WeightsEntry,
  WeightsSource,
} from "./weights_entry.ts";

const TORCHVISION = "https://download.pytorch.org/models";
const HUB = "https://huggingface.co/timm";

/** What torchvision does to a picture unless an entry says otherwise. */
const PREPROCESSING: Preprocessing = {
  channels: 3,
  resize: 256,
  crop: 224,
  interpolation: "bilinear",
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** timm's VGG has convolutions over all of the last map in the place of linear layers. */
const VGG_RULES: readonly NameRule[] = [
  { from: "pre_logits.fc1.", to: "classifier.0.", flatten: true },
  { from: "pre_logits.fc2.", to: "classifier.3.", flatten: true },
  { from: "head.fc.", to: "classifier.6." },
];

/** A file of torchvision's. */
function torchvision(file: string): WeightsSource {
  const sha256 = file.slice(-12, -4);
  return { file, urls: [`${TORCHVISION}/${file}`], sha256 };
}

/** A model of timm's. */
function timm(model: string): WeightsSource {
  const urls = [`${HUB}/${model}/resolve/main/model.safetensors`];
  return { file: `${model}.safetensors`, urls };
}

/** What entries differ by. */
interface Row {
  /** timm's name of the same weights. */
  readonly hub?: string;
  readonly options?: WeightsEntry["options"];
  readonly rules?: readonly NameRule[];
  readonly preprocessing?: Partial<Preprocessing>;
}

function entry(
  file: string,
  top1: number,
  top5: number,
  { hub, options, rules, preprocessing }: Row = {},
): WeightsEntry {
  const sources = [torchvision(file)];
  if (hub) sources.push(timm(hub));
  return {
    sources,
    rules,
    options: { classes: 1000, inChannels: 3, ...options },
    preprocessing: { ...PREPROCESSING, ...preprocessing },
    classes: imagenetClasses,
    accuracy: { top1, top5 },
  };
}

function vgg(name: string, sum: string, top1: number, top5: number) {
  return entry(`${name}-${sum}.pth`, top1, top5, {
    hub: `${name}.tv_in1k`,
    rules: VGG_RULES,
    options: { variant: "torchvision" },
  });
}

function resnet(name: string, sum: string, top1: number, top5: number) {
  return entry(`${name}-${sum}.pth`, top1, top5, {
    hub: `${name}.tv_in1k`,
    options: RESNET_OPTIONS,
  });
}

/** The later recipe, whose pictures are resized to 232: https://github.com/pytorch/vision/issues/3995 */
function resnetV2(name: string, sum: string, top1: number, top5: number) {
  return entry(`${name}-${sum}.pth`, top1, top5, {
    hub: `${name}.tv2_in1k`,
    options: RESNET_OPTIONS,
    preprocessing: { resize: 232 },
  });
}

function densenet(name: string, sum: string, top1: number, top5: number) {
  return entry(`${name}-${sum}.pth`, top1, top5, { hub: `${name}.tv_in1k` });
}

const RESNET_OPTIONS = {
  variant: "v1.5",
  shortcut: "projection",
  stem: "imagenet",
  width: 64,
};

/** Names of ImageNet's 1000 classes, in torchvision's order. */
export function imagenetClasses(): readonly string[] {
  return CLASSES.trimEnd().split("\n");
}

/** By the network's name: torchvision's IMAGENET1K_V1, and timm's Inception v4. */
export const IMAGENET: Readonly<Record<string, WeightsEntry>> = {
  alexnet: entry("alexnet-owt-7be5be79.pth", 0.56522, 0.79066, {
    options: { variant: "torchvision" },
  }),
  vgg11: vgg("vgg11", "8a719046", 0.6902, 0.88628),
  vgg13: vgg("vgg13", "19584684", 0.69928, 0.89246),
  vgg16: vgg("vgg16", "397923af", 0.71592, 0.90382),
  vgg19: vgg("vgg19", "dcbb9e9d", 0.72376, 0.90876),
  vgg11_bn: vgg("vgg11_bn", "6002323d", 0.7037, 0.8981),
  vgg13_bn: vgg("vgg13_bn", "abd245e5", 0.71586, 0.90374),
  vgg16_bn: vgg("vgg16_bn", "6c64b313", 0.7336, 0.91516),
  vgg19_bn: vgg("vgg19_bn", "c79401a0", 0.74218, 0.91842),
  googlenet: entry("googlenet-1378be20.pth", 0.69778, 0.8953, {
    options: { variant: "torchvision", transformInput: true },
    // The file has untrained heads.
    rules: [{ from: "aux1.", to: null }, { from: "aux2.", to: null }],
  }),
  inception_v3: entry("inception_v3_google-0cc3c7bd.pth", 0.77294, 0.9345, {
    options: { transformInput: true },
    rules: [{ from: "AuxLogits.", to: null }],
    preprocessing: { resize: 342, crop: 299 },
  }),
  inception_v4: {
    sources: [timm("inception_v4.tf_in1k")],
    options: { classes: 1000, inChannels: 3 },
    preprocessing: {
      channels: 3,
      resize: 341, // 299 / 0.875
      crop: 299,
      interpolation: "bicubic",
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    classes: imagenetClasses,
  },
  resnet18: resnet("resnet18", "f37072fd", 0.69758, 0.89078),
  resnet34: resnet("resnet34", "b627a593", 0.73314, 0.9142),
  resnet50: resnet("resnet50", "0676ba61", 0.7613, 0.92862),
  resnet101: resnet("resnet101", "63fe2227", 0.77374, 0.93546),
  resnet152: resnet("resnet152", "394f9c45", 0.78312, 0.94046),
  densenet121: densenet("densenet121", "a639ec97", 0.74434, 0.91972),
  densenet161: densenet("densenet161", "8d451a50", 0.77138, 0.9356),
  densenet169: densenet("densenet169", "b2777c0a", 0.756, 0.92806),
  densenet201: densenet("densenet201", "c1103571", 0.76896, 0.9337),
};

/** By the network's name: torchvision's IMAGENET1K_V2. */
export const IMAGENET_V2: Readonly<Record<string, WeightsEntry>> = {
  resnet50: resnetV2("resnet50", "11ad3fa6", 0.80858, 0.95434),
  resnet101: resnetV2("resnet101", "cd907fc2", 0.81886, 0.9578),
  resnet152: resnetV2("resnet152", "f82ba261", 0.82284, 0.96002),
};
