/** torchvision's classes with few channels, written by PyTorch: our networks of the same sizes take the files and give the same logits. */
import { init, nn, noGrad, scope, zoo } from "../../mod.ts";
import wanted from "../fixtures/families.json" with { type: "json" };
import { assertLogits, picture } from "../support/made_up.ts";

await init({ seed: 0 });

const NETWORKS = {
  resnet: () =>
    new zoo.ResNet(zoo.BasicBlock, [1, 1, 1, 1], { width: 4, classes: 10 }),
  densenet: () =>
    new zoo.DenseNet(
      { growthRate: 8, blocks: [2, 2, 2, 2], initFeatures: 16 },
      { classes: 10 },
    ),
} satisfies Record<string, () => nn.Module>;

for (const name of Object.keys(NETWORKS) as (keyof typeof NETWORKS)[]) {
  for (const kind of ["pth", "safetensors"]) {
    Deno.test(`PyTorch's ${name}.${kind} loads by names, and its logits are PyTorch's`, async () => {
      using _ = scope();
      const net = NETWORKS[name]().eval();
      const file = new URL(
        `../fixtures/zoo/${name}.${kind}`,
        import.meta.url,
      );
      await nn.loadWeights(net, file);
      const logits = noGrad(() => net(picture([2, 3, 64, 64], 5)));
      await assertLogits(logits, wanted.files[name]);
      net.dispose();
    });
  }
}
