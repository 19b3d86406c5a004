/**
 * The degradation of plain networks (He et al. 2015, section 4.1 and figure 4): a plain network of 34 layers trains worse than one with shortcuts.
 * Here with an eighth of the channels, on Fashion-MNIST. Writes the losses' plot in zoo/README.md:
 *
 *     deno task zoo:degradation [steps]
 */
import { init, nn, zoo } from "../mod.ts";
import { plot } from "../nn/term/plot.ts";
import { replaceSection } from "./section.ts";

const SIZES = {
  width: 8,
  stem: "small",
  inChannels: 1,
  classes: 10,
} as const;

const NETWORKS = {
  "plain-34": () => zoo.plain34(SIZES),
  "ResNet-34": () => zoo.resnet34(SIZES),
} satisfies Record<string, () => nn.Module>;

const BATCH = 64;
/** Steps that a point of a curve averages. */
const WINDOW = 8;
const README = new URL("../zoo/README.md", import.meta.url);

const steps = Number(Deno.args[0] ?? 156);
const data = await nn.fashionMnist();

/** A network's loss in each step of the same batches. */
async function lossesOf(make: () => nn.Module): Promise<readonly number[]> {
  await init({ seed: 0 });
  const net = make();
  const { losses } = await nn.fit(net, { ...data, count: steps * BATCH }, {
    optimizer: new nn.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 }),
    batchSize: BATCH,
    onProgress: false,
  });
  net.dispose();
  return losses;
}

/** Averages of so many steps each. */
function smooth(losses: readonly number[]): number[] {
  const points = Math.floor(losses.length / WINDOW);
  return Array.from({ length: points }, (_, i) => {
    const part = losses.slice(i * WINDOW, (i + 1) * WINDOW);
    return part.reduce((sum, loss) => sum + loss) / part.length;
  });
}

const curves: Record<string, number[]> = {};
for (const [name, make] of Object.entries(NETWORKS)) {
  curves[name] = smooth(await lossesOf(make));
  console.log(name, curves[name].at(-1)?.toFixed(3));
}
const drawing = plot(curves, {
  title: `training loss, averages of ${WINDOW} steps`,
  xLabel: "step",
  width: 60,
  height: 14,
  xRange: [1, steps],
  screen: { colors: "none", columns: 100 },
});
const last = Object.entries(curves).map(([name, curve]) =>
  `${name} ${curve.at(-1)?.toFixed(2)}`
);
const text = [
  "```text",
  ...drawing.rows,
  "```",
  "",
  `Last: ${last.join(", ")}.`,
];
await replaceSection(README, "degradation", text.join("\n"));
console.log(drawing.toString());
