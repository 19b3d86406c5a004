/** The `weights` option: files, URLs, bytes, and what comes with the library. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { init, memory, type nn, tensor, zoo } from "../../mod.ts";
import {
  evaluate,
  fashionMnist,
  type Module,
  saveWeights,
  transforms,
} from "../../nn/mod.ts";
import { DataLoader } from "../../nn/data/loader.ts";
import { saveSafetensors } from "../../core/formats/files.ts";
import { withFolder, withServer } from "../support/data_files.ts";

await init({ seed: 0 });

const SMALL = { variant: "small" } as const;

/** Runs a test body with a small LeNet and the path of its weights. */
async function withSaved(
  body: (net: Module, path: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const net = zoo.lenet(SMALL);
    const path = `${folder}/small.safetensors`;
    await saveWeights(net, path);
    await body(net, path);
    net.dispose();
  });
}

/** All values of a network, in order. */
async function valuesOf(net: Module): Promise<number[]> {
  const tensors = [...net.stateDict().values()];
  const arrays = await Promise.all(tensors.map((x) => x.read()));
  return arrays.flatMap((array) => Array.from(array, Number));
}

Deno.test("a builder gives a network at once, and with weights a promise of the same type", async () => {
  await withFolder(async (folder) => {
    const options = { stem: "small", width: 2, classes: 2 } as const;
    const net: zoo.ResNet = zoo.resnet18(options);
    const weights = `${folder}/net.safetensors`;
    await saveWeights(net, weights);
    const promise: Promise<zoo.ResNet> = zoo.resnet18({ ...options, weights });
    const twin = await promise;
    assertEquals(await valuesOf(twin), await valuesOf(net));
    const named: nn.Module = zoo.create("resnet18", options);
    const loaded: nn.Module = await zoo.create("resnet18", {
      ...options,
      weights,
    });
    assertEquals(await valuesOf(loaded), await valuesOf(net));
    for (const each of [net, twin, named, loaded]) each.dispose();
  });
});

Deno.test("weights come from a path, a URL, an address or bytes", async () => {
  await withSaved(async (net, path) => {
    const bytes = await Deno.readFile(path);
    const want = await valuesOf(net);
    await withServer(() => new Response(bytes), async (base, requests) => {
      const sources = [path, new URL(`${base}/a`), `${base}/b`, bytes];
      for (const weights of sources) {
        const twin = await zoo.lenet({ ...SMALL, weights });
        assertEquals(await valuesOf(twin), want);
        twin.dispose();
      }
      assertEquals(requests, ["/a", "/b"]);
    });
  });
});

Deno.test("weights that don't fit are answered with one table, and nothing stays in memory", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/other.safetensors`;
    const zeros = (...shape: number[]) =>
      tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape });
    const state = new Map([
      ["conv1.weight", zeros(10, 3, 5, 5)],
      ["conv1.bias", zeros(10)],
      ["conv2.weight", zeros(20, 10, 5, 5)],
      ["conv2.bias", zeros(20)],
      ["fc.weight", zeros(10, 320)],
      ["fc.bais", zeros(10)],
    ]);
    await saveSafetensors(path, state);
    for (const x of state.values()) x.dispose();
    const before = memory();
    await assertRejects(
      () => zoo.lenet({ ...SMALL, weights: path }),
      Error,
      [
        "Cannot load the state, nothing was changed:",
        "  mis-shaped  conv1.weight: [10, 3, 5, 5] given, [10, 1, 5, 5] needed",
        "  missing     fc.bias [10]",
        "  unexpected  fc.bais, did you mean fc.bias?",
      ].join("\n"),
    );
    assertEquals(memory().bytes, before.bytes);
  });
});

Deno.test("names of weights that a network doesn't have are answered with those that it has", async () => {
  assertEquals(zoo.describe("lenet").weights, ["fashion-mnist"]);
  assertEquals(zoo.describe("resnet50").weights, ["imagenet", "imagenet-v2"]);
  assertEquals(zoo.describe("nin").weights, []);
  await assertRejects(
    () => zoo.lenet({ weights: "imagenet" }),
    RangeError,
    'Cannot find weights called "imagenet" for lenet: there are "fashion-mnist", and a path, a URL or bytes will do',
  );
  await assertRejects(
    () => zoo.nin({ weights: "imagenet" }),
    RangeError,
    'Cannot find weights called "imagenet" for nin: none are published that fit, and a path, a URL or bytes will do',
  );
  assertThrows(
    () => zoo.describeWeights("resnet50", "imagenet-v1"),
    RangeError,
    'Cannot find weights called "imagenet-v1" for resnet50, did you mean "imagenet-v2"?: there are "imagenet" and "imagenet-v2", and a path, a URL or bytes will do',
  );
  await assertRejects(
    () => zoo.lenet({ weights: "no/such/file" }),
    Deno.errors.NotFound,
    "no/such/file",
  );
});

Deno.test("options that the weights weren't trained with are refused before anything is downloaded", async () => {
  await assertRejects(
    () => zoo.resnet18({ weights: "imagenet", classes: 10 }),
    RangeError,
    'Cannot load the weights "imagenet" into resnet18 with classes 10: they were trained with 1000',
  );
  await assertRejects(
    () => zoo.lenet({ weights: "fashion-mnist", activation: "tanh" }),
    RangeError,
    'Cannot load the weights "fashion-mnist" into lenet with activation "tanh": they were trained with "relu"',
  );
});

Deno.test("the networks that come along tell the classes of Fashion-MNIST", async () => {
  const pictures = await fashionMnist({ split: "test" });
  for (const [name, parameters, least] of SHIPPED) {
    const { preprocessing } = zoo.describeWeights(name, "fashion-mnist");
    const { mean, std } = preprocessing;
    const net = await zoo.create(name, { weights: "fashion-mnist" });
    assertEquals(net.parameterCount(), parameters);
    const loader = new DataLoader(pictures, {
      batchSize: 250,
      transform: (x) => transforms.normalize(x, mean, std),
    });
    const { accuracy } = await evaluate(net, loader);
    assert(accuracy >= least, `${name}: ${accuracy}`);
    net.dispose();
    const file = `../../zoo/pretrained/${name}-fashion-mnist.safetensors`;
    const { size } = await Deno.stat(new URL(file, import.meta.url));
    assert(size <= 2 ** 20, `${name}: ${size} bytes`);
  }
});

const SHIPPED = [
  ["lenet", 61_706, 0.88],
  ["resnet18", 176_578, 0.86],
] as const;
