/**
 * LeNet on Fashion-MNIST, line by line. `deno task demo` plays it; the REPL runs it too: `deno task repl repl/lessons/lenet.ts -i`.
 *
 * The network is the one of Dive into Deep Learning, section 7.6, with the activation and the pooling of later years.
 */
import { init, nn, noGrad, randn } from "../../mod.ts";
import { pictures } from "../term/picture.ts";
import { show } from "../term/show.ts";
import { plot } from "../term/curves.ts";

await init({ seed: 0 });

// A batch of one grey picture, 28 by 28: [pictures, channels, rows, columns]. Noise will do to look at shapes.
const x = randn([1, 1, 28, 28]);

// A convolution slides six filters of 5 by 5 over the picture; each gives a map of where it fits. Padding keeps the size.
const conv1 = new nn.Conv2d(1, 6, 5, { padding: 2 });
const c1 = conv1(x);
c1.shape; // [ 1, 6, 28, 28 ]

// ReLU keeps what is positive. Pooling takes the largest of each 2 by 2: half the size.
const relu = new nn.ReLU();
const pool = new nn.MaxPool2d(2);
const s2 = pool(relu(c1));
s2.shape; // [ 1, 6, 14, 14 ]

// Sixteen filters over those six maps. Without padding the edges are lost: 14 - 5 + 1 = 10.
const conv2 = new nn.Conv2d(6, 16, 5);
const c3 = conv2(s2);
c3.shape; // [ 1, 16, 10, 10 ]
const s4 = pool(relu(c3));
s4.shape; // [ 1, 16, 5, 5 ]

// From here on place no longer matters: all values in one row, then three layers that see every one of them.
const flatten = new nn.Flatten();
const row = flatten(s4);
row.shape; // [ 1, 400 ]
const [fc1, fc2, fc3] = [
  new nn.Linear(400, 120),
  new nn.Linear(120, 84),
  new nn.Linear(84, 10),
];
const c5 = fc1(row);
c5.shape; // [ 1, 120 ]
const f6 = fc2(relu(c5));
f6.shape; // [ 1, 84 ]

// Ten numbers, one for each kind of clothing. The largest is the network's guess.
const scores = fc3(relu(f6));
scores.shape; // [ 1, 10 ]

// The same layers as one network.
const net = new nn.Sequential(
  conv1, // [N, 6, 28, 28]
  relu,
  pool, // [N, 6, 14, 14]
  conv2, // [N, 16, 10, 10]
  relu,
  pool, // [N, 16, 5, 5]
  flatten, // [N, 400]
  fc1, // [N, 120]
  relu,
  fc2, // [N, 84]
  relu,
  fc3, // [N, 10]
);
nn.summary(net, [1, 1, 28, 28]); // … Total params: 61,706 …

// Real pictures now: the part of Fashion-MNIST that comes with the library, or all of it from a folder.
const path = Deno.env.get("FASHION_MNIST");
const train = await nn.fashionMnist({ split: "train", path });
const test = await nn.fashionMnist({ split: "test", path });
[train.count, test.count]; // [ 10000, 2000 ]

// Training: guess, measure how wrong, ask every parameter for its share in that, move all of them a little. Again for each batch.
const optimizer = new nn.Adam(net.parameters(), { lr: 2e-3 });
const options = { optimizer, batchSize: 32 };
const first = await nn.fit(net, train, { ...options, epochs: 5 });

// Smaller steps let it settle.
optimizer.lr = 3e-4;
const second = await nn.fit(net, train, { ...options, epochs: 2 });

// The loss of a step depends on its pictures. The mean over 50 steps shows where it goes.
const losses = [...first.losses, ...second.losses];
const means = losses.map((_, i) => {
  const last = losses.slice(Math.max(0, i - 49), i + 1);
  return last.reduce((sum, loss) => sum + loss) / last.length;
});
plot(means, { title: "loss, mean of 50 steps", xLabel: "step" });

// Some test pictures that it has never seen, with what it takes them for.
const some = new nn.DataLoader({ ...test, count: 10 }, { batchSize: 10 });
const [{ inputs, targets }] = some;
const guesses = await noGrad(() => net(inputs).argmax(1)).read();
const truth = await targets.read();
const pixels = await inputs.read();
pictures(Array.from(guesses, (guess, i) => ({
  pixels: pixels.subarray(i * 784, (i + 1) * 784),
  width: 28,
  height: 28,
  label: guess === truth[i]
    ? `${test.classes[guess]} ✓`
    : `${test.classes[guess]} ✗ ${test.classes[truth[i]]}`,
  tone: guess === truth[i] ? "good" : "bad",
})));

// The six filters of the first layer, as they are after training. Bright is positive, dark is negative: edges, and spots.
await show(conv1);

// What they make of a shoe: maps of where each of them fits.
const maps = noGrad(() => relu(conv1(inputs.slice(0, 0, 1))));
maps.shape; // [ 1, 6, 28, 28 ]
await show(maps);

// And all test pictures: the part that it gets right.
const { accuracy } = await nn.evaluate(net, test);
accuracy; // ≈ 0.88 ± 0.02
