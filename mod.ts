/**
 * Tessera: tensors, layers and the classic convolutional networks on Deno's WebGPU.
 *
 * Calls return at once and reads are awaited. A training loop by hand:
 *
 * @example
 * ```ts
 * import { init, nn, scope, zoo } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const net = zoo.lenet({ activation: "relu", pooling: "max" });
 * const optimizer = new nn.Adam(net.parameters(), { lr: 1e-3 });
 * const data = new nn.DataLoader(await nn.fashionMnist({ split: "test" }), { shuffle: true });
 * for (const { inputs, targets } of data) {
 *   using s = scope(); // frees what the step makes
 *   const loss = nn.crossEntropy(net(inputs), targets);
 *   optimizer.zeroGrad();
 *   loss.backward();
 *   optimizer.step();
 * }
 * ```
 *
 * @module
 */
export * from "./core/mod.ts";
export * from "./nn/functional.ts";
export * from "./nn/functional_conv.ts";
export * from "./nn/functional_dropout.ts";
export { embedding, type EmbeddingOptions } from "./nn/functional_embedding.ts";
export * from "./nn/functional_norm.ts";
export * from "./nn/functional_activation.ts";
export * from "./nn/functional_pad.ts";
export * from "./nn/functional_pool.ts";
export * from "./nn/functional_resize.ts";
export * from "./nn/functional_unfold.ts";
export { compile, type Compiled, type CompileOptions } from "./nn/compile.ts";
export { compileStep } from "./nn/compile_step.ts";
export * as nn from "./nn/mod.ts";
export * as zoo from "./zoo/mod.ts";
import "./nn/vouched.ts";
import "./zoo/vouched.ts";
