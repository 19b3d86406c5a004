/**
 * Each network of the zoo, in each of its forms, learns eight pictures of Fashion-MNIST by heart, one of each of the first eight classes: its loss falls below a half (with auxiliary heads, theirs
 * included) and all eight are told right. In the first step each parameter must get a gradient of finite values that aren't all 0. Writes each form's row
 * of the table in zoo/README.md:
 *
 *     deno task zoo:overfit              all networks
 *     deno task zoo:overfit nin vgg11    some of them
 */
import { concat, init, nn, scope, type Tensor, tensor, zoo } from "../mod.ts";
import { overfit, type OverfitOptions } from "../tests/support/overfit.ts";
import { type GrowingTable, replaceRow } from "./section.ts";

/** A form of a network. */
interface Form {
  /** Its network's name. */
  readonly name: string;
  /** Dropping is left out, as it only makes learning by heart slower. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly shape: OverfitOptions["shape"];
  readonly lr?: number;
  /** Factor of the auxiliary heads' losses. */
  readonly heads?: number;
  /** Biases of the last convolution: NiN ends in a ReLU, and a class whose scores come to be below 0 for all pictures never learns. */
  readonly lift?: number;
}

const GREY = [1, 32, 32] as const;
const SMALL = [3, 64, 64] as const;

/** A deep VGG in the form with a width divisor: torchvision's needs a linear layer of 103 million weights whatever the picture. */
function vgg(name: string): Form {
  const options = { variant: "d2l", widthDivisor: 8, inputSize: 32 };
  const batchNorm = name.endsWith("_bn");
  return { name, options, shape: GREY, lr: batchNorm ? 1e-3 : 3e-4 };
}

const FORMS: readonly Form[] = [
  { name: "lenet", shape: [1, 28, 28], lr: 1e-2 },
  { name: "lenet", options: { variant: "tutorial" }, shape: GREY, lr: 3e-3 },
  { name: "lenet", options: { variant: "small" }, shape: [1, 28, 28] },
  { name: "alexnet", shape: [3, 63, 63], lr: 3e-4 },
  {
    name: "alexnet",
    options: { variant: "paper" },
    shape: [3, 224, 224],
    lr: 3e-4,
  },
  {
    name: "alexnet",
    options: { variant: "d2l" },
    shape: [1, 224, 224],
    lr: 3e-4,
  },
  { name: "vgg11", shape: [3, 32, 32], lr: 1e-4 },
  ...["vgg11", "vgg13", "vgg16", "vgg19"].flatMap((name) => [
    vgg(name),
    vgg(`${name}_bn`),
  ]),
  { name: "nin", shape: [1, 224, 224], lift: 1, lr: 2e-4 },
  {
    name: "nin",
    options: { variant: "paper" },
    shape: [3, 32, 32],
    lift: 1,
    lr: 3e-4,
  },
  { name: "googlenet", shape: SMALL },
  {
    name: "googlenet",
    options: { auxLogits: true, auxDropout: 0 },
    shape: SMALL,
    heads: 0.3,
  },
  {
    name: "googlenet",
    options: { variant: "paper", auxDropout: 0 },
    shape: [3, 224, 224],
    heads: 0.3,
    lr: 3e-4,
  },
  { name: "googlenet", options: { variant: "d2l" }, shape: GREY, lr: 2e-4 },
  { name: "inception_v2", shape: SMALL },
  { name: "inception_v2", options: { separable: false }, shape: SMALL },
  { name: "inception_v3", shape: [3, 299, 299], heads: 0.4 },
  {
    name: "inception_v3",
    options: { auxLogits: false },
    shape: [3, 107, 107],
  },
  { name: "inception_v4", shape: [3, 107, 107] },
  ...["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"].map((
    name,
  ) => ({ name, shape: SMALL })),
  { name: "resnet50", options: { variant: "v1" }, shape: SMALL },
  { name: "resnet18", options: { shortcut: "padding" }, shape: SMALL },
  { name: "plain18", shape: SMALL },
  { name: "plain34", shape: SMALL },
  { name: "resnet18_d2l", shape: GREY },
  ...["18", "34", "50", "101", "152"].map((depth) => ({
    name: `resnetv2_${depth}`,
    shape: SMALL,
  })),
  ...["121", "161", "169", "201"].map((depth) => ({
    name: `densenet${depth}`,
    shape: SMALL,
  })),
  { name: "densenet121", options: { memoryEfficient: true }, shape: SMALL },
  { name: "densenet_d2l", shape: GREY },
];

/** The most steps that a network may take. */
const STEPS = 300;
const README = new URL("../zoo/README.md", import.meta.url);

/** What is kept of a network's training. */
interface Result {
  readonly name: string;
  readonly form: string;
  readonly shape: readonly number[];
  readonly parameters: number;
  readonly lr: number;
  readonly steps: number;
  /** Of the first step and of the last. */
  readonly losses: readonly [number, number];
}

/** A form's options in words. */
function wordsOf({ options = {} }: Form): string {
  return Object.entries(options)
    .filter(([key]) => !/dropout/i.test(key))
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(", ");
}

async function run(form: Form): Promise<Result> {
  const { name, options, shape, lr = 1e-3, heads } = form;
  await init({ seed: 0 });
  const net = zoo.create(name, {
    inChannels: shape[0],
    classes: 8,
    dropout: 0,
    ...options,
  });
  if (form.lift) liftEnd(net, form.lift);
  const loss = net instanceof zoo.AuxiliaryNet
    ? zoo.auxiliaryLoss(net, { weight: heads })
    : undefined;
  const pictures = await picturesOf(shape);
  const training = { shape, pictures, lr, steps: STEPS, loss };
  const { done, losses } = await overfit(net, training);
  const parameters = net.parameterCount();
  for (const left of [net, pictures]) left.dispose();
  if (!done) {
    const seen = losses.map((value) => value.toFixed(2)).join(" ");
    throw new Error(
      `Cannot learn eight pictures by heart: the losses are ${seen}`,
    );
  }
  return {
    name,
    form: wordsOf(form),
    shape,
    parameters,
    lr,
    steps: losses.length,
    losses: [losses[0], losses.at(-1)!],
  };
}

/** The first picture of each of eight classes, enlarged, in as many equal channels as are wanted. */
async function picturesOf(
  [channels, ...sizes]: Form["shape"],
): Promise<Tensor> {
  const { images, labels } = await nn.fashionMnist({ split: "test" });
  const pixels = Array.from({ length: 8 }, (_, label) => {
    const start = 784 * labels.indexOf(label);
    return [...images.subarray(start, start + 784)];
  });
  using inner = scope();
  const x = tensor(pixels.flat(), { shape: [8, 1, 28, 28] }).div(255);
  const grey = new nn.Upsample({ size: [...sizes], mode: "bilinear" })(x);
  const normal = nn.transforms.normalize(grey, [0.286], [0.353]);
  return inner.keep(concat(Array.from({ length: channels }, () => normal), 1));
}

function liftEnd(net: nn.Module, bias: number): void {
  const convs = Array.from(net.namedModules(), ([, layer]) => layer)
    .filter((layer) => layer instanceof nn.Conv2d);
  nn.init.constant_(convs.at(-1)!.bias!, bias);
}

function rowOf(result: Result): string[] {
  return [
    result.name,
    result.form,
    result.shape.join("×"),
    result.parameters.toLocaleString("en-US"),
    `${result.lr}`,
    `${result.steps}`,
    result.losses.map((loss) => loss.toFixed(2)).join(" → "),
  ];
}

const TABLE: GrowingTable = {
  heads: [
    "network",
    "options",
    "pictures",
    "parameters",
    "step size",
    "steps",
    "loss",
  ],
  keys: 2,
  order: FORMS.map((form) => [form.name, wordsOf(form)]),
};

const left = zoo.list().filter((name) =>
  !FORMS.some((form) => form.name === name)
);
if (left.length > 0) {
  throw new Error(`Cannot show that all networks learn: no form of ${left}`);
}
const names = Deno.args.length > 0 ? Deno.args : zoo.list();
for (const name of names) zoo.describe(name); // Throws where there is none.
let failed = 0;
for (const form of FORMS.filter(({ name }) => names.includes(name))) {
  const start = performance.now();
  try {
    const row = rowOf(await run(form));
    await replaceRow(README, "overfit", TABLE, row);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(row.join(" | "), `| ${seconds} s`);
  } catch (error) {
    failed++;
    console.error(form.name, wordsOf(form), error);
  }
}
if (failed > 0) Deno.exit(1);
