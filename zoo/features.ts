/** What layers inside a network make of an input. */
import { currentScope, tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Module } from "../nn/module.ts";
import { nearest } from "../nn/state.ts";

/**
 * Runs a network and gives the outputs of some of its layers, by their paths; a path of a layer that is called several times has the last output. They
 * belong to the caller's scope, as if the network had returned them. Modes and gradients are as for any call: `net.eval()` and `noGrad` come first
 * where they are wanted.
 *
 * @throws {RangeError} For a path that no layer has, with the nearest one.
 * @throws {Error} For a layer that the network didn't call.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, noGrad, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.resnet18({ stem: "small", width: 4, classes: 10 }).eval();
 * const found = noGrad(() => zoo.features(net, zeros([1, 3, 32, 32]), ["layer1", "layer4.1"]));
 * assertEquals(found.get("layer1")!.shape, [1, 4, 32, 32]);
 * assertEquals(found.get("layer4.1")!.shape, [1, 32, 4, 4]);
 * ```
 */
export function features(
  net: Module,
  x: Tensor,
  paths: readonly string[],
): Map<string, Tensor> {
  const modules = new Map(net.namedModules());
  const layers = paths.map((path) => [path, moduleAt(modules, path)] as const);
  const found = new Map<string, Tensor>();
  return tidy(() => {
    using hooks = new DisposableStack();
    for (const [path, layer] of layers) {
      hooks.use(
        layer.registerForwardHook((_, _inputs, output) => {
          found.get(path)?.dispose();
          // A hook's tensors belong to no scope, so this one outlives the layer's own.
          found.set(path, output.alias());
        }),
      );
    }
    try {
      net(x);
    } finally {
      for (const output of found.values()) output.moveTo(currentScope());
    }
    return inOrder(found, paths);
  });
}

/** The module at a path. Throws a RangeError with the nearest path where there is none. */
export function moduleAt(
  modules: ReadonlyMap<string, Module>,
  path: string,
): Module {
  const module = modules.get(path);
  if (module) return module;
  const guess = nearest(path, modules.keys());
  throw new RangeError(
    `Cannot find a layer at "${path}"${
      guess ? `, did you mean "${guess}"?` : ""
    }: the paths are those of the network's state, without the parameters' names`,
  );
}

/** The outputs in the order in which they were asked for. */
function inOrder(
  found: ReadonlyMap<string, Tensor>,
  paths: readonly string[],
): Map<string, Tensor> {
  return new Map(paths.map((path) => {
    const output = found.get(path);
    if (!output) {
      throw new Error(
        `Cannot give the output of "${path}": the network didn't call that layer`,
      );
    }
    return [path, output];
  }));
}
