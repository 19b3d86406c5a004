/** Compiling a network's kernels before they are needed. */
import { isRecording, noGrad } from "../core/autograd.ts";
import { zeros } from "../core/create.ts";
import { synchronize } from "../core/runtime.ts";
import { outsideScopes, scope } from "../core/scope.ts";
import type { Shape } from "../wgsl/op.ts";
import type { Module } from "./module.ts";
import { observeCalls } from "./hooks.ts";

/** Options of {@linkcode precompile}. */
export interface PrecompileOptions {
  /** Whether to compile the backward pass as well. @default false */
  readonly training?: boolean;
  /** Called after each layer, with the layers that are done and how many there are. */
  readonly onProgress?: (done: number, layers: number) => void;
}

/**
 * Compiles what a network needs for inputs of a shape, by running it once on zeros, so that the first real call doesn't wait. The network's mode,
 * buffers and gradients are as before. Losses and optimisers compile when they are first used.
 *
 * @example
 * ```ts
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.lenet();
 * await nn.precompile(net, [64, 1, 28, 28], { training: true });
 * ```
 */
export async function precompile(
  net: Module,
  shape: Shape,
  options: PrecompileOptions = {},
): Promise<void> {
  const { training = false, onProgress = () => {} } = options;
  const layers =
    [...net.namedModules()].filter(([, module]) =>
      module.children().length === 0
    ).length;
  const mode = net.training;
  {
    using _ = scope();
    const buffers = new Map(
      Array.from(net.namedBuffers(), ([name, value]) => [name, value.clone()]),
    );
    const parameters = net.parameters();
    const gradients = outsideScopes(() =>
      parameters.map(({ grad }) => grad?.clone() ?? null)
    );
    let done = 0;
    const watch = {
      before: (module: Module) => module.children().length,
      after: (children: number) => {
        if (children === 0) onProgress(Math.min(++done, layers), layers);
      },
    };
    const run = () => observeCalls(watch, () => net(zeros(shape)));
    net.train(training);
    try {
      if (training && isRecording()) run().sum().backward();
      else noGrad(run);
    } finally {
      net.train(mode);
      for (const [name, buffer] of net.namedBuffers()) {
        buffer.assign(buffers.get(name)!);
      }
      parameters.forEach((p, i) => {
        if (p.requiresGrad) p.grad = gradients[i];
      });
    }
  }
  await synchronize();
}
