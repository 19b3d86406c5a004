/** What is known of a file of weights. */
import type { Interpolation } from "../nn/transforms/resample.ts";

/** How a picture becomes an input: the shorter edge resized, the middle cut out, values of 0 to 1 less `mean`, divided by `std`. */
export interface Preprocessing {
  /** 3 for red, green and blue; 1 for grey. */
  readonly channels: 1 | 3;
  /** Pixels of the shorter edge. */
  readonly resize: number;
  /** Pixels of both edges of the middle. */
  readonly crop: number;
  readonly interpolation: Interpolation;
  /** One a channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** How a file's names and shapes become a network's. Rules are tried in order; the first whose `from` a name begins with is applied. */
export interface NameRule {
  readonly from: string;
  /** What stands there instead; null leaves the tensor out. */
  readonly to: string | null;
  /** Whether axes beyond the second join it: a convolution over all of a map, as the linear layer that it is. */
  readonly flatten?: boolean;
}

/** A file of weights and where it is. */
export interface WeightsSource {
  /** Its name in the cache. */
  readonly file: string;
  /** Where it may be, in the order to ask. */
  readonly urls: readonly string[];
  /** Its size, where it is known. */
  readonly bytes?: number;
  /** SHA-256 in hexadecimal, or as many of its first digits as are published. */
  readonly sha256?: string;
}

/** Published weights of a network. */
export interface WeightsEntry {
  /** The same weights in different files, in the order to try; none of those that come with the library. */
  readonly sources: readonly WeightsSource[];
  /** Address of the file that comes with the library. */
  readonly shipped?: string;
  /** Names that differ in some of the files. */
  readonly rules?: readonly NameRule[];
  /** Options of the network that they were trained with. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly preprocessing: Preprocessing;
  /** Names of the classes, in the order of the outputs. */
  readonly classes: () => readonly string[];
  /** Shares of pictures of the test set that are told right, as published. */
  readonly accuracy?: { readonly top1: number; readonly top5?: number };
}
