/**
 * ResNet-18 and VGG-16 on a picture of 224×224: their peak memory as `nn.summary` foretells it and as it is. Writes the table in zoo/README.md:
 *
 *     deno task zoo:memory
 */
import {
  init,
  memory,
  nn,
  noGrad,
  randn,
  resetPeakMemory,
  scope,
  zoo,
} from "../mod.ts";
import { replaceSection, tableOf } from "./section.ts";

const NETWORKS = {
  "ResNet-18": () => zoo.resnet18(),
  "VGG-16": () => zoo.vgg16(),
} satisfies Record<string, () => nn.Module>;

const SHAPE = [1, 3, 224, 224];
const README = new URL("../zoo/README.md", import.meta.url);

/** Bytes that a forward pass holds at most, the network's own among them. */
async function measure(make: () => nn.Module): Promise<[number, number]> {
  const before = memory().bytes;
  const net = make().eval();
  using _ = scope();
  const foretold = nn.summary(net, SHAPE).peakBytes;
  const x = randn(SHAPE);
  resetPeakMemory();
  const logits = await noGrad(() => net(x)).read();
  if (!logits.every(Number.isFinite)) {
    throw new Error("Cannot measure: the logits aren't finite");
  }
  const peak = memory().peakBytes - before;
  net.dispose();
  return [foretold, peak];
}

await init({ seed: 0 });
const rows: string[][] = [];
for (const [name, make] of Object.entries(NETWORKS)) {
  const [foretold, peak] = await measure(make);
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const off = `${(100 * Math.abs(foretold - peak) / peak).toFixed(1)} %`;
  rows.push([name, megabytes(foretold), megabytes(peak), off]);
  console.log(...rows.at(-1)!);
}
const heads = ["network", "foretold", "measured", "off by"];
await replaceSection(README, "memory", tableOf(heads, rows));
