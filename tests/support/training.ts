/** A training twice: by a compiled step and call by call. */
import { assert, assertEquals } from "@std/assert";
import {
  nn,
  randint,
  randn,
  type RandomState,
  randomState,
  scope,
  setRandomState,
  type Tensor,
} from "../../mod.ts";

/** Two linear layers with dropout between, whose fused kernels round as they do call by call. */
export function dropoutNet(): nn.Module {
  return new nn.Sequential(
    new nn.Linear(6, 8),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Linear(8, 3),
  );
}

/** A batch for it. */
export const smallBatch = (): [
  Tensor,
  Tensor,
] => [randn([4, 6]), randint(0, 3, [4])];

/** What is trained, and how. */
export interface Training {
  net(): nn.Module;
  // deno-lint-ignore no-explicit-any -- options are the optimiser's own business
  optimizer(net: nn.Module): nn.Optimizer<any>;
  batch(step: number): readonly [Tensor, Tensor];
  readonly steps: number;
  /** Largest difference of losses and values, as a part of the largest. @default 1e-6 */
  readonly allowed?: number;
  readonly loss?: (outputs: Tensor, targets: Tensor) => Tensor;
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly maxBytes?: number;
  /** Is stepped after each step. */
  schedule?(optimizer: nn.Optimizer): nn.LRScheduler;
  /** Runs after a step, counted from 0. */
  between?(
    step: number,
    // deno-lint-ignore no-explicit-any -- as above
    trained: { readonly net: nn.Module; readonly optimizer: nn.Optimizer<any> },
  ): void;
}

/** What a training ends with. */
interface Outcome {
  readonly losses: readonly number[];
  /** Parameters, running statistics and what the optimiser remembers, by name. */
  readonly values: ReadonlyMap<string, ArrayLike<number>>;
  /** The optimiser's options, how many steps each parameter has made, and where the schedule stands. */
  readonly settings: unknown;
  readonly random: RandomState;
  /** The compiled step's plan, and the bytes that all its plans hold. */
  readonly plan: nn.Explanation | undefined;
  readonly bytes: number;
}

/** Trains from the random stream's present state. */
export async function train(
  training: Training,
  compiled: boolean,
): Promise<Outcome> {
  using _ = scope();
  const { loss = nn.crossEntropy, clipNorm, clipValue, steps } = training;
  const { maxBytes } = training;
  const net = training.net();
  const optimizer = training.optimizer(net);
  const schedule = training.schedule?.(optimizer as nn.Optimizer);
  const options = {
    loss,
    optimizer,
    ...(schedule && { schedule }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(clipValue === undefined ? {} : { clipValue }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
  const step = compiled ? nn.compileStep(net, options) : undefined;
  const eager = (x: Tensor, y: Tensor): Tensor => {
    const value = loss(net(x), y);
    optimizer.zeroGrad();
    value.backward();
    const { parameters } = optimizer;
    if (clipValue !== undefined) nn.clipGradValue(parameters, clipValue);
    if (clipNorm !== undefined) nn.clipGradNorm(parameters, clipNorm);
    optimizer.step();
    schedule?.step();
    return value.detach();
  };
  const losses: number[] = [];
  for (let k = 0; k < steps; k++) {
    let read: Promise<number>;
    {
      using _step = scope();
      const [x, y] = training.batch(k);
      read = (step ?? eager)(x, y).item();
    }
    losses.push(await read);
    training.between?.(k, { net, optimizer });
  }
  const random = randomState();
  const values = new Map<string, ArrayLike<number>>();
  for (const [name, x] of net.stateDict()) values.set(name, await x.read());
  const { state, paramGroups } = optimizer.stateDict();
  for (const [i, { tensors }] of state) {
    for (const [name, x] of tensors) values.set(`${i} ${name}`, await x.read());
  }
  const counts = [...state].map(([i, { step }]) => [i, step]);
  const bytes = step?.bytes ?? 0;
  const plan = bytes > 0 ? step?.explain() : undefined;
  step?.dispose();
  optimizer.dispose();
  net.dispose();
  const settings = [counts, paramGroups, schedule?.stateDict()];
  return { losses, values, settings, random, plan, bytes };
}

/** Expects a training by compiled steps to end as the one call by call. */
export async function assertStepsAgree(training: Training): Promise<void> {
  const { allowed = 1e-6 } = training;
  const start = randomState();
  const want = await train(training, false);
  setRandomState(start);
  const got = await train(training, true);
  assertEquals(got.random, want.random);
  assertEquals(got.settings, want.settings);
  assertEquals([...got.values.keys()], [...want.values.keys()]);
  assertAlike("losses", got.losses, want.losses, allowed);
  for (const [name, values] of want.values) {
    assertAlike(name, got.values.get(name)!, values, allowed);
  }
}

function assertAlike(
  what: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  allowed: number,
): void {
  assertEquals(got.length, want.length, what);
  const expected = Array.from(want);
  const scale = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
  const worst = expected.reduce(
    (most, v, i) => Math.max(most, Math.abs(v - got[i])),
    0,
  );
  assert(worst <= allowed * scale, `${what}: off by ${worst} of ${scale}`);
}
