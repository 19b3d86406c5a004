/** Residual and densely connected networks against the values of torchvision's networks and of the course's layers in PyTorch. */
import { init, type nn, zoo } from "../../mod.ts";
import { assertFamily } from "../support/families.ts";

await init({ seed: 0 });

const NETWORKS = {
  resnet50: () => zoo.resnet50(),
  resnet50V1: () => zoo.resnet50({ variant: "v1" }),
  resnet101: () => zoo.resnet101(),
  plain18: () => zoo.plain18(),
  densenet121: () => zoo.densenet121(),
  densenet161: () => zoo.densenet161(),
  d2lResnet18: () => zoo.d2lResnet18(),
  d2lDenseNet: () => zoo.d2lDenseNet(),
} satisfies Record<string, () => nn.Module>;

for (const name of Object.keys(NETWORKS) as (keyof typeof NETWORKS)[]) {
  Deno.test(`${name} has PyTorch's names and, within 5e-6, its logits`, async () => {
    await assertFamily(name, NETWORKS[name]);
  });
}
