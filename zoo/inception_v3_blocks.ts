/**
 * The blocks of Inception v3 (Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision", figures 5 to 7 and 10).
 * https://arxiv.org/abs/1512.00567
 *
 * Blocks A, C and E keep the grid (35, 17 and 8 at 299×299 pictures), B and D halve it. Names are torchvision's.
 */
import { concat } from "../core/join.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  adaptiveAvgPool2d,
  avgPool2d,
  Linear,
  maxPool2d,
  Module,
} from "../nn/mod.ts";
import { BasicConv2d } from "./inception_parts.ts";

/** 3×3 averages with a padding of 1, whose zeros count. */
function averages(x: Tensor): Tensor {
  return avgPool2d(x, 3, { stride: 1, padding: 1 });
}

/** Paddings that keep the size under windows longer one way than the other. */
const WIDE_7 = { padding: [0, 3] } as const;
const TALL_7 = { padding: [3, 0] } as const;
const WIDE_3 = { padding: [0, 1] } as const;
const TALL_3 = { padding: [1, 0] } as const;

/**
 * For the 35×35 grid (figure 5): 1×1; 5×5; 3×3 twice; averages. `x: [N, inChannels, H, W] → [N, 224 + poolFeatures, H, W]`
 *
 * The figure has two 3×3 convolutions in the place of each 5×5 one; the published network has such a branch beside one that is still 5×5.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const block = new zoo.InceptionA(192, 32);
 * assertEquals(block(zeros([1, 192, 35, 35])).shape, [1, 256, 35, 35]);
 * ```
 */
export class InceptionA extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch5x5_1: BasicConv2d;
  readonly branch5x5_2: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2: BasicConv2d;
  readonly branch3x3dbl_3: BasicConv2d;
  readonly branch_pool: BasicConv2d;

  constructor(inChannels: number, poolFeatures: number) {
    super();
    this.branch1x1 = new BasicConv2d(inChannels, 64, 1);
    this.branch5x5_1 = new BasicConv2d(inChannels, 48, 1);
    this.branch5x5_2 = new BasicConv2d(48, 64, 5, { padding: 2 });
    this.branch3x3dbl_1 = new BasicConv2d(inChannels, 64, 1);
    this.branch3x3dbl_2 = new BasicConv2d(64, 96, 3, { padding: 1 });
    this.branch3x3dbl_3 = new BasicConv2d(96, 96, 3, { padding: 1 });
    this.branch_pool = new BasicConv2d(inChannels, poolFeatures, 1);
  }

  override forward(x: Tensor): Tensor {
    const double = this.branch3x3dbl_2(this.branch3x3dbl_1(x));
    return concat([
      this.branch1x1(x),
      this.branch5x5_2(this.branch5x5_1(x)),
      this.branch3x3dbl_3(double),
      this.branch_pool(averages(x)),
    ], 1);
  }
}

/** From the 35×35 to the 17×17 grid (figure 10). `x: [N, inChannels, H, W] → [N, 480 + inChannels, (H - 1)/2, (W - 1)/2]` */
export class InceptionB extends Module {
  readonly branch3x3: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2: BasicConv2d;
  readonly branch3x3dbl_3: BasicConv2d;

  constructor(inChannels: number) {
    super();
    this.branch3x3 = new BasicConv2d(inChannels, 384, 3, { stride: 2 });
    this.branch3x3dbl_1 = new BasicConv2d(inChannels, 64, 1);
    this.branch3x3dbl_2 = new BasicConv2d(64, 96, 3, { padding: 1 });
    this.branch3x3dbl_3 = new BasicConv2d(96, 96, 3, { stride: 2 });
  }

  override forward(x: Tensor): Tensor {
    const double = this.branch3x3dbl_2(this.branch3x3dbl_1(x));
    return concat([
      this.branch3x3(x),
      this.branch3x3dbl_3(double),
      maxPool2d(x, 3, { stride: 2 }),
    ], 1);
  }
}

/**
 * For the 17×17 grid (figure 6): 7×7 convolutions as 1×7 and 7×1, once and twice, with `channels7x7` channels in between.
 * `x: [N, inChannels, H, W] → [N, 768, H, W]`
 */
export class InceptionC extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch7x7_1: BasicConv2d;
  readonly branch7x7_2: BasicConv2d;
  readonly branch7x7_3: BasicConv2d;
  readonly branch7x7dbl_1: BasicConv2d;
  readonly branch7x7dbl_2: BasicConv2d;
  readonly branch7x7dbl_3: BasicConv2d;
  readonly branch7x7dbl_4: BasicConv2d;
  readonly branch7x7dbl_5: BasicConv2d;
  readonly branch_pool: BasicConv2d;

  constructor(inChannels: number, channels7x7: number) {
    super();
    const c = channels7x7;
    this.branch1x1 = new BasicConv2d(inChannels, 192, 1);
    this.branch7x7_1 = new BasicConv2d(inChannels, c, 1);
    this.branch7x7_2 = new BasicConv2d(c, c, [1, 7], WIDE_7);
    this.branch7x7_3 = new BasicConv2d(c, 192, [7, 1], TALL_7);
    this.branch7x7dbl_1 = new BasicConv2d(inChannels, c, 1);
    this.branch7x7dbl_2 = new BasicConv2d(c, c, [7, 1], TALL_7);
    this.branch7x7dbl_3 = new BasicConv2d(c, c, [1, 7], WIDE_7);
    this.branch7x7dbl_4 = new BasicConv2d(c, c, [7, 1], TALL_7);
    this.branch7x7dbl_5 = new BasicConv2d(c, 192, [1, 7], WIDE_7);
    this.branch_pool = new BasicConv2d(inChannels, 192, 1);
  }

  override forward(x: Tensor): Tensor {
    const once = this.branch7x7_2(this.branch7x7_1(x));
    const double = this.branch7x7dbl_3(
      this.branch7x7dbl_2(this.branch7x7dbl_1(x)),
    );
    return concat([
      this.branch1x1(x),
      this.branch7x7_3(once),
      this.branch7x7dbl_5(this.branch7x7dbl_4(double)),
      this.branch_pool(averages(x)),
    ], 1);
  }
}

/** From the 17×17 to the 8×8 grid. `x: [N, inChannels, H, W] → [N, 512 + inChannels, (H - 1)/2, (W - 1)/2]` */
export class InceptionD extends Module {
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2: BasicConv2d;
  readonly branch7x7x3_1: BasicConv2d;
  readonly branch7x7x3_2: BasicConv2d;
  readonly branch7x7x3_3: BasicConv2d;
  readonly branch7x7x3_4: BasicConv2d;

  constructor(inChannels: number) {
    super();
    this.branch3x3_1 = new BasicConv2d(inChannels, 192, 1);
    this.branch3x3_2 = new BasicConv2d(192, 320, 3, { stride: 2 });
    this.branch7x7x3_1 = new BasicConv2d(inChannels, 192, 1);
    this.branch7x7x3_2 = new BasicConv2d(192, 192, [1, 7], WIDE_7);
    this.branch7x7x3_3 = new BasicConv2d(192, 192, [7, 1], TALL_7);
    this.branch7x7x3_4 = new BasicConv2d(192, 192, 3, { stride: 2 });
  }

  override forward(x: Tensor): Tensor {
    const seven = this.branch7x7x3_2(this.branch7x7x3_1(x));
    return concat([
      this.branch3x3_2(this.branch3x3_1(x)),
      this.branch7x7x3_4(this.branch7x7x3_3(seven)),
      maxPool2d(x, 3, { stride: 2 }),
    ], 1);
  }
}

/** For the 8×8 grid (figure 7): 3×3 convolutions as 1×3 and 3×1 side by side, for many channels. `x: [N, inChannels, H, W] → [N, 2048, H, W]` */
export class InceptionE extends Module {
  readonly branch1x1: BasicConv2d;
  readonly branch3x3_1: BasicConv2d;
  readonly branch3x3_2a: BasicConv2d;
  readonly branch3x3_2b: BasicConv2d;
  readonly branch3x3dbl_1: BasicConv2d;
  readonly branch3x3dbl_2: BasicConv2d;
  readonly branch3x3dbl_3a: BasicConv2d;
  readonly branch3x3dbl_3b: BasicConv2d;
  readonly branch_pool: BasicConv2d;

  constructor(inChannels: number) {
    super();
    this.branch1x1 = new BasicConv2d(inChannels, 320, 1);
    this.branch3x3_1 = new BasicConv2d(inChannels, 384, 1);
    this.branch3x3_2a = new BasicConv2d(384, 384, [1, 3], WIDE_3);
    this.branch3x3_2b = new BasicConv2d(384, 384, [3, 1], TALL_3);
    this.branch3x3dbl_1 = new BasicConv2d(inChannels, 448, 1);
    this.branch3x3dbl_2 = new BasicConv2d(448, 384, 3, { padding: 1 });
    this.branch3x3dbl_3a = new BasicConv2d(384, 384, [1, 3], WIDE_3);
    this.branch3x3dbl_3b = new BasicConv2d(384, 384, [3, 1], TALL_3);
    this.branch_pool = new BasicConv2d(inChannels, 192, 1);
  }

  override forward(x: Tensor): Tensor {
    const once = this.branch3x3_1(x);
    const double = this.branch3x3dbl_2(this.branch3x3dbl_1(x));
    return concat([
      this.branch1x1(x),
      this.branch3x3_2a(once),
      this.branch3x3_2b(once),
      this.branch3x3dbl_3a(double),
      this.branch3x3dbl_3b(double),
      this.branch_pool(averages(x)),
    ], 1);
  }
}

/** The auxiliary head (figure 8, with torchvision's last average). `x: [N, inChannels, 17, 17] → [N, classes]`, at least 17×17 */
export class InceptionAux extends Module {
  readonly conv0: BasicConv2d;
  readonly conv1: BasicConv2d;
  readonly fc: Linear;

  constructor(inChannels: number, classes: number) {
    super();
    this.conv0 = new BasicConv2d(inChannels, 128, 1);
    this.conv1 = new BasicConv2d(128, 768, 5);
    this.fc = new Linear(768, classes);
  }

  override forward(x: Tensor): Tensor {
    const maps = this.conv0(avgPool2d(x, 5, { stride: 3 })); // [N, 128, 5, 5]
    const ends = adaptiveAvgPool2d(this.conv1(maps), 1); // [N, 768, 1, 1]
    return this.fc(ends.flatten(1));
  }
}
