/** Normalisation layers, with PyTorch's names, defaults and meaning. */
import { ones, zeros } from "../../core/create.ts";
import { noGrad } from "../../core/autograd.ts";
import { outsideScopes, tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import type { Shape } from "../../wgsl/op.ts";
import { formatShape } from "../../wgsl/shape.ts";
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  type LocalResponseOptions,
  type NormOptions,
  rmsNorm,
} from "../functional_norm.ts";
import { Module } from "../module.ts";
import { type Parameter, parameter } from "../parameter.ts";

/** Options of {@linkcode BatchNorm1d} and {@linkcode BatchNorm2d}. */
export interface BatchNormLayerOptions {
  /** Added to the variance before its root is taken. @default 1e-5 */
  readonly eps?: number;
  /** Share of a batch's statistics in the running ones; null: the plain average of all batches. @default 0.1 */
  readonly momentum?: number | null;
  /** Whether to learn a factor and a summand for each channel. @default true */
  readonly affine?: boolean;
  /** Whether to keep running statistics, which evaluation uses. Without them each batch is normalised by its own. @default true */
  readonly trackRunningStats?: boolean;
}

/** What the batch norms share; they differ in the ranks that they take. */
abstract class BatchNorm extends Module {
  /** `[numFeatures]`, ones at first. */
  readonly weight: Parameter | null;
  /** `[numFeatures]`, zeros at first. */
  readonly bias: Parameter | null;
  /** `[numFeatures]`. Buffers have the names under which PyTorch saves them. */
  readonly running_mean: Tensor | null;
  /** `[numFeatures]` */
  readonly running_var: Tensor | null;
  readonly eps: number;
  readonly momentum: number | null;
  protected readonly tracked: Tensor | null;
  /** Batches that `tracked` doesn't count yet: most networks never read it, so that no launch is spent on it. */
  protected pending = 0;

  constructor(
    readonly numFeatures: number,
    options: BatchNormLayerOptions = {},
  ) {
    super();
    const { eps = 1e-5, momentum = 0.1 } = options;
    const { affine = true, trackRunningStats = true } = options;
    this.eps = eps;
    this.momentum = momentum;
    const shape = [numFeatures];
    this.weight = affine ? parameter(() => ones(shape)) : null;
    this.bias = affine ? parameter(() => zeros(shape)) : null;
    const buffer = (make: () => Tensor) =>
      trackRunningStats ? outsideScopes(make) : null;
    this.running_mean = buffer(() => zeros(shape));
    this.running_var = buffer(() => ones(shape));
    this.tracked = buffer(() => zeros([], { dtype: "i32" }));
    this.registerBuffer("running_mean");
    this.registerBuffer("running_var");
    this.registerBuffer("num_batches_tracked");
  }

  /** Batches that the running statistics have seen in training, an i32 scalar. */
  get num_batches_tracked(): Tensor | null {
    const tracked = this.tracked;
    if (tracked && this.pending > 0) {
      const pending = this.pending;
      tidy(() => noGrad(() => tracked.assign(tracked.add(pending))));
      this.pending = 0;
    }
    return tracked;
  }

  /** Refuses inputs of another rank. */
  protected abstract checkInput(x: Tensor): void;

  override forward(x: Tensor): Tensor {
    this.checkInput(x);
    const { running_mean: mean, running_var: variance } = this;
    const training = this.training || !mean;
    if (training && mean && x.size > 0) this.pending++;
    const momentum = this.momentum ??
      (training ? this.num_batches_tracked?.to("f32").reciprocal() : 0);
    return batchNorm(x, mean, variance, {
      ...affineOf(this),
      training,
      ...(momentum === undefined ? {} : { momentum }),
      eps: this.eps,
    });
  }

  override describe(): string {
    return `${this.numFeatures}, eps=${this.eps}, momentum=${this.momentum}, affine=${
      this
        .weight !== null
    }, trackRunningStats=${this.tracked !== null}`;
  }

  /** Refuses inputs but those of some ranks with `numFeatures` channels. */
  protected requireShape(
    x: Tensor,
    ranks: readonly number[],
    want: string,
  ): void {
    if (ranks.includes(x.rank) && x.shape[1] === this.numFeatures) return;
    throw new ShapeError(
      `Cannot normalise ${formatShape(x.shape)}: expected ${want}`,
      [x.shape],
    );
  }
}

/** Batch norm of rows or of sequences (Ioffe & Szegedy 2015). `x: [N, C]` or `[N, C, L] → the same` */
export class BatchNorm1d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    const c = this.numFeatures;
    this.requireShape(x, [2, 3], `[N, ${c}] or [N, ${c}, L]`);
  }
}

/** Batch norm of pictures (Ioffe & Szegedy 2015). `x: [N, C, H, W] → the same` */
export class BatchNorm2d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    this.requireShape(x, [4], `[N, ${this.numFeatures}, H, W]`);
  }
}

/** Options of {@linkcode LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance before its root is taken. @default 1e-5 */
  readonly eps?: number;
  /** Whether to learn a factor for each element. @default true */
  readonly elementwiseAffine?: boolean;
  /** Whether to learn a summand for each element too. @default true */
  readonly bias?: boolean;
}

/** Normalises each row over the last axes (Ba, Kiros & Hinton 2016). `x: [..., normalizedShape] → the same` */
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

/** Options of {@linkcode GroupNorm} and {@linkcode InstanceNorm2d}. */
export interface ChannelNormOptions {
  /** Added to the variance before its root is taken. @default 1e-5 */
  readonly eps?: number;
  /** Whether to learn a factor and a summand for each channel. @default true for GroupNorm, false for InstanceNorm2d */
  readonly affine?: boolean;
}

/** Normalises each group of channels of each sample (Wu & He 2018). `x: [N, C, …] → the same` */
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

/** Normalises each channel of each picture (Ulyanov, Vedaldi & Lempitsky 2016). `x: [N, C, H, W] → the same` */
export class InstanceNorm2d extends Module {
  /** `[numFeatures]`, ones at first. */
  readonly weight: Parameter | null;
  /** `[numFeatures]`, zeros at first. */
  readonly bias: Parameter | null;
  readonly eps: number;

  constructor(
    readonly numFeatures: number,
    { eps = 1e-5, affine = false }: ChannelNormOptions = {},
  ) {
    super();
    this.eps = eps;
    this.weight = affine ? parameter(() => ones([numFeatures])) : null;
    this.bias = affine ? parameter(() => zeros([numFeatures])) : null;
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
    return instanceNorm(x, { ...affineOf(this), eps: this.eps });
  }

  override describe(): string {
    return `${this.numFeatures}, eps=${this.eps}, affine=${
      this.weight !== null
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

/** Divides each row over the last axes by the root of its mean square (Zhang & Sennrich 2019). `x: [..., normalizedShape] → the same` */
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

/** Divides each value by a power of the mean square of its neighbours across channels (Krizhevsky et al. 2012, section 3.3). */
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

/** The parameters that a layer has, as options of its function. */
function affineOf(
  { weight, bias }: {
    readonly weight: Parameter | null;
    readonly bias: Parameter | null;
  },
): NormOptions {
  return { ...(weight ? { weight } : {}), ...(bias ? { bias } : {}) };
}

function shapeOf(size: number | Shape): Shape {
  return typeof size === "number" ? [size] : [...size];
}
