/**
 * Correlation and pooling by hand in plain TypeScript, then by the library.
 *
 * The order of ideas is that of Dive into Deep Learning, sections 7.2 and 7.5.
 */
import {
  avgPool2d,
  conv2d,
  init,
  maxPool2d,
  nn,
  randn,
  tensor,
} from "../../mod.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// A convolutional layer slides a small window, the kernel, over a picture. At each place it multiplies what lies beneath by the kernel and adds up.
function corr2d(x: number[][], k: number[][]): number[][] {
  const rows = x.length - k.length + 1;
  const columns = x[0].length - k[0].length + 1;
  return Array.from(
    { length: rows },
    (_, i) =>
      Array.from({ length: columns }, (_, j) => {
        let sum = 0;
        for (let r = 0; r < k.length; r++) {
          for (let s = 0; s < k[0].length; s++) {
            sum += x[i + r][j + s] * k[r][s];
          }
        }
        return sum;
      }),
  );
}

// Nine numbers as a picture, four as a kernel. The first result is 0·0 + 1·1 + 3·2 + 4·3 = 19.
const x = [[0, 1, 2], [3, 4, 5], [6, 7, 8]];
const k = [[0, 1], [2, 3]];
corr2d(x, k); // [ [ 19, 25 ], [ 37, 43 ] ]

// The window of 2 by 2 fits at 3 - 2 + 1 = 2 places each way, so the result is smaller than the picture.
[corr2d(x, k).length, corr2d(x, k)[0].length]; // [ 2, 2 ]

// The library does it for batches and channels: a picture is [pictures, channels, rows, columns], a kernel [channels out, channels in, rows, columns].
const picture = tensor(x).reshape([1, 1, 3, 3]);
const kernel = tensor(k).reshape([1, 1, 2, 2]);
const y = conv2d(picture, kernel);
y.shape; // [ 1, 1, 2, 2 ]
await y.array(); // [ [ [ [ 19, 25 ], [ 37, 43 ] ] ] ]

// Mathematicians turn the kernel by 180° before they slide it and call that convolution; what networks do is cross-correlation.
// As kernels are learnt, it makes no difference but in which way round they are learnt.
const turned = k.map((row) => row.toReversed()).toReversed();
turned; // [ [ 3, 2 ], [ 1, 0 ] ]
corr2d(x, turned); // [ [ 5, 11 ], [ 23, 29 ] ]

// A layer is a kernel that is learnt and a bias that is added everywhere.
const layer = new nn.Conv2d(1, 1, [2, 2]);
layer.weight.shape; // [ 1, 1, 2, 2 ]
layer.parameterCount(); // 5
layer(picture).shape; // [ 1, 1, 2, 2 ]

// By hand and by the library, on noise: the same but for rounding. The loops count in 64 bits, the GPU in 32.
const noise = randn([1, 1, 12, 12]);
const filter = randn([1, 1, 5, 5]);
type Rows = number[][];
const loops = corr2d(
  await noise.reshape([12, 12]).array() as Rows,
  await filter.reshape([5, 5]).array() as Rows,
);
await conv2d(noise, filter).sub(tensor(loops)).abs().max().item(); // < 1e-4

// What the work costs: each of the 8·8 results takes 5·5 multiplications and as many additions.
8 * 8 * 5 * 5 * 2; // 3200

// Pooling slides a window as well, but has nothing to learn: it takes the largest value, or the mean.
function pool2d(
  x: number[][],
  size: number,
  combine: (values: number[]) => number,
): number[][] {
  const fit = (length: number) => Math.floor(length / size);
  return Array.from(
    { length: fit(x.length) },
    (_, i) =>
      Array.from({ length: fit(x[0].length) }, (_, j) =>
        combine(
          x.slice(i * size, (i + 1) * size)
            .flatMap((row) => row.slice(j * size, (j + 1) * size)),
        )),
  );
}
const mean = (values: number[]) =>
  values.reduce((sum, value) => sum + value) / values.length;

// Here the windows don't overlap: a window of 2 by 2 halves a picture of 4 by 4.
const four = [[1, 2, 3, 4], [8, 7, 6, 5], [9, 10, 11, 12], [16, 15, 14, 13]];
pool2d(four, 2, (values) => Math.max(...values)); // [ [ 8, 6 ], [ 16, 14 ] ]
pool2d(four, 2, mean); // [ [ 4.5, 4.5 ], [ 12.5, 12.5 ] ]

// And the library's.
const large = tensor(four).reshape([1, 1, 4, 4]);
await maxPool2d(large, 2).array(); // [ [ [ [ 8, 6 ], [ 16, 14 ] ] ] ]
await avgPool2d(large, 2).array(); // [ [ [ [ 4.5, 4.5 ], [ 12.5, 12.5 ] ] ] ]

// Why pool? What was found a step aside gives the same answer: a bright spot moves by one place, its maximum doesn't.
const spot = [[0, 0, 0, 0], [0, 9, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]];
const moved = [[9, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]];
const largest = (x: number[][]) =>
  pool2d(x, 2, (values) => Math.max(...values));
largest(spot); // [ [ 9, 0 ], [ 0, 0 ] ]
largest(moved); // [ [ 9, 0 ], [ 0, 0 ] ]

// Kernels on a real picture: one that blurs, one that answers to edges from left to right, one to edges from top to bottom.
const test = await nn.fashionMnist({ split: "test" });
const shoe = tensor(Float32Array.from(test.images.subarray(0, 784)), {
  shape: [1, 1, 28, 28],
}).div(255);
const kernels = tensor([
  [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
  [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
  [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
]).reshape([3, 1, 3, 3]);
const maps = conv2d(shoe, kernels, { padding: 1 });
maps.shape; // [ 1, 3, 28, 28 ]
const labels = ["blurred", "left to right", "top to bottom"];
await show(maps, { maps: true, labels });
