/** Auxiliary heads: classifiers at a network's middle that bring gradients to its first layers (Szegedy et al. 2014, section 5). */
import type { Tensor } from "../core/tensor.ts";
import { crossEntropy, type Loss, Module, type StateDict } from "../nn/mod.ts";

/** What the heads made in one call. A class of its own, because copies of a network don't copy the fields of such. */
class HeadLogits {
  constructor(readonly logits: readonly Tensor[]) {}
}

/**
 * A network with auxiliary heads. Its call returns the logits of its end; those of the heads stay in {@linkcode auxLogits}.
 *
 * A subclass holds each head in a field, null where it is left out, and calls `runHeads` in its `forward`.
 */
export abstract class AuxiliaryNet extends Module {
  protected heads: HeadLogits = new HeadLogits([]);

  /**
   * `[N, classes]` of each head, in the order from the input, as the last call in training mode made them; empty after a call in evaluation mode, and
   * without heads. They live as long as the logits that the call returned, if the network was called itself and not as a layer of another.
   */
  get auxLogits(): readonly Tensor[] {
    return this.heads.logits;
  }

  /** Runs heads on their maps in training mode, and forgets what earlier calls made. */
  protected runHeads(
    ...pairs: readonly (readonly [Module | null, Tensor])[]
  ): void {
    const used = this.training ? pairs : [];
    this.heads = new HeadLogits(
      used.flatMap(([head, maps]) => head ? [head(maps)] : []),
    );
  }

  /** Takes the values of `state` over by name. Those of heads that were left out are passed over. */
  override loadStateDict(
    state: StateDict,
    options: { readonly strict?: boolean } = {},
  ): void {
    const absent = Object.entries(this).filter(([, value]) => value === null);
    const wanted = [...state].filter(([name]) =>
      !absent.some(([head]) => name.startsWith(`${head}.`))
    );
    super.loadStateDict(new Map(wanted), options);
  }
}

/** Options of {@linkcode auxiliaryLoss}. */
export interface AuxiliaryLossOptions {
  /** Factor of each head's loss: the paper's 0.3; for Inception v3, 0.4 is usual. @default 0.3 */
  readonly weight?: number;
  /** Loss of the end's logits and of each head's. @default crossEntropy */
  readonly loss?: Loss;
}

/**
 * A loss for networks with auxiliary heads: that of the logits plus `weight` times that of each head's logits (Szegedy et al. 2014, section 5). In
 * evaluation mode, where heads don't run, it is the plain loss. Takes the place of `crossEntropy` in a loop or in `nn.fit`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, randn, tensor, zoo } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = zoo.googlenet({ classes: 10, auxLogits: true });
 * const lossOf = zoo.auxiliaryLoss(net); // nn.fit(net, data, { optimizer, loss: lossOf })
 * const labels = tensor([3, 7], { dtype: "i32" });
 * lossOf(net(randn([2, 3, 64, 64])), labels).backward();
 * assertEquals(net.aux1?.fc2.weight.grad?.shape, [10, 1024]);
 * ```
 */
export function auxiliaryLoss(
  net: { readonly auxLogits: readonly Tensor[] },
  options: AuxiliaryLossOptions = {},
): Loss {
  const { weight = 0.3, loss = crossEntropy } = options;
  return (logits, targets) =>
    net.auxLogits.reduce(
      (sum, head) => sum.add(loss(head, targets).mul(weight)),
      loss(logits, targets),
    );
}
