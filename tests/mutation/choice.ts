/** Which faults a run makes: spread over all kernels and plans by a seed. */
import { type Fault, faultsIn } from "./faults.ts";

/** A source file that faults are made in. */
export interface Target {
  /** Path from the repository's root. */
  readonly file: string;
  /** Folder of `wgsl/` that it stands in. */
  readonly family: string;
  readonly text: string;
}

/** A place in a run: faults of one file in the order in which they are tried, until one compiles. */
export interface Slot {
  readonly target: Target;
  readonly faults: Iterator<Fault>;
}

/** Pseudo-random numbers in [0, 1) by a linear congruence with scrambled output: the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The items in random order. */
export function shuffled<Item>(
  items: readonly Item[],
  random: () => number,
): Item[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The faults of a text, each once, in random order: operators in turn, so that rare ones are as likely as common ones. */
export function* faultsInTurn(
  { file, text }: Target,
  random: () => number,
): Generator<Fault> {
  const byOperator = Map.groupBy(
    shuffled(faultsIn(text, file.endsWith(".wgsl") ? "wgsl" : "ts"), random),
    ({ operator }) => operator,
  );
  const queues = shuffled([...byOperator.values()], random);
  while (queues.length > 0) {
    const [queue] = queues.splice(0, 1);
    yield queue.pop()!;
    if (queue.length > 0) queues.push(queue);
  }
}

/**
 * `count` places for faults: first one in each kernel, then kernels and plans by turns, families in turn. With fewer places than kernels, some
 * kernels have none.
 */
export function choose(
  targets: readonly Target[],
  count: number,
  seed: number,
): Slot[] {
  const random = randomFrom(seed);
  const order = shuffled(targets, random);
  const faults = new Map(
    order.map((target) => [target, faultsInTurn(target, random)]),
  );
  const kernels = order.filter(({ file }) => file.endsWith(".wgsl"));
  const plans = order.filter(({ file }) => !file.endsWith(".wgsl"));
  const turns = [kernels, plans].map((files) => inTurn(files));
  const chosen = kernels.slice(0, count);
  for (let n = 1; chosen.length < count; n++) {
    const next = turns[n % 2].next().value ?? turns[(n + 1) % 2].next().value;
    if (next === undefined) break;
    chosen.push(next);
  }
  return chosen.map((target) => ({ target, faults: faults.get(target)! }));
}

/** Endlessly a file of each family in turn. */
function* inTurn(files: readonly Target[]): Generator<Target, undefined> {
  const families = [...Map.groupBy(files, ({ family }) => family).values()];
  if (families.length === 0) return;
  for (let round = 0;; round++) {
    for (const family of families) yield family[round % family.length];
  }
}
