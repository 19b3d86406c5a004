/**
 * Batch norm (Ioffe and Szegedy 2015): by hand, as a layer, and what it does for training.
 */
import { batchNorm, init, nn, noGrad, rand, randn, tensor } from "../../mod.ts";
import { plot } from "../term/curves.ts";

await init({ seed: 0 });

// While the first layers of a network learn, what the later ones see moves. Batch norm keeps it in place: each channel is brought to mean 0 and deviation 1, over
// the batch. For three examples of two channels (algorithm 1):
const x = tensor([[1, 10], [2, 30], [3, 50]]);
const mean = x.mean(0);
await mean.array(); // [ 2, 30 ]
const centred = x.sub(mean);
const variance = centred.mul(centred).mean(0);
await variance.array(); // ≈ [ 0.6667, 266.6667 ] ± 0.001

// A small ε keeps the root from 0 where a channel is the same in all examples.
const normal = centred.div(variance.add(1e-5).sqrt());
await normal.array(); // ≈ [ [ -1.2247, -1.2247 ], [ 0, 0 ], [ 1.2247, 1.2247 ] ] ± 0.001

// Then a scale γ and a shift β, which are learnt, so that the layer can give back what it took, if that is better: two parameters a channel.
const gamma = tensor([2, 1]);
const beta = tensor([0, 5]);
const y = normal.mul(gamma).add(beta);
await y.array(); // ≈ [ [ -2.4495, 3.7753 ], [ 0, 5 ], [ 2.4495, 6.2247 ] ] ± 0.001

// The layer does that. γ starts at 1 and β at 0.
const layer = new nn.BatchNorm1d(2);
layer.parameterCount(); // 4
await layer(x).array(); // ≈ [ [ -1.2247, -1.2247 ], [ 0, 0 ], [ 1.2247, 1.2247 ] ] ± 0.001
await layer(x).sub(normal).abs().max().item(); // < 1e-4

// When the network is used, an answer must not depend on what else is in the batch. So a running mean is kept while it trains, a tenth of it new each time:
await layer.running_mean!.array(); // ≈ [ 0.38, 5.7 ] ± 0.001
0.9 * (0.1 * 2) + 0.1 * 2; // ≈ 0.38 ± 0.001

// In evaluation that is what counts: one example alone has an answer, and a batch leaves no trace.
layer.eval();
layer(tensor([[2, 30]])).shape; // [ 1, 2 ]
const before = await layer.running_mean!.array();
before; // ≈ [ 0.38, 5.7 ] ± 0.001
noGrad(() => layer(tensor([[100, 100], [0, 0]]))).shape; // [ 2, 2 ]
await layer.running_mean!.array(); // ≈ [ 0.38, 5.7 ] ± 0.001

// For pictures, a channel's mean is over the batch and over all places: the window of a convolution treats them alike, too (section 3.2).
const maps = randn([8, 4, 6, 6]).mul(3).add(7);
const norm = new nn.BatchNorm2d(4);
const normed = norm(maps);
normed.shape; // [ 8, 4, 6, 6 ]
await normed.mean([0, 2, 3]).array(); // ≈ [ 0, 0, 0, 0 ] ± 0.0001
await normed.mul(normed).mean([0, 2, 3]).array(); // ≈ [ 1, 1, 1, 1 ] ± 0.001
norm.parameterCount(); // 8

// As a function, with the statistics given.
const [sevens, nines] = [tensor([7, 7, 7, 7]), tensor([9, 9, 9, 9])];
const fixed = batchNorm(maps, sevens, nines);
await fixed.mean().item(); // ≈ 0 ± 0.15

// It undoes a scale before it: a convolution with weights ten times as large, or with a bias, gives the same. So the layers before it need no bias.
const conv = new nn.Conv2d(1, 4, 3, { bias: false });
const pictures = rand([4, 1, 8, 8]);
const once = norm(conv(pictures));
const tenfold = norm(conv(pictures).mul(10).add(3));
await once.sub(tenfold).abs().max().item(); // < 0.02

// Now LeNet as it was, with sigmoids, and with batch norm before each of them. Steps of 0.5 are long; gradients that sigmoids let through are small.
function lenet(normed: boolean): nn.Sequential {
  const norm2d = (channels: number) =>
    normed ? new nn.BatchNorm2d(channels) : new nn.Identity();
  const norm1d = (size: number) =>
    normed ? new nn.BatchNorm1d(size) : new nn.Identity();
  return new nn.Sequential(
    new nn.Conv2d(1, 6, 5, { padding: 2 }), // [N, 6, 28, 28]
    norm2d(6),
    new nn.Sigmoid(),
    new nn.AvgPool2d(2), // [N, 6, 14, 14]
    new nn.Conv2d(6, 16, 5), // [N, 16, 10, 10]
    norm2d(16),
    new nn.Sigmoid(),
    new nn.AvgPool2d(2), // [N, 16, 5, 5]
    new nn.Flatten(), // [N, 400]
    new nn.Linear(400, 120),
    norm1d(120),
    new nn.Sigmoid(),
    new nn.Linear(120, 84),
    norm1d(84),
    new nn.Sigmoid(),
    new nn.Linear(84, 10),
  );
}
lenet(false).parameterCount(); // 61706
lenet(true).parameterCount(); // 62158
2 * (6 + 16 + 120 + 84); // 452

// 80 steps each, with the same pictures.
const train = await nn.fashionMnist({ split: "train" });
const test = await nn.fashionMnist({ split: "test" });
const part = { ...train, count: 5120 };
async function trained(net: nn.Module): Promise<nn.History> {
  const optimizer = new nn.SGD(net.parameters(), { lr: 0.5 });
  return await nn.fit(net, part, { optimizer, batchSize: 64 });
}
const [plain, better] = [lenet(false), lenet(true)];
const without = await trained(plain);
const withNorm = await trained(better);
plot(
  { "without": without.losses, "with batch norm": withNorm.losses },
  { title: "loss", xLabel: "step" },
);
without.losses.at(-1)!; // > 2
withNorm.losses.at(-1)!; // < 1
const { accuracy } = await nn.evaluate(better, { ...test, count: 1000 });
accuracy; // ≈ 0.7 ± 0.1

// The paper has the same on ImageNet: an Inception network came to the accuracy that it had without batch norm in 14 times fewer steps.
