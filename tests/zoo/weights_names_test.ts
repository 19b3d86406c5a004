/** Names and shapes of published weights, whole, against those of the networks that take them. */
import { assertEquals } from "@std/assert";
import { init, nn, scope, zoo } from "../../mod.ts";
import type { HostArray } from "../../wgsl/op.ts";
import { sizeOf } from "../../wgsl/shape.ts";
import { IMAGENET } from "../../zoo/weights_imagenet.ts";
import { renamed } from "../../zoo/weights_load.ts";
import torchvision from "../fixtures/torchvision_names.json" with {
  type: "json",
};
import { assertNames } from "../support/made_up.ts";

await init({ seed: 0 });

/** A network as its weights want it, with the heads that the file holds. */
function networkOf(name: string, options: object = {}): nn.Module {
  const wanted = { ...IMAGENET[name].options, ...options };
  return nn.init.skipInit(() => zoo.create(name, wanted));
}

/** A state's shapes, as a file would hold them but for the values. */
function arraysOf(net: nn.Module): Map<string, HostArray> {
  return new Map(
    Array.from(net.stateDict(), ([name, { shape }]) => [name, arrayOf(shape)]),
  );
}

function arrayOf(shape: readonly number[]): HostArray {
  return { shape, dtype: "f32", data: new Float32Array(0) };
}

/** Lines of names and shapes, in order. */
function linesOf(state: ReadonlyMap<string, { shape: readonly number[] }>) {
  return Array.from(state, ([name, { shape }]) => `${name} ${shape}`).sort();
}

Deno.test("each network with torchvision's weights has torchvision's names, shapes and count", async () => {
  const published = Object.keys(IMAGENET)
    .filter((name) => IMAGENET[name].sources[0].file.endsWith(".pth"));
  assertEquals(published.toSorted(), Object.keys(torchvision).toSorted());
  for (const [name, want] of Object.entries(torchvision)) {
    using _ = scope();
    const heads = name === "googlenet" ? { auxLogits: true } : {};
    const net = networkOf(name, heads);
    assertEquals(net.parameterCount(), want.parameters, name);
    assertEquals(net.stateDict().size, want.tensors, name);
    await assertNames(net, want.names);
    net.dispose();
  }
});

Deno.test("files with auxiliary heads fit networks without, by the rules of their entries", () => {
  using _ = scope();
  for (
    const [name, left] of [["googlenet", 364 - 20], [
      "inception_v3",
      580 - 14,
    ]] as const
  ) {
    const whole = networkOf(name, { auxLogits: true });
    const plain = networkOf(name, { auxLogits: false });
    const own = plain.stateDict();
    const found = renamed(arraysOf(whole), own, IMAGENET[name].rules!);
    assertEquals(linesOf(found), linesOf(own), name);
    assertEquals(found.size, left);
    for (const net of [whole, plain]) net.dispose();
  }
});

/**
 * Names of timm's VGG (huggingface/pytorch-image-models, timm/models/vgg.py, ConvMlp and ClassifierHead): its first linear layers are convolutions of 7×7 and
 * 1×1.
 */
const TIMM:
  readonly (readonly [own: string, theirs: string, kernel: number])[] = [
    ["classifier.0.", "pre_logits.fc1.", 7],
    ["classifier.3.", "pre_logits.fc2.", 1],
    ["classifier.6.", "head.fc.", 0],
  ];

function timmVgg(net: nn.Module): Map<string, HostArray> {
  const state = new Map<string, HostArray>();
  for (const [name, { shape }] of net.stateDict()) {
    const row = TIMM.find(([own]) => name.startsWith(own));
    if (!row) {
      state.set(name, arrayOf(shape));
      continue;
    }
    const [own, theirs, kernel] = row;
    const filter = kernel > 0 && shape.length === 2;
    const sizes = filter
      ? [shape[0], shape[1] / kernel ** 2, kernel, kernel]
      : shape;
    assertEquals(sizeOf(sizes), sizeOf(shape));
    state.set(theirs + name.slice(own.length), arrayOf(sizes));
  }
  return state;
}

Deno.test("timm's copies of VGG, whose linear layers are convolutions, become torchvision's by the rules of their entries", () => {
  const names = Object.keys(IMAGENET).filter((name) => name.startsWith("vgg"));
  assertEquals(names.length, 8);
  for (const name of names) {
    using _ = scope();
    const net = networkOf(name);
    const own = net.stateDict();
    const theirs = timmVgg(net);
    assertEquals(
      theirs.get("pre_logits.fc1.weight")!.shape,
      [4096, 512, 7, 7],
    );
    const found = renamed(theirs, own, IMAGENET[name].rules!);
    assertEquals(linesOf(found), linesOf(own), name);
    net.dispose();
  }
});
