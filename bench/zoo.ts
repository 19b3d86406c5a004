/**
 * The course's networks on Fashion-MNIST, at reduced sizes: one pass over the library's part of it (10,000 pictures), then accuracy on its 2,000 test
 * pictures. Writes each network's row of the table in zoo/README.md:
 *
 *     deno task zoo:train              all networks
 *     deno task zoo:train nin vgg11    some of them
 */
import { init, nn, scope, synchronize, zoo } from "../mod.ts";
import { type GrowingTable, replaceRow } from "./section.ts";

/** How a network is made small enough. */
interface Entry {
  /** What is reduced. */
  readonly form: string;
  /** Width and height that pictures are enlarged to. */
  readonly size: number;
  readonly make: () => nn.Module;
  /** Adam's step size. @default 1e-3 */
  readonly lr?: number;
}

const NETWORKS: Readonly<Record<string, Entry>> = {
  nin: {
    form: "d2l's NiN",
    size: 67,
    make: () => zoo.nin(),
    lr: 3e-4,
  },
  vgg11: {
    form: "d2l's VGG-11, an eighth of the channels",
    size: 32,
    make: () => zoo.vgg11({ variant: "d2l", widthDivisor: 8, inputSize: 32 }),
    lr: 1e-3,
  },
  googlenet: {
    form: "d2l's GoogLeNet",
    size: 32,
    make: () => zoo.googlenet({ variant: "d2l" }),
    lr: 3e-4,
  },
  resnet18: {
    form: "d2l's ResNet-18, half the channels",
    size: 32,
    make: () => zoo.d2lResnet18({ width: 32 }),
  },
  densenet: {
    form: "d2l's DenseNet",
    size: 32,
    make: () => zoo.d2lDenseNet(),
  },
};

const BATCH = 64;
const README = new URL("../zoo/README.md", import.meta.url);

/** What is kept of a network's training. */
interface Result {
  readonly form: string;
  readonly size: number;
  readonly parameters: number;
  /** Forward, of one picture: two for each multiply-add. */
  readonly flops: number;
  readonly steps: number;
  /** Averages of the first ten steps and of the last ten. */
  readonly losses: readonly [number, number];
  readonly accuracy: number;
  /** Of the training. */
  readonly seconds: number;
}

async function train(entry: Entry): Promise<Result> {
  const { form, size, make, lr = 1e-3 } = entry;
  using _ = scope();
  await init({ seed: 0 });
  const net = make();
  const enlarged = new nn.Sequential(
    new nn.Upsample({ size, mode: "bilinear" }),
    net,
  );
  const { parameters, multiplyAdds } = nn.summary(net, [1, 1, size, size]);
  const data = await nn.fashionMnist();
  const { losses, seconds } = await nn.fit(
    enlarged,
    data,
    {
      optimizer: new nn.Adam(net.parameters(), { lr }),
      batchSize: BATCH,
      onProgress: false,
    },
  );
  const test = await nn.fashionMnist({ split: "test" });
  const { accuracy } = await nn.evaluate(enlarged, test, { batchSize: 64 });
  await synchronize();
  net.dispose();
  return {
    form,
    size,
    parameters,
    flops: 2 * multiplyAdds,
    steps: losses.length,
    losses: [mean(losses.slice(0, 10)), mean(losses.slice(-10))],
    accuracy,
    seconds,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const TABLE: GrowingTable = {
  heads: [
    "network",
    "pictures",
    "parameters",
    "flops a picture",
    "steps",
    "loss",
    "test accuracy",
    "seconds",
  ],
  keys: 1,
  order: Object.values(NETWORKS).map(({ form }) => [form]),
};

function rowOf(result: Result): string[] {
  return [
    result.form,
    `${result.size}×${result.size}`,
    result.parameters.toLocaleString("en-US"),
    `${(result.flops / 1e6).toFixed(1)} M`,
    `${result.steps}`,
    result.losses.map((loss) => loss.toFixed(2)).join(" → "),
    `${(100 * result.accuracy).toFixed(1)} %`,
    result.seconds.toFixed(0),
  ];
}

const names = Deno.args.length > 0 ? Deno.args : Object.keys(NETWORKS);
for (const name of names) {
  if (!Object.hasOwn(NETWORKS, name)) {
    const known = Object.keys(NETWORKS).join(", ");
    console.error(`Cannot train ${name}: expected some of ${known}`);
    Deno.exit(1);
  }
  const result = await train(NETWORKS[name]);
  await replaceRow(README, "fashion-mnist", TABLE, rowOf(result));
  console.log(name, result);
}
