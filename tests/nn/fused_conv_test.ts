/** A convolution with an epilogue is the composition of what it fuses. */
import { batchNorm, conv2d, rand, randn } from "../../mod.ts";
import { apply } from "../../core/tensor.ts";
import { conv2d as convOp } from "../../wgsl/conv/conv2d.ts";
import { onBothDevices } from "../support/devices.ts";
import { assertStored } from "../support/torch.ts";

onBothDevices(
  "convolution, bias, batch norm in evaluation, shortcut and relu are one call with an epilogue",
  async (device) => {
    for (const [channels, groups] of [[3, 1], [32, 1], [4, 4]]) {
      const x = randn([2, channels, 9, 10]);
      const w = randn([channels, channels / groups, 3, 3]);
      const shortcut = randn(x.shape);
      const [bias, mean, beta] = [1, 2, 3].map(() => randn([channels]));
      const gamma = rand([channels]).add(0.5);
      const variance = rand([channels]).add(0.5);
      const eps = 1e-5;

      const norm = { weight: gamma, bias: beta, eps };
      const sums = conv2d(x, w, { bias, padding: 1, groups });
      const want = batchNorm(sums, mean, variance, norm).add(shortcut).relu();

      const scale = gamma.mul(variance.add(eps).rsqrt());
      const shift = beta.sub(mean.mul(scale));
      const [y] = apply(convOp, [x, w, bias, scale, shift, shortcut], {
        stride: [1, 1],
        padding: [1, 1, 1, 1],
        dilation: [1, 1],
        groups,
        epilogue: {
          bias: true,
          affine: true,
          residual: true,
          activation: { name: "relu" },
        },
      });
      await assertStored(
        y,
        { shape: want.shape, values: Array.from(await want.read()) },
        `${channels} channels in ${groups} groups, ${device}`,
      );
    }
  },
);
