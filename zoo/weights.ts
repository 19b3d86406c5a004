/** Networks with trained weights: the `weights` option of every builder. */
import type { FileSource } from "../core/formats/source.ts";
import type { DownloadOptions } from "../nn/data/download.ts";
import { skipInit } from "../nn/init_skip.ts";
import type { Module } from "../nn/module.ts";
import { nearest } from "../nn/state.ts";
import { FASHION_MNIST } from "./weights_fashion.ts";
import { IMAGENET, IMAGENET_V2 } from "./weights_imagenet.ts";
import { PUBLISHED } from "./published.ts";
import type { WeightsEntry } from "./weights_entry.ts";
import { loadEntry, loadFile } from "./weights_load.ts";

/** Options of a builder that make it return a promise of a network with trained weights. */
export interface WeightsOptions extends DownloadOptions {
  /**
   * - `"imagenet"`: those that torchvision publishes, `"imagenet-v2"` its later ones; downloaded once, into `$XDG_CACHE_HOME/tessera/weights`,
   *   and compared with the published SHA-256 (its first digits, which is what torchvision states);
   * - `"fashion-mnist"`: those that come with the library;
   * - a path, a URL, or the bytes of a safetensors, .pth or npz file.
   *
   * Which of the names a network has is what `zoo.describe(name).weights` lists.
   */
  readonly weights: FileSource;
}

/** Builds a network from its options: at once and untrained, or with `weights` as a promise. */
export interface Builder<Options extends object, Net extends Module> {
  /** An untrained network. */
  (options?: Options & { readonly weights?: undefined }): Net;
  /** A network with weights. Rejects, with nothing left in memory, where they can't be had or don't fit. */
  (options: Options & WeightsOptions): Promise<Net>;
}

/** Weights by their name and the network's. */
const WEIGHTS: Readonly<
  Record<string, Readonly<Record<string, WeightsEntry>>>
> = {
  "imagenet": IMAGENET,
  "imagenet-v2": IMAGENET_V2,
  "fashion-mnist": FASHION_MNIST,
};

/** What the weights of a network were trained on, if it is known. */
const trainedOn = new WeakMap<Module, WeightsEntry>();

/** The builder of a network, from a function that builds it untrained. */
export function withWeights<Options extends object, Net extends Module>(
  name: string,
  build: (options: Options) => Net,
): Builder<Options, Net> {
  type Untrained = Options & { readonly weights?: undefined };
  function builder(options?: Untrained): Net;
  function builder(options: Options & WeightsOptions): Promise<Net>;
  function builder(
    options: Untrained | Options & WeightsOptions = {} as Untrained,
  ): Net | Promise<Net> {
    requireVariant(name, options);
    return options.weights === undefined
      ? build(options)
      : buildTrained(name, build, options as Options & WeightsOptions);
  }
  return builder;
}

/** Refuses a form that a network doesn't have: `create` takes options of any kind. */
function requireVariant(name: string, options: object): void {
  const variant = "variant" in options ? options.variant : undefined;
  if (variant === undefined) return;
  const variants = Object.keys(PUBLISHED[name].variants);
  if (variants.includes(String(variant))) return;
  const guess = nearest(String(variant), variants);
  throw new RangeError(
    `Cannot build ${name} in the form ${JSON.stringify(variant)}${
      guess ? `, did you mean "${guess}"?` : ""
    }: there ${variants.length === 1 ? "is" : "are"} ${
      variants.map((known) => `"${known}"`).join(" and ")
    }`,
  );
}

async function buildTrained<Options extends object, Net extends Module>(
  name: string,
  build: (options: Options) => Net,
  options: Options & WeightsOptions,
): Promise<Net> {
  const { weights, cache, mirrors, onProgress, ...rest } = options;
  // What is left of the options are the network's own.
  const own = rest as unknown as Options;
  const named = typeof weights === "string" && Object.hasOwn(WEIGHTS, weights);
  const entry = named ? entryOf(name, weights) : entryOfFile(name, weights);
  if (named && entry) requireOptions(name, weights, entry, own);
  const net = skipInit(() =>
    build(named ? { ...entry?.options, ...own } : own)
  );
  try {
    if (named && entry) {
      await loadEntry(net, name, entry, { cache, mirrors, onProgress });
    } else {
      await loadFile(net, weights, rulesOf(name));
    }
  } catch (error) {
    net.dispose();
    throw error;
  }
  if (entry) trainedOn.set(net, entry);
  return net;
}

/** Names of the weights that are published for a network. */
export function weightsOf(name: string): string[] {
  return Object.keys(WEIGHTS).filter((key) =>
    Object.hasOwn(WEIGHTS[key], name)
  );
}

/**
 * What is known of published weights: where they are, how pictures are prepared for them, the names of their classes, and their accuracy.
 *
 * @throws {RangeError} Where a network has no such weights, with those that it has.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { zoo } from "@tessera/tessera";
 *
 * const { preprocessing, classes, accuracy } = zoo.describeWeights("resnet18", "imagenet");
 * assertEquals([preprocessing.resize, preprocessing.crop], [256, 224]);
 * assertEquals(classes()[1], "goldfish");
 * assertEquals(accuracy?.top1, 0.69758);
 * ```
 */
export function describeWeights(name: string, weights: string): WeightsEntry {
  return entryOf(name, weights);
}

/** What is known of the weights that a network was built with. */
export function entryOfNetwork(net: Module): WeightsEntry | undefined {
  return trainedOn.get(net);
}

function entryOf(name: string, weights: string): WeightsEntry {
  const names = weightsOf(name);
  if (names.includes(weights)) return WEIGHTS[weights][name];
  const known = names.length > 0
    ? `there are ${names.map((known) => `"${known}"`).join(" and ")}`
    : "none are published that fit";
  const guess = nearest(weights, names);
  throw new RangeError(
    `Cannot find weights called "${weights}" for ${name}${
      guess ? `, did you mean "${guess}"?` : ""
    }: ${known}, and a path, a URL or bytes will do`,
  );
}

/** The entry that lists a file of this name: somebody fetched it by other means. */
function entryOfFile(
  name: string,
  source: FileSource,
): WeightsEntry | undefined {
  if (source instanceof Uint8Array) return undefined;
  const file = String(source).split(/[/\\]/).at(-1);
  return weightsOf(name).map((weights) => WEIGHTS[weights][name])
    .find(({ sources }) => sources.some((known) => known.file === file));
}

/** How other sources call the values of a network. */
function rulesOf(name: string) {
  return weightsOf(name).flatMap((weights) =>
    WEIGHTS[weights][name].rules ?? []
  );
}

/** Refuses options that the weights weren't trained with, before anything is downloaded. */
function requireOptions(
  name: string,
  weights: FileSource,
  entry: WeightsEntry,
  options: object,
): void {
  for (const [key, value] of Object.entries(options)) {
    const trained = entry.options[key];
    if (value === undefined || trained === undefined || value === trained) {
      continue;
    }
    throw new RangeError(
      `Cannot load the weights "${weights}" into ${name} with ${key} ${
        JSON.stringify(value)
      }: they were trained with ${JSON.stringify(trained)}`,
    );
  }
}
