/** Tables of learned rows. */
import { arange, randn } from "../../core/create.ts";
import { tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import {
  embedding,
  type EmbeddingOptions,
  paddingRow,
} from "../functional_embedding.ts";
import { Module } from "../module.ts";
import { type Parameter, parameter } from "../parameter.ts";

/**
 * A learned row for each of `numEmbeddings` numbers. `x: [..] of i32 or u32 → [.., embeddingDim]`
 *
 * Rows begin as normal numbers; the row `paddingIdx`, if any, as zeros, and no gradient flows into it.
 *
 * Unlike PyTorch, rows have no largest norm, and gradients are neither sparse nor scaled by frequency.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const words = new nn.Embedding(10, 3, { paddingIdx: 0 });
 * const y = words(tensor([[4, 0], [9, 1]], { dtype: "i32" }));
 * assertEquals(y.shape, [2, 2, 3]);
 * ```
 */
export class Embedding extends Module {
  /** `[numEmbeddings, embeddingDim]` */
  readonly weight: Parameter;

  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    readonly options: EmbeddingOptions = {},
  ) {
    super();
    const { paddingIdx } = options;
    this.weight = parameter(() =>
      tidy(() => {
        const rows = randn([numEmbeddings, embeddingDim]);
        if (paddingIdx === undefined) return rows;
        const padding = paddingRow(paddingIdx, numEmbeddings);
        const used = arange(numEmbeddings).ne(padding).to("f32");
        return rows.mul(used.unsqueeze(1));
      })
    );
  }

  override forward(x: Tensor): Tensor {
    return embedding(x, this.weight, this.options);
  }

  override describe(): string {
    const { paddingIdx } = this.options;
    return `${this.numEmbeddings}, ${this.embeddingDim}${
      paddingIdx === undefined ? "" : `, paddingIdx=${paddingIdx}`
    }`;
  }
}
