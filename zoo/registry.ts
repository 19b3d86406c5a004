/** The networks by name: torchvision's where it has the network. */
import type { Module } from "../nn/module.ts";
import { nearest } from "../nn/state.ts";
import { alexnet } from "./alexnet.ts";
import {
  d2lDenseNet,
  densenet121,
  densenet161,
  densenet169,
  densenet201,
} from "./densenet.ts";
import { googlenet } from "./googlenet.ts";
import { inceptionV2 } from "./inception_v2.ts";
import { inceptionV3 } from "./inception_v3.ts";
import { inceptionV4 } from "./inception_v4.ts";
import { lenet } from "./lenet.ts";
import { nin } from "./nin.ts";
import { d2lResnet18 } from "./residual.ts";
import { type Description, PUBLISHED } from "./published.ts";
import {
  plain18,
  plain34,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
} from "./resnet.ts";
import {
  resnet101V2,
  resnet152V2,
  resnet18V2,
  resnet34V2,
  resnet50V2,
} from "./resnet_v2.ts";
import {
  vgg11,
  vgg11Bn,
  vgg13,
  vgg13Bn,
  vgg16,
  vgg16Bn,
  vgg19,
  vgg19Bn,
} from "./vgg.ts";
import { weightsOf, type WeightsOptions } from "./weights.ts";

/** Builds a network from its options, which are those of its own function. */
// deno-lint-ignore no-explicit-any -- each builder checks the options that are its own
type Builder = (options?: any) => Module | Promise<Module>;

const BUILDERS: Readonly<Record<string, Builder>> = {
  lenet,
  alexnet,
  vgg11,
  vgg13,
  vgg16,
  vgg19,
  vgg11_bn: vgg11Bn,
  vgg13_bn: vgg13Bn,
  vgg16_bn: vgg16Bn,
  vgg19_bn: vgg19Bn,
  nin,
  googlenet,
  inception_v2: inceptionV2,
  inception_v3: inceptionV3,
  inception_v4: inceptionV4,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  plain18,
  plain34,
  resnet18_d2l: d2lResnet18,
  resnetv2_18: resnet18V2,
  resnetv2_34: resnet34V2,
  resnetv2_50: resnet50V2,
  resnetv2_101: resnet101V2,
  resnetv2_152: resnet152V2,
  densenet121,
  densenet161,
  densenet169,
  densenet201,
  densenet_d2l: d2lDenseNet,
};

/**
 * Names of all networks.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { zoo } from "@tessera/tessera";
 *
 * assert(zoo.list().includes("resnet18"));
 * ```
 */
export function list(): string[] {
  return Object.keys(PUBLISHED);
}

/**
 * Builds a network by name. Options are those of its own function: `create("vgg16_bn", { classes: 10 })` is `vgg16Bn({ classes: 10 })`. It is
 * untrained, or with `weights` a promise of a trained one.
 *
 * @throws {RangeError} For a name that isn't there, with the nearest one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.create("lenet", { classes: 3 });
 * assertEquals(net(zeros([1, 1, 28, 28])).shape, [1, 3]);
 * ```
 */
export function create(
  name: string,
  options?:
    & Readonly<Record<string, unknown>>
    & { readonly weights?: undefined },
): Module;
export function create(
  name: string,
  options: Readonly<Record<string, unknown>> & WeightsOptions,
): Promise<Module>;
export function create(
  name: string,
  options: Readonly<Record<string, unknown>> = {},
): Module | Promise<Module> {
  return BUILDERS[known(name)](options);
}

/**
 * What is known of a network: its size, its input, its paper and how its forms differ.
 *
 * @throws {RangeError} For a name that isn't there, with the nearest one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { zoo } from "@tessera/tessera";
 *
 * assertEquals(zoo.describe("vgg16").parameters, 138_357_544);
 * ```
 */
export function describe(name: string): Description {
  return { name, ...PUBLISHED[known(name)], weights: weightsOf(name) };
}

function known(name: string): string {
  if (Object.hasOwn(PUBLISHED, name)) return name;
  const guess = nearest(name, list());
  throw new RangeError(
    `Cannot find a network called "${name}"${
      guess ? `, did you mean "${guess}"?` : ""
    }: zoo.list() has their names`,
  );
}
