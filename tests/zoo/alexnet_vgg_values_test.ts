/** AlexNet, VGG and NiN against the values of torchvision's networks and of the course's layers in PyTorch. */
import { init, type nn, zoo } from "../../mod.ts";
import { assertFamily } from "../support/families.ts";

await init({ seed: 0 });

const NETWORKS = {
  alexnet: () => zoo.alexnet(),
  vgg11: () => zoo.vgg11(),
  vgg16Bn: () => zoo.vgg16Bn(),
  d2lAlexNet: () => zoo.alexnet({ variant: "d2l" }),
  d2lVgg11: () => zoo.vgg11({ variant: "d2l", widthDivisor: 4, inputSize: 64 }),
  d2lNin: () => zoo.nin(),
} satisfies Record<string, () => nn.Module>;

for (const name of Object.keys(NETWORKS) as (keyof typeof NETWORKS)[]) {
  Deno.test(`${name} has PyTorch's names and, within 5e-6, its logits`, async () => {
    await assertFamily(name, NETWORKS[name]);
  });
}
