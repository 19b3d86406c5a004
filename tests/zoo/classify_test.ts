/** Pictures in, names and layers' outputs out. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { init, memory, nn, noGrad, zeros, zoo } from "../../mod.ts";
import { png } from "../support/data_files.ts";
import { scene } from "../support/pictures.ts";

await init({ seed: 0 });

interface Prepared {
  readonly network: string;
  readonly weights: string;
  readonly size: readonly [number, number];
  readonly shape: readonly number[];
  readonly mean: number;
  readonly values: readonly number[];
}

const PREPARED: readonly Prepared[] = JSON.parse(
  await Deno.readTextFile(
    new URL("../fixtures/preprocess.json", import.meta.url),
  ),
);

for (const { network, weights, size, shape, mean, values } of PREPARED) {
  Deno.test(`a picture of ${size.join("×")} is prepared for ${network} as torchvision does it`, async () => {
    const { preprocessing } = zoo.describeWeights(network, weights);
    const x = zoo.preprocess(scene(...size, 3), preprocessing);
    assertEquals(x.shape, shape);
    const got = Array.from(await x.read(), Number);
    assertAlmostEquals(got.reduce((a, b) => a + b) / got.length, mean, 1e-6);
    values.forEach((value, i) => {
      assertAlmostEquals(got[997 * i], value, 1e-6);
    });
    x.dispose();
  });
}

Deno.test("a PNG's bytes and path, and its pixels in colour or grey, are told alike", async () => {
  const { images, labels, classes } = await nn.fashionMnist({ split: "test" });
  const net = await zoo.lenet({ weights: "fashion-mnist" });
  const before = memory();
  const grey = images.slice(0, 784);
  const colour = Uint8Array.from([...grey].flatMap((v) => [v, v, v]));
  const file = await png(28, 28, colour);
  const path = await Deno.makeTempFile({ suffix: ".png" });
  await Deno.writeFile(path, file);
  const pictures = [
    file,
    path,
    { width: 28, height: 28, data: grey },
    { width: 28, height: 28, data: colour },
  ];
  const told = await Promise.all(
    pictures.map((image) => zoo.classify(net, image, { top: 3 })),
  );
  await Deno.remove(path);
  for (const predictions of told) assertEquals(predictions, told[0]);
  const [best, second, third] = told[0];
  assertEquals([best.name, best.index], [classes[labels[0]], labels[0]]);
  assert(best.probability > second.probability);
  assert(second.probability >= third.probability);
  assert(net.training);
  assertEquals(memory().bytes, before.bytes);
  const all = await zoo.classify(net, file, { top: 10 });
  assertAlmostEquals(all.reduce((sum, p) => sum + p.probability, 0), 1, 1e-6);
  net.dispose();
});

Deno.test("a network of one's own is told how pictures are prepared and what its classes are called", async () => {
  const net = zoo.lenet({ variant: "small", classes: 2 });
  const image = scene(40, 50, 3);
  await assertRejects(
    () => zoo.classify(net, image),
    TypeError,
    "Cannot classify with this network: it wasn't built with published weights, so pass { preprocessing, classes }",
  );
  const { preprocessing } = zoo.describeWeights("lenet", "fashion-mnist");
  const classes = ["cat", "dog"];
  const found = await zoo.classify(net, image, { preprocessing, classes });
  assertEquals(found.map(({ name }) => name).sort(), classes);
  await assertRejects(
    () => zoo.classify(net, image, { preprocessing, classes: ["cat"] }),
    RangeError,
    "Cannot name the classes: the network has 2 outputs, and there are 1 names",
  );
  await assertRejects(
    () => zoo.classify(net, image, { preprocessing, classes, top: 0 }),
    RangeError,
    "Cannot name 0 classes: expected a whole number from 1",
  );
  net.dispose();
});

Deno.test("layers' outputs come by path, in the order asked for, and live on with the network's input", async () => {
  const net = zoo.resnet18({ stem: "small", width: 4, classes: 10 }).eval();
  const x = zeros([2, 3, 32, 32]);
  const before = memory();
  const paths = ["fc", "layer4.1", "layer1"];
  const found = noGrad(() => zoo.features(net, x, paths));
  assertEquals([...found.keys()], paths);
  assertEquals(
    [...found.values()].map(({ shape }) => shape),
    [[2, 10], [2, 32, 4, 4], [2, 4, 32, 32]],
  );
  const logits = noGrad(() => net(x));
  assertEquals(await found.get("fc")!.array(), await logits.array());
  for (const y of [logits, ...found.values()]) y.dispose();
  assertEquals(memory().bytes, before.bytes);

  const weighed = zoo.features(net, x, ["layer1.0"]).get("layer1.0")!;
  weighed.sum().backward();
  assert(net.conv1.weight.grad);
  assertEquals(net.fc.weight.grad, null);
  net.dispose();
});

Deno.test("paths that no layer has, and layers that weren't called, are named", () => {
  const net = new zoo.PadShortcut(2, 1);
  assertThrows(
    () => zoo.features(zoo.lenet(), zeros([1, 1, 28, 28]), ["conv1"]),
    RangeError,
    "Cannot find a layer at \"conv1\": the paths are those of the network's state, without the parameters' names",
  );
  assertThrows(
    () =>
      zoo.features(zoo.lenet({ variant: "small" }), zeros([1, 1, 28, 28]), [
        "conv3",
      ]),
    RangeError,
    'Cannot find a layer at "conv3", did you mean "conv1"?: the paths are those of the network\'s state, without the parameters\' names',
  );
  class Idle extends nn.Module {
    readonly used = net;
    readonly idle = new nn.ReLU();
    override forward(x: ReturnType<typeof zeros>) {
      return this.used(x);
    }
  }
  assertThrows(
    () => zoo.features(new Idle(), zeros([1, 2, 2, 2]), ["idle"]),
    Error,
    'Cannot give the output of "idle": the network didn\'t call that layer',
  );
});
