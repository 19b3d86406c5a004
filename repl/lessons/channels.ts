/**
 * Several channels in, several channels out.
 *
 * The order of ideas is that of Dive into Deep Learning, section 7.4.
 */
import { conv2d, init, nn, randn, stack, tensor, zoo } from "../../mod.ts";
import { show } from "../term/show.ts";

await init({ seed: 0 });

// A colour picture has three channels; a layer inside of a network may have hundreds. A kernel then has a plane for each, and what they give is added up.
const x = tensor([[
  [[0, 1, 2], [3, 4, 5], [6, 7, 8]],
  [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
]]);
x.shape; // [ 1, 2, 3, 3 ]
const kernel = tensor([[
  [[0, 1], [2, 3]],
  [[1, 2], [3, 4]],
]]);
kernel.shape; // [ 1, 2, 2, 2 ]

// Two channels in, one out: 19 + 37 = 56 in the first place.
const y = conv2d(x, kernel);
y.shape; // [ 1, 1, 2, 2 ]
await y.array(); // [ [ [ [ 56, 72 ], [ 104, 120 ] ] ] ]

// By channel, to see that it is a sum: the first channel with the first plane, the second with the second.
const first = conv2d(x.slice(1, 0, 1), kernel.slice(1, 0, 1));
const second = conv2d(x.slice(1, 1, 2), kernel.slice(1, 1, 2));
await first.array(); // [ [ [ [ 19, 25 ], [ 37, 43 ] ] ] ]
await second.array(); // [ [ [ [ 37, 47 ], [ 67, 77 ] ] ] ]
await first.add(second).array(); // [ [ [ [ 56, 72 ], [ 104, 120 ] ] ] ]

// A wrong number of channels is an error before anything is computed. It says what was expected.
function message(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
message(() => conv2d(x.slice(1, 0, 1), kernel)); // …channels…

// Several channels out: several kernels, one for each, put together along a new first axis: [channels out, channels in, rows, columns].
const kernels = stack([kernel, kernel.add(1), kernel.add(2)], 0)
  .reshape([3, 2, 2, 2]);
const z = conv2d(x, kernels);
z.shape; // [ 1, 3, 2, 2 ]
await z.array(); // [ [ [ [ 56, 72 ], [ 104, 120 ] ], [ [ 76, 100 ], [ 148, 172 ] ], [ [ 96, 128 ], [ 192, 224 ] ] ] ]

// So a layer has out · in · rows · columns weights, and a bias for each channel out.
const layer = new nn.Conv2d(3, 16, 5);
layer.weight.shape; // [ 16, 3, 5, 5 ]
layer.bias!.shape; // [ 16 ]
layer.parameterCount(); // 1216
16 * 3 * 5 * 5 + 16; // 1216

// The weights don't depend on how large the picture is; the work does. A linear layer between the same sizes would have a weight for each pair.
layer(randn([1, 3, 32, 32])).shape; // [ 1, 16, 28, 28 ]
layer.parameterCount() * 28 * 28; // 953344
3 * 32 * 32 * 16 * 28 * 28; // 38535168

// Groups divide channels: each half of the kernels sees one half of the input. Half the weights, half the work: AlexNet's two GPUs did that.
const grouped = new nn.Conv2d(4, 8, 3, { groups: 2, bias: false });
grouped.weight.shape; // [ 8, 2, 3, 3 ]
new nn.Conv2d(4, 8, 3, { bias: false }).parameterCount(); // 288
grouped.parameterCount(); // 144

// As many groups as channels: each channel has a kernel of its own, and nothing is added up across them.
const depthwise = new nn.Conv2d(4, 4, 3, { groups: 4, bias: false });
depthwise.weight.shape; // [ 4, 1, 3, 3 ]

// Channels of a trained network: what the six kernels of LeNet's first layer make of a shoe. One answers to its sole, another to its outline.
const net = await zoo.lenet({ weights: "fashion-mnist" });
const { images } = await nn.fashionMnist({ split: "test" });
const shoe = tensor(Float32Array.from(images.subarray(0, 784)), {
  shape: [1, 1, 28, 28],
});
const input = shoe.div(255).sub(0.286).div(0.353);
const maps = zoo.features(net, input, ["0"]).get("0")!;
maps.shape; // [ 1, 6, 28, 28 ]
await show(net);
await show(maps);
