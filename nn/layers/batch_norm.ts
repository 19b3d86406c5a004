/** Batch norm layers, with PyTorch's names, defaults and meaning. */
import { ones, zeros } from "../../core/create.ts";
import { noGrad } from "../../core/autograd.ts";
import { isRecomputing } from "../../core/recompute.ts";
import { outsideScopes, tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import { formatShape } from "../../wgsl/shape.ts";
import { batchNorm, type NormOptions } from "../functional_norm.ts";
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
export abstract class BatchNorm extends Module {
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

  /** Batches that it has counted and not told its buffer yet. */
  get pendingBatches(): number {
    return this.pending;
  }

  /** Counts batches that were run without calling `forward`, by a plan of a training step. */
  countBatches(count: number): void {
    this.pending += count;
  }

  /** Refuses inputs of another rank. */
  protected abstract checkInput(x: Tensor): void;

  override forward(x: Tensor): Tensor {
    this.checkInput(x);
    const { running_mean: mean, running_var: variance } = this;
    const training = this.training || !mean;
    if (training && mean && x.size > 0 && !isRecomputing()) this.pending++;
    const momentum = this.momentum ??
      (training
        ? noGrad(() => this.num_batches_tracked?.to("f32").reciprocal())
        : 0);
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

/**
 * Batch norm of rows or of sequences (Ioffe & Szegedy 2015). `x: [N, C]` or `[N, C, L] → the same`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, randn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.BatchNorm1d(3);
 * layer(randn([16, 3], { mean: 5 })); // measures
 * const [mean] = await layer.running_mean!.read();
 * assertEquals(Math.round(10 * mean), 5); // a tenth of the way from 0 to 5
 * assertEquals(layer.eval()(randn([1, 3])).shape, [1, 3]);
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    const c = this.numFeatures;
    this.requireShape(x, [2, 3], `[N, ${c}] or [N, ${c}, L]`);
  }
}

/**
 * Batch norm of pictures (Ioffe & Szegedy 2015). `x: [N, C, H, W] → the same`
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, nn, randn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.BatchNorm2d(4);
 * const y = layer(randn([8, 4, 6, 6], { mean: 3, std: 2 }));
 * assertAlmostEquals(await y.mean().item(), 0, 1e-4);
 * assertAlmostEquals(await y.square().mean().item(), 1, 1e-3);
 * assertEquals(await layer.num_batches_tracked!.item(), 1);
 * ```
 */
export class BatchNorm2d extends BatchNorm {
  protected override checkInput(x: Tensor): void {
    this.requireShape(x, [4], `[N, ${this.numFeatures}, H, W]`);
  }
}

/** The parameters that a layer has, as options of its function. */
export function affineOf(
  { weight, bias }: {
    readonly weight: Parameter | null;
    readonly bias: Parameter | null;
  },
): NormOptions {
  return { ...(weight ? { weight } : {}), ...(bias ? { bias } : {}) };
}
