/** Where training stands: what has to be kept so that it goes on as if it had never stopped. */
import { type RandomState, setRandomState } from "../core/runtime.ts";
import { type Batch, DataLoader } from "./data/loader.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Sums } from "./fit_meter.ts";
import type { BestState } from "./fit_stop.ts";

/** What {@linkcode fit} takes batches from: data, which it puts in random order, or batches as they come. */
export type TrainingData =
  | Dataset
  | DataLoader
  | Iterable<Batch>
  | AsyncIterable<Batch>;

/** Where training stands after some steps, as plain data. */
export interface TrainingState {
  /** Epochs that are finished. */
  readonly epoch: number;
  /** Steps that are done in the epoch after them. */
  readonly step: number;
  /** Steps of an epoch, where that is known. */
  readonly stepsPerEpoch: number | undefined;
  /** The random stream where the epoch began, and where it is. */
  readonly epochRandom: RandomState;
  readonly random: RandomState;
  /** The epoch's order of examples, where the loader tells. */
  readonly order: readonly number[] | undefined;
  readonly sums: Sums;
  readonly seconds: number;
  readonly best: BestState | undefined;
}

/** Orders that have been drawn of each loader: those that have a stream of their own count them. */
const drawn = new WeakMap<DataLoader, number>();

/** Batches of one epoch after another, from any kind of data. */
export class Source {
  readonly #data: DataLoader | Iterable<Batch> | AsyncIterable<Batch>;

  constructor(data: TrainingData, batchSize: number, shuffle: boolean) {
    this.#data = isBatches(data)
      ? data
      : new DataLoader(data, { batchSize, shuffle });
  }

  /** Steps of an epoch, where that is known. */
  get length(): number | undefined {
    const length: unknown = Reflect.get(this.#data, "length");
    return typeof length === "number" ? length : undefined;
  }

  /** Draws the order of the next epoch. */
  order(): Uint32Array | undefined {
    if (!(this.#data instanceof DataLoader)) return undefined;
    drawn.set(this.#data, (drawn.get(this.#data) ?? 0) + 1);
    return this.#data.order();
  }

  /** Draws orders until there were `count`: those of the epochs that were made before the process began. */
  catchUp(count: number): void {
    if (!(this.#data instanceof DataLoader)) return;
    while ((drawn.get(this.#data) ?? 0) < count) this.order();
  }

  /** The batches of an epoch that begins. */
  batches(order: Uint32Array | undefined): AsyncIterable<Batch> {
    return this.#data instanceof DataLoader
      ? freed(this.#data.load(order))
      : started(this.#data);
  }

  /** The batches that an epoch has left, with the random stream as it was. */
  async *rest(state: TrainingState): AsyncGenerator<Batch> {
    const { step, order, epochRandom, random } = state;
    if (this.#data instanceof DataLoader) {
      setRandomState(random);
      yield* freed(this.#data.load(order && Uint32Array.from(order), step));
      return;
    }
    setRandomState(epochRandom);
    const iterator = started(this.#data);
    for (let i = 0; i < step; i++) await iterator.next();
    setRandomState(random);
    yield* iterator;
  }
}

/** Batches of a loader, freed also when the epoch is left before its end. */
async function* freed(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    try {
      yield batch;
    } finally {
      batch.inputs.dispose();
      batch.targets.dispose();
    }
  }
}

async function* started(
  data: Iterable<Batch> | AsyncIterable<Batch>,
): AsyncGenerator<Batch> {
  yield* data;
}

/** Whether data are batches already. */
function isBatches(
  data: TrainingData,
): data is DataLoader | Iterable<Batch> | AsyncIterable<Batch> {
  return Symbol.asyncIterator in data || Symbol.iterator in data;
}
