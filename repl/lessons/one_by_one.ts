/**
 * The 1×1 convolution is a matrix product over channels, the same at every place.
 *
 * The idea is that of Dive into Deep Learning, section 7.4; its uses are those of Lin, Chen and Yan (2013) and of Szegedy et al. (2014).
 */
import { conv2d, init, linear, nn, randn, tensor } from "../../mod.ts";

await init({ seed: 0 });

// A window of 1 by 1 sees one place and all of its channels. It finds no shapes: it mixes channels.
const x = tensor([[
  [[1, 2], [3, 4]],
  [[10, 20], [30, 40]],
  [[100, 200], [300, 400]],
]]);
x.shape; // [ 1, 3, 2, 2 ]
const w = tensor([[1, 0, 0], [1, 1, 1]]);
w.shape; // [ 2, 3 ]

// Two channels out of three: the first as it was, and the sum of all.
const y = conv2d(x, w.reshape([2, 3, 1, 1]));
y.shape; // [ 1, 2, 2, 2 ]
await y.array(); // [ [ [ [ 1, 2 ], [ 3, 4 ] ], [ [ 111, 222 ], [ 333, 444 ] ] ] ]

// The same as a matrix product: write the channels as rows of a matrix of 3 by 4 places, and multiply by w from the left.
const rows = x.reshape([3, 4]);
const product = w.matmul(rows);
product.shape; // [ 2, 4 ]
await product.array(); // [ [ 1, 2, 3, 4 ], [ 111, 222, 333, 444 ] ]
await product.reshape([1, 2, 2, 2]).sub(y).abs().max().item(); // 0

// And the same as a linear layer at each place: channels last, then y = x·wᵀ.
const places = x.transpose(1, 2).transpose(2, 3);
places.shape; // [ 1, 2, 2, 3 ]
linear(places, w).shape; // [ 1, 2, 2, 2 ]
await linear(places, w).array(); // [ [ [ [ 1, 111 ], [ 2, 222 ] ], [ [ 3, 333 ], [ 4, 444 ] ] ] ]

// With real sizes: 64 channels to 16 on a picture of 28 by 28, by convolution and by product. They differ by rounding.
const maps = randn([1, 64, 28, 28]);
const layer = new nn.Conv2d(64, 16, 1, { bias: false });
layer.weight.shape; // [ 16, 64, 1, 1 ]
const convolved = layer(maps);
const multiplied = layer.weight.reshape([16, 64])
  .matmul(maps.reshape([64, 28 * 28])).reshape([1, 16, 28, 28]);
await convolved.sub(multiplied).abs().max().item(); // < 1e-4

// What it is good for. First: fewer channels before something dear. A 5×5 convolution of 192 channels to 32 takes:
const direct = 192 * 32 * 5 * 5;
direct; // 153600

// With a 1×1 convolution to 16 channels before it, a tenth. GoogLeNet is made of that.
const reduced = 192 * 16 + 16 * 32 * 5 * 5;
reduced; // 15872
const narrow = new nn.Sequential(
  new nn.Conv2d(192, 16, 1, { bias: false }),
  new nn.Conv2d(16, 32, 5, { padding: 2, bias: false }),
);
narrow.parameterCount(); // 15872
narrow(randn([1, 192, 28, 28])).shape; // [ 1, 32, 28, 28 ]

// Second: with a ReLU behind each, two 1×1 convolutions are a small network that runs at every place. Network in Network is made of that.
const everywhere = new nn.Sequential(
  new nn.Conv2d(8, 12, 1),
  new nn.ReLU(),
  new nn.Conv2d(12, 4, 1),
  new nn.ReLU(),
);
everywhere.parameterCount(); // 160
everywhere(randn([1, 8, 6, 6])).shape; // [ 1, 4, 6, 6 ]

// Third: other shapes on the way past a block, with a stride as well. ResNet's shortcuts are that.
new nn.Conv2d(64, 128, 1, { stride: 2 })(randn([1, 64, 56, 56])).shape; // [ 1, 128, 28, 28 ]

// Can it learn? A mix of three channels that nobody tells it: the grey of a colour picture, 0.299 red, 0.587 green and 0.114 blue.
const grey = tensor([[0.299, 0.587, 0.114]]).reshape([1, 3, 1, 1]);
const colours = randn([4, 3, 16, 16]);
const wanted = conv2d(colours, grey);
const mix = new nn.Conv2d(3, 1, 1, { bias: false });
const optimizer = new nn.SGD(mix.parameters(), { lr: 0.3 });
for (let i = 0; i < 40; i++) {
  const loss = nn.mseLoss(mix(colours), wanted);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
}
await mix.weight.reshape([3]).array(); // ≈ [ 0.299, 0.587, 0.114 ] ± 0.005
