/** Normalisation layers, with PyTorch's names, defaults and meaning. */
import { ones, zeros } from "../../core/create.ts";
import { outsideScopes } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import type { Shape } from "../../wgsl/op.ts";
import { formatShape } from "../../wgsl/shape.ts";
import {
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  type LocalResponseOptions,
  rmsNorm,
} from "../functional_norm.ts";
import { Module } from "../module.ts";
import { type Parameter, parameter } from "../parameter.ts";
import { affineOf } from "./batch_norm.ts";

/** Options of {@linkcode LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance before its root is taken. @default 1e-5 */
  readonly eps?: number;
  /** Whether to learn a factor for each element. @default true */
  readonly elementwiseAffine?: boolean;
  /** Whether to learn a summand for each element too. @default true */
  readonly bias?: boolean;
}

/**
 * Normalises each row over the last axes (Ba, Kiros & Hinton 2016). `x: [..., normalizedShape] → the same`
 *
 * Unlike PyTorch 1.13, which the fixtures come from, it can do without the summand alone, as PyTorch took up later.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.LayerNorm(2);
 * const y = await layer(tensor([[1, 3], [10, 30]])).read();
 * [-1, 1, -1, 1].forEach((v, i) => assertAlmostEquals(y[i], v, 1e-4));
 * ```
 */
export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  /** The normalised shape, ones at first. */
  readonly weight: Parameter | null;
  /** The normalised shape, zeros at first. */
  readonly bias: Parameter | null;
  readonly eps: number;

  constructor(normalizedShape: number | Shape, options: LayerNormOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    this.eps = eps;
    const shape = shapeOf(normalizedShape);
    this.normalizedShape = shape;
    this.weight = elementwiseAffine ? parameter(() => ones(shape)) : null;
    this.bias = elementwiseAffine && bias
      ? parameter(() => zeros(shape))
      : null;
  }

  override forward(x: Tensor): Tensor {
    const options = { ...affineOf(this), eps: this.eps };
    return layerNorm(x, this.normalizedShape, options);
  }

  override describe(): string {
    return `[${this.normalizedShape}], eps=${this.eps}, elementwiseAffine=${
      this.weight !== null
    }`;
  }
}

/** Options of {@linkcode GroupNorm}, and part of those of {@linkcode InstanceNorm2d}. */
export interface ChannelNormOptions {
  /** Added to the variance before its root is taken. @default 1e-5 */
  readonly eps?: number;
  /** Whether to learn a factor and a summand for each channel. @default true for GroupNorm, false for InstanceNorm2d */
  readonly affine?: boolean;
}

/**
 * Normalises each group of channels of each sample (Wu & He 2018). `x: [N, C, …] → the same`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.GroupNorm(2, 8);
 * assertEquals(layer(zeros([1, 8, 4, 4])).shape, [1, 8, 4, 4]);
 * ```
 */
export class GroupNorm extends Module {
  /** `[numChannels]`, ones at first. */
  readonly weight: Parameter | null;
  /** `[numChannels]`, zeros at first. */
  readonly bias: Parameter | null;
  readonly eps: number;

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    { eps = 1e-5, affine = true }: ChannelNormOptions = {},
  ) {
    super();
    if (numChannels % numGroups !== 0) {
      throw new RangeError(
        `Cannot make a group norm of ${numChannels} channels in ${numGroups} groups: expected a multiple of ${numGroups}`,
      );
    }
    this.eps = eps;
    this.weight = affine ? parameter(() => ones([numChannels])) : null;
    this.bias = affine ? parameter(() => zeros([numChannels])) : null;
  }

  override forward(x: Tensor): Tensor {
    const options = { ...affineOf(this), eps: this.eps };
    return groupNorm(x, this.numGroups, options);
  }

  override describe(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${this.eps}, affine=${
      this.weight !== null
    }`;
  }
}

/** Options of {@linkcode InstanceNorm2d}. */
export interface InstanceNormLayerOptions extends ChannelNormOptions {
  /** Share of a batch's statistics in the running ones. @default 0.1 */
  readonly momentum?: number;
  /** Whether to keep running statistics, by which evaluation normalises. @default false */
  readonly trackRunningStats?: boolean;
}

/**
 * Normalises each channel of each picture (Ulyanov, Vedaldi & Lempitsky 2016). `x: [N, C, H, W] → the same`
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, randn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.InstanceNorm2d(2);
 * const y = layer(randn([1, 2, 8, 8], { mean: 3 }));
 * assertAlmostEquals(await y.mean().item(), 0, 1e-4);
 * ```
 */
export class InstanceNorm2d extends Module {
  /** `[numFeatures]`, ones at first. */
  readonly weight: Parameter | null;
  /** `[numFeatures]`, zeros at first. */
  readonly bias: Parameter | null;
  /** `[numFeatures]`. Buffers have the names under which PyTorch saves them. */
  readonly running_mean: Tensor | null;
  /** `[numFeatures]` */
  readonly running_var: Tensor | null;
  /** An i32 scalar that stays 0, as PyTorch's does. */
  readonly num_batches_tracked: Tensor | null;
  readonly eps: number;
  readonly momentum: number;

  constructor(
    readonly numFeatures: number,
    options: InstanceNormLayerOptions = {},
  ) {
    super();
    const { eps = 1e-5, momentum = 0.1 } = options;
    const { affine = false, trackRunningStats = false } = options;
    this.eps = eps;
    this.momentum = momentum;
    const shape = [numFeatures];
    this.weight = affine ? parameter(() => ones(shape)) : null;
    this.bias = affine ? parameter(() => zeros(shape)) : null;
    const buffer = (name: string, make: () => Tensor) => {
      this.registerBuffer(name);
      return trackRunningStats ? outsideScopes(make) : null;
    };
    this.running_mean = buffer("running_mean", () => zeros(shape));
    this.running_var = buffer("running_var", () => ones(shape));
    this.num_batches_tracked = buffer(
      "num_batches_tracked",
      () => zeros([], { dtype: "i32" }),
    );
  }

  override forward(x: Tensor): Tensor {
    if (x.rank !== 4 || x.shape[1] !== this.numFeatures) {
      throw new ShapeError(
        `Cannot normalise ${
          formatShape(x.shape)
        }: expected [N, ${this.numFeatures}, H, W]`,
        [x.shape],
      );
    }
    const { running_mean: mean, running_var: variance, momentum, eps } = this;
    return instanceNorm(x, {
      ...affineOf(this),
      ...(mean && variance ? { runningMean: mean, runningVar: variance } : {}),
      useInputStats: this.training || !mean,
      momentum,
      eps,
    });
  }

  override describe(): string {
    const { numFeatures, eps, momentum } = this;
    const affine = this.weight !== null;
    return `${numFeatures}, eps=${eps}, affine=${affine}${
      this.running_mean ? `, momentum=${momentum}, trackRunningStats=true` : ""
    }`;
  }
}

/** Options of {@linkcode RMSNorm}. */
export interface RmsNormLayerOptions {
  /** Added to the mean square before its root is taken. @default the spacing of floats of x's type above 1 */
  readonly eps?: number;
  /** Whether to learn a factor for each element. @default true */
  readonly elementwiseAffine?: boolean;
}

/**
 * Divides each row over the last axes by the root of its mean square (Zhang & Sennrich 2019). `x: [..., normalizedShape] → the same`
 *
 * Unlike PyTorch 1.13, which the fixtures come from, nn has it: they hold the formula that PyTorch took up later.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [y] = await new nn.RMSNorm(2)(tensor([[3, 4]])).read();
 * assertAlmostEquals(y, 3 / Math.sqrt(12.5), 1e-5);
 * ```
 */
export class RMSNorm extends Module {
  readonly normalizedShape: Shape;
  /** The normalised shape, ones at first. */
  readonly weight: Parameter | null;
  readonly eps: number | undefined;

  constructor(
    normalizedShape: number | Shape,
    options: RmsNormLayerOptions = {},
  ) {
    super();
    const { eps, elementwiseAffine = true } = options;
    this.eps = eps;
    const shape = shapeOf(normalizedShape);
    this.normalizedShape = shape;
    this.weight = elementwiseAffine ? parameter(() => ones(shape)) : null;
  }

  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, {
      ...(this.weight ? { weight: this.weight } : {}),
      ...(this.eps === undefined ? {} : { eps: this.eps }),
    });
  }

  override describe(): string {
    return `[${this.normalizedShape}], eps=${
      this.eps ?? "auto"
    }, elementwiseAffine=${this.weight !== null}`;
  }
}

/**
 * Divides each value by a power of the mean square of its neighbours across channels (Krizhevsky et al. 2012, section 3.3).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.LocalResponseNorm(5);
 * assertEquals(layer(zeros([1, 8, 4, 4])).shape, [1, 8, 4, 4]);
 * ```
 */
export class LocalResponseNorm extends Module {
  constructor(
    readonly size: number,
    readonly options: LocalResponseOptions = {},
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, this.options);
  }

  override describe(): string {
    const { alpha = 1e-4, beta = 0.75, k = 1 } = this.options;
    return `${this.size}, alpha=${alpha}, beta=${beta}, k=${k}`;
  }
}

function shapeOf(size: number | Shape): Shape {
  return typeof size === "number" ? [size] : [...size];
}
