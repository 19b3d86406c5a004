/** Transposed convolution, convolution along one axis, and the paddings of Conv2d. */
import { assertEquals } from "@std/assert";
import {
  conv1d,
  conv2d,
  convTranspose2d,
  nn,
  randn,
  scope,
  zeros,
} from "../../mod.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import fixture from "../fixtures/conv_transpose.json" with { type: "json" };
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { sample, testGradients } from "../support/gradcheck.ts";
import { assertStored, load } from "../support/torch.ts";

/** The layer that a case of the fixture runs, for a weight of a shape. */
function layerOf(
  { kind, options }: { readonly kind: string; readonly options: object },
  [first, second, ...kernel]: readonly number[],
) {
  const { groups = 1 } = options as { readonly groups?: number };
  if (kind === "one") {
    return new nn.Conv1d(second * groups, first, kernel[0], options);
  }
  const size = [kernel[0], kernel[1]] as const;
  return kind === "transposed"
    ? new nn.ConvTranspose2d(first, second * groups, size, options)
    : new nn.Conv2d(second * groups, first, size, options);
}

onBothDevices(
  "transposed and 1-d convolutions, paddings and all their gradients are PyTorch's",
  async (device) => {
    for (const given of fixture.cases) {
      using _ = scope();
      const f32 = { dtype: "f32" } as const;
      const layer = layerOf(given, given.w.shape);
      layer.loadStateDict(
        new Map([
          ["weight", load(given.w, device, f32)],
          ["bias", load(given.bias, device, f32)],
        ]),
      );
      const x = load(given.x, device, { ...f32, requiresGrad: true });
      const y = layer(x);
      y.backward(load(given.dy, device, f32));
      const what = String(layer);
      await assertStored(y, given.y, what);
      await assertStored(x.grad, given.dx, `${what}, dx`);
      await assertStored(layer.weight.grad, given.dw, `${what}, dw`);
      await assertStored(layer.bias!.grad, given.dbias, `${what}, dbias`);
      layer.zeroGrad();
      layer.dispose();
    }
  },
);

testGradients(
  "transposed convolution has its derivatives",
  (x, w, bias) =>
    convTranspose2d(x, w, {
      bias,
      stride: [2, 1],
      padding: [1, 0, 0, 1],
      outputPadding: [1, 0],
      dilation: [1, 2],
      groups: 2,
    }).square(),
  [sample([1, 2, 2, 2], 1), sample([2, 2, 2, 2], 2), sample([4], 3)],
);

testGradients(
  "convolution along one axis has its derivatives",
  (x, w, bias) =>
    conv1d(x, w, { bias, stride: 2, padding: [2, 1], dilation: 2 }).square(),
  [sample([2, 2, 5], 1), sample([2, 2, 3], 2), sample([2], 3)],
);

onBothDevices(
  "a transposed convolution of a convolution's output has its input's size, as the output padding says",
  () => {
    const w = randn([4, 3, 3, 2]);
    const options = { stride: [3, 2], padding: [1, 0, 2, 1] } as const;
    for (const extra of [0, 1]) {
      const x = randn([2, 3, 13, 10 + extra]);
      const y = conv2d(x, w, options);
      const back = convTranspose2d(y, w, {
        ...options,
        outputPadding: [2, 1 - extra],
      });
      assertEquals(back.shape, x.shape);
    }
  },
);

onBothDevices('padding "same" keeps the input\'s size', () => {
  const x = randn([1, 2, 7, 8]);
  for (const paddingMode of ["zeros", "reflect", "replicate"] as const) {
    using _ = scope();
    const options = { padding: "same", dilation: [2, 1], paddingMode } as const;
    const layer = new nn.Conv2d(2, 3, [3, 4], options);
    assertEquals(layer(x).shape, [1, 3, 7, 8]);
    layer.dispose();
  }
});

onBothDevices("forms of convolution print their options", () => {
  const net = new nn.Sequential(
    new nn.ConvTranspose2d(4, 6, 3, { stride: [2, 1], groups: 2 }),
    new nn.Conv1d(2, 3, 5, { padding: [1, 2], bias: false }),
    new nn.Conv2d(1, 2, 3, { padding: "same", paddingMode: "reflect" }),
  );
  assertEquals(
    String(net),
    `Sequential(
  (0): ConvTranspose2d(4, 6, kernelSize=[3,3], stride=[2,1], groups=2)
  (1): Conv1d(2, 3, kernelSize=5, padding=[1,2], bias=false)
  (2): Conv2d(1, 2, kernelSize=[3,3], padding=same, paddingMode=reflect)
)`,
  );
  const shapes = Array.from(
    net.namedParameters(),
    ([name, { shape }]) => `${name} [${shape}]`,
  );
  assertEquals(shapes, [
    "0.weight [4,3,3,3]",
    "0.bias [6]",
    "1.weight [3,2,5]",
    "2.weight [2,1,3,3]",
    "2.bias [2]",
  ]);
  net.dispose();
});

onBothDevices("forms of convolution refuse what doesn't fit", () => {
  const fails = (call: () => unknown, message: string) =>
    assertFails(call, ShapeError, message);
  const x = zeros([1, 2, 3, 3]);
  const w = zeros([2, 3, 2, 2]);
  const what = "Cannot convolve [1, 2, 3, 3] with [2, 3, 2, 2] transposed";
  fails(
    () => convTranspose2d(zeros([2, 3, 3]), w),
    "Cannot convolve [2, 3, 3] with [2, 3, 2, 2] transposed: expected an input [batch, channels, height, width] and a weight [input channels, output channels / groups, height, width]",
  );
  fails(
    () => convTranspose2d(zeros([1, 4, 3, 3]), w),
    "Cannot convolve [1, 4, 3, 3] with [2, 3, 2, 2] transposed: the input has 4 channels, the weight expects 2",
  );
  fails(
    () => convTranspose2d(x, w, { bias: zeros([2]) }),
    `${what}: the bias is [2], 3 output channels need [3]`,
  );
  fails(
    () => convTranspose2d(x, w, { stride: [2, 3], outputPadding: [1, 3] }),
    `${what}: expected an output padding from 0 to below the stride, 3, but found 3 along the width`,
  );
  fails(
    () => convTranspose2d(x, w, { padding: 2 }),
    `${what}: output height (3 - 1)*1 - 2 - 2 + 1*(2 - 1) + 0 + 1 = 0 is not positive`,
  );
  fails(
    () => conv1d(zeros([2, 5]), zeros([1, 2, 3])),
    "Cannot convolve [2, 5] with [1, 2, 3] along one axis: expected an input [batch, channels, length] and a weight [output channels, input channels / groups, length]",
  );
  assertFails(
    () => new nn.Conv2d(1, 1, 3, { padding: "same", stride: [1, 2] }),
    RangeError,
    'Cannot give an output the size of its input: padding "same" needs stride 1 but the stride is 2',
  );
  assertFails(
    () => new nn.ConvTranspose2d(2, 3, 3, { groups: 2 }),
    RangeError,
    "Cannot make a convolution of 2 to 3 channels in 2 groups: expected both to be multiples of 2",
  );
});
