/**
 * A kernel that finds edges: made by hand, then found by learning from pictures before and after.
 *
 * The idea is that of Dive into Deep Learning, section 7.2.
 */
import { conv2d, init, nn, noGrad, rand, tensor } from "../../mod.ts";
import { plot } from "../term/curves.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// A picture that is white, but for four black columns: 6 rows, 8 columns.
const row = [1, 1, 0, 0, 0, 0, 1, 1];
const x = tensor([Array.from({ length: 6 }, () => row)]).reshape([1, 1, 6, 8]);
await show(x);

// The difference of two neighbours is 0 where nothing changes, 1 from white to black and -1 from black to white.
const kernel = tensor([[[[1, -1]]]]);
const y = conv2d(x, kernel);
y.shape; // [ 1, 1, 6, 7 ]
(await y.read()).subarray(0, 7); // Float32Array(7) [ 0, 1, 0, 0, 0, -1, 0 ]

// Turned by 90°, the picture has edges the other way, which this kernel doesn't see.
const lying = x.transpose(2, 3);
lying.shape; // [ 1, 1, 8, 6 ]
await conv2d(lying, kernel).abs().sum().item(); // 0
await conv2d(lying, kernel.transpose(2, 3)).abs().sum().item(); // 12

// Now suppose that only x and y are known. A layer whose kernel starts at random, without a bias, is to find out.
const layer = new nn.Conv2d(1, 1, [1, 2], { bias: false });
layer.parameterCount(); // 2

// How far off it is: the mean of the squared differences. Its gradient tells which way each number of the kernel should go.
const optimizer = new nn.SGD(layer.parameters(), { lr: 0.3 });
async function step(): Promise<number> {
  const loss = nn.mseLoss(layer(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return await loss.item();
}
const losses: number[] = [];
for (let i = 0; i < 60; i++) losses.push(await step());
plot(losses, { title: "loss", xLabel: "step", height: 8 });
losses.at(-1)!; // < 1e-4

// It has found the difference by itself.
await layer.weight.array(); // ≈ [ [ [ [ 1, -1 ] ] ] ] ± 0.02

// The same with a larger kernel and a picture of noise, which has an edge at every place: Sobel's, which looks at three rows.
const sobel = tensor([[[[1, 0, -1], [2, 0, -2], [1, 0, -1]]]]);
const noise = rand([8, 1, 20, 20]);
const answer = conv2d(noise, sobel);
answer.shape; // [ 8, 1, 18, 18 ]
const larger = new nn.Conv2d(1, 1, 3, { bias: false });
const adam = new nn.Adam(larger.parameters(), { lr: 0.1 });
for (let i = 0; i < 200; i++) {
  const loss = nn.mseLoss(larger(noise), answer);
  adam.zeroGrad();
  loss.backward();
  adam.step();
}
await larger.weight.reshape([3, 3]).array(); // ≈ [ [ 1, 0, -1 ], [ 2, 0, -2 ], [ 1, 0, -1 ] ] ± 0.05

// One picture with few edges would not have been enough: where all rows are alike, any three rows that add up to the same do the same.
const other = tensor([[[[4, 0, -4], [0, 0, 0], [0, 0, 0]]]]);
await conv2d(x, sobel).sub(conv2d(x, other)).abs().sum().item(); // 0

// What was learnt, on a picture that it has never seen.
const { images } = await nn.fashionMnist({ split: "test" });
const shoe = tensor(Float32Array.from(images.subarray(0, 784)), {
  shape: [1, 1, 28, 28],
}).div(255);
const found = noGrad(() => larger(shoe));
found.shape; // [ 1, 1, 26, 26 ]
await show(shoe);
await show(found);

// The kernel's numbers add up to 0: where nothing changes it gives nothing, however bright the place.
await larger.weight.sum().item(); // ≈ 0 ± 0.01

// Networks learn their first kernels in the same way, but from much less: nobody shows them an answer for each place, only what the whole picture is of.
