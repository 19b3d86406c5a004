/** Where a network looks: Grad-CAM. */
import { noGrad } from "../../core/autograd.ts";
import { tensor } from "../../core/create.ts";
import { ShapeError } from "../../core/errors.ts";
import { gradients } from "../../core/join.ts";
import { currentScope, tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { interpolate } from "../../nn/functional_resize.ts";
import { observeCalls } from "../../nn/hooks.ts";
import { Conv2d } from "../../nn/layers/conv.ts";
import type { Module } from "../../nn/module.ts";
import { formatShape, sameShape } from "../../wgsl/shape.ts";
import { moduleAt } from "../../zoo/features.ts";

/** Options of {@linkcode gradCam}. */
export interface CamOptions {
  /**
   * The layer whose maps are weighed, or its path.
   *
   * @default the last convolution; where it is part of a block whose output has the same height and width, the largest such block: ResNet's `layer4`,
   * GoogLeNet's `inception5b`
   */
  readonly layer?: string | Module;
  /** The class whose score is explained, for all examples or for each. @default each example's class with the highest score */
  readonly target?: number | readonly number[];
  /** Whether the heat map gets the picture's size instead of the layer's. @default true */
  readonly resize?: boolean;
}

/** The pictures that heat maps belong to. */
const behind = new WeakMap<Tensor, Tensor>();

/** The picture that {@linkcode gradCam} explained, if that made the tensor and the picture is still there. */
export function pictureBehind(heat: Tensor): Tensor | undefined {
  const x = behind.get(heat);
  return x && !x.disposed ? x : undefined;
}

/**
 * Where in a picture a network finds what it gives a class its score for (Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via
 * Gradient-based Localization"). The maps A of a layer are weighed by the mean of the score's gradient over each, α = 1/Z Σᵢ Σⱼ ∂y/∂A (equation 1); the heat
 * is what is positive of their sum, ReLU(Σ α A) (equation 2), brought to the picture's size by linear interpolation.
 *
 * `x: [N, C, H, W] → [N, H, W]`. The network runs in evaluation mode; its mode is put back, and no gradient of its parameters is touched.
 *
 * @throws {ShapeError} Where the layer's output isn't `[N, C, H, W]`, or the network's not `[N, classes]`.
 * @throws {RangeError} For a path that no layer has.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, randn, zoo } from "@tessera/tessera";
 * import { gradCam } from "./cam.ts";
 *
 * await init();
 * const net = zoo.lenet();
 * assertEquals(gradCam(net, randn([2, 1, 28, 28]), { target: 3 }).shape, [2, 28, 28]);
 * ```
 */
export function gradCam(
  net: Module,
  x: Tensor,
  options: CamOptions = {},
): Tensor {
  const { training } = net;
  net.eval();
  try {
    const heat = tidy(() => heatOf(net, x, options));
    behind.set(heat, x);
    return heat;
  } finally {
    net.train(training);
  }
}

function heatOf(net: Module, x: Tensor, options: CamOptions): Tensor {
  const { layer: given, target, resize = true } = options;
  const layer = given === undefined
    ? lastMaps(net, x)
    : typeof given === "string"
    ? moduleAt(new Map(net.namedModules()), given)
    : given;
  let maps: Tensor | undefined;
  // The maps become what gradients start from: so it doesn't matter whether the layers before them learn.
  const hook = layer.registerForwardHook((_layer, _inputs, output) => {
    // Made outside of every scope, because the network's own end before the gradients are computed.
    maps?.dispose();
    maps = output.detach();
    maps.requiresGrad = true;
    return maps.alias();
  });
  let scores: Tensor;
  try {
    scores = net(x);
  } finally {
    hook.remove();
    maps?.moveTo(currentScope());
  }
  if (!maps) {
    throw new RangeError(
      "Cannot weigh the maps of a layer: the network didn't call it",
    );
  }
  if (maps.rank !== 4) {
    throw new ShapeError(
      `Cannot weigh the output of shape ${
        formatShape(maps.shape)
      }: expected maps [N, C, H, W]`,
      [maps.shape],
    );
  }
  if (scores.rank !== 2) {
    throw new ShapeError(
      `Cannot explain scores of shape ${
        formatShape(scores.shape)
      }: expected [N, classes]`,
      [scores.shape],
    );
  }
  const y = scores.mul(chosen(scores, target)).sum();
  const [slopes] = gradients(y, [maps]);
  const weights = slopes.mean([2, 3], { keepDims: true });
  const heat = weights.mul(maps.detach()).sum([1], { keepDims: true }).relu();
  const size = x.shape.slice(-2);
  return (resize ? interpolate(heat, { size, mode: "bilinear" }) : heat)
    .squeeze(1);
}

/** Ones at the classes whose scores are explained. `[N, classes]` */
function chosen(scores: Tensor, target: CamOptions["target"]): Tensor {
  return noGrad(() => {
    const [count, classes] = scores.shape;
    if (target === undefined) return scores.argmax(1).oneHot(classes);
    const targets = typeof target === "number"
      ? Array<number>(count).fill(target)
      : target;
    const wrong = targets.find((t) =>
      !Number.isInteger(t) || t < 0 || t >= classes
    );
    if (wrong !== undefined || targets.length !== count) {
      throw new RangeError(
        wrong !== undefined
          ? `Cannot explain the score of class ${wrong}: the network has classes 0 to ${
            classes - 1
          }`
          : `Cannot explain the scores of ${count} examples: found ${targets.length} classes`,
      );
    }
    return tensor(targets, { dtype: "i32" }).oneHot(classes);
  });
}

/** A call of a layer, in the order in which they ended. */
interface Call {
  readonly module: Module;
  readonly shape: readonly number[];
}

/** The last convolution that an example goes through, or the largest block around it with maps of the same size. */
function lastMaps(net: Module, x: Tensor): Module {
  const calls: Call[] = [];
  const modules: Module[] = [];
  tidy(() =>
    observeCalls(
      {
        before: (module) => modules.push(module) - 1,
        after: (call, _inputs, { shape }) => {
          calls.push({ module: modules[call], shape });
        },
      },
      () => noGrad(() => void net(x.slice(0, 0, 1))),
    )
  );
  const at = calls.findLastIndex(({ module }) => module instanceof Conv2d);
  if (at < 0) {
    throw new TypeError(
      `Cannot choose a layer of ${net.constructor.name} to weigh the maps of: it calls no convolution`,
    );
  }
  const conv = calls[at];
  const block = calls.findLast(({ module, shape }) =>
    shape.length === 4 && sameShape(shape.slice(2), conv.shape.slice(2)) &&
    module.namedModules().some(([, inner]) => inner === conv.module)
  );
  return (block ?? conv).module;
}
