/**
 * Padding and stride: what they do to the size of a picture.
 *
 * The order of ideas is that of Dive into Deep Learning, section 7.3.
 */
import { conv2d, init, nn, ones, pad, rand, tensor } from "../../mod.ts";

await init({ seed: 0 });

// A kernel of 3 rows fits at 8 - 3 + 1 = 6 places of 8. Each layer would take two rows and columns away.
const x = rand([1, 1, 8, 8]);
new nn.Conv2d(1, 1, 3)(x).shape; // [ 1, 1, 6, 6 ]
const three = new nn.Sequential(
  new nn.Conv2d(1, 1, 3),
  new nn.Conv2d(1, 1, 3),
  new nn.Conv2d(1, 1, 3),
);
three(x).shape; // [ 1, 1, 2, 2 ]

// Padding puts zeros around: with one on each side the size stays.
new nn.Conv2d(1, 1, 3, { padding: 1 })(x).shape; // [ 1, 1, 8, 8 ]

// In general: out = floor((in + 2·padding - kernel) / stride) + 1. An odd kernel k keeps the size with a padding of (k - 1) / 2.
const size = (n: number, kernel: number, padding = 0, stride = 1) =>
  Math.floor((n + 2 * padding - kernel) / stride) + 1;
[size(8, 3), size(8, 3, 1), size(8, 5, 2), size(8, 7, 3)]; // [ 6, 8, 8, 8 ]

// Where a kernel isn't square, neither is the padding that keeps the size.
new nn.Conv2d(1, 1, [5, 3], { padding: [2, 1] })(x).shape; // [ 1, 1, 8, 8 ]

// The library can find it: "same". It pads unevenly where an even kernel wants that.
new nn.Conv2d(1, 1, 4, { padding: "same" })(x).shape; // [ 1, 1, 8, 8 ]

// What the zeros do: the sum of a window of ones counts how many cells of it are the picture's. At the edges and corners there are fewer.
const counted = conv2d(ones([1, 1, 4, 4]), ones([1, 1, 3, 3]), { padding: 1 });
await counted.reshape([4, 4]).array(); // [ [ 4, 6, 6, 4 ], [ 6, 9, 9, 6 ], [ 6, 9, 9, 6 ], [ 4, 6, 6, 4 ] ]

// Without padding the pixel in the corner would be seen by one window, one in the middle by nine. How often each is seen is a gradient:
const seen = ones([1, 1, 5, 5], { requiresGrad: true });
conv2d(seen, ones([1, 1, 3, 3])).sum().backward();
await seen.grad!.reshape([5, 5]).array(); // [ [ 1, 2, 3, 2, 1 ], [ 2, 4, 6, 4, 2 ], [ 3, 6, 9, 6, 3 ], [ 2, 4, 6, 4, 2 ], [ 1, 2, 3, 2, 1 ] ]

// Padding doesn't have to be zeros: the picture's edge, repeated or mirrored.
const edge = tensor([[[[1, 2, 3]]]]);
await pad(edge, [2, 2, 0, 0], { mode: "replicate" }).array(); // [ [ [ [ 1, 1, 1, 2, 3, 3, 3 ] ] ] ]
await pad(edge, [2, 2, 0, 0], { mode: "reflect" }).array(); // [ [ [ [ 3, 2, 1, 2, 3, 2, 1 ] ] ] ]

// Stride: the window moves by more than one place, and the picture gets smaller at once. With stride 2 it is halved, rounded up.
new nn.Conv2d(1, 1, 3, { padding: 1, stride: 2 })(x).shape; // [ 1, 1, 4, 4 ]
[size(8, 3, 1, 2), size(7, 3, 1, 2), size(224, 3, 1, 2)]; // [ 4, 4, 112 ]

// Both ways may differ: floor((8 + 0 - 3) / 3) + 1 = 2 rows and floor((8 + 2 - 5) / 4) + 1 = 2 columns.
new nn.Conv2d(1, 1, [3, 5], { padding: [0, 1], stride: [3, 4] })(x).shape; // [ 1, 1, 2, 2 ]

// A stride is the same as computing every place and throwing most away, at a quarter of the work.
const kernel = rand([1, 1, 3, 3]);
const every = conv2d(x, kernel, { padding: 1 });
const second = conv2d(x, kernel, { padding: 1, stride: 2 });
const kept = every.slice(2, 0, 8, 2).slice(3, 0, 8, 2);
await kept.sub(second).abs().max().item(); // < 1e-6

// The sizes that the networks of later lessons go through. AlexNet's first layers, of 224: kernel 11, padding 2, stride 4; then pools of 3, stride 2.
[size(224, 11, 2, 4), size(55, 3, 0, 2), size(27, 3, 0, 2)]; // [ 55, 27, 13 ]

// ResNet's: kernel 7, padding 3, stride 2; a pool of 3, padding 1, stride 2; then three halvings.
const halvings = [112, 56, 28, 14].map((n) => size(n, 3, 1, 2));
[size(224, 7, 3, 2), ...halvings]; // [ 112, 56, 28, 14, 7 ]
