/** Schedules: PyTorch's step sizes with every option, hand-worked values, saved states, errors. They touch no device but to make a parameter. */
import { assert, assertEquals } from "@std/assert";
import { nn, zeros } from "../../mod.ts";
import fixture from "../fixtures/schedules.json" with { type: "json" };
import { onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

type Part = readonly [string, readonly unknown[], object];

interface Case {
  readonly optimizer: string;
  readonly name: string;
  readonly first: readonly unknown[];
  readonly second: unknown;
  /** After each step, of each group: step size and momentum. */
  readonly values: readonly (readonly (readonly [number, number])[])[];
}

const CASES = fixture.cases as unknown as readonly Case[];

function sgd(lr = 1): nn.SGD {
  return new nn.SGD([zeros([1], { requiresGrad: true })], { lr });
}

/** The optimiser of a case: two groups, of step sizes 0.1 and 0.02. */
function optimizerOf({ optimizer }: Case): nn.Optimizer {
  const groups = [{}, { lr: 0.02 }].map((options) => ({
    params: [zeros([1], { requiresGrad: true })],
    ...options,
  }));
  return optimizer === "SGD"
    ? new nn.SGD(groups, { lr: 0.1, momentum: 0.9 })
    : new nn.Adam(groups, { lr: 0.1 });
}

function single(
  optimizer: nn.Optimizer,
  name: string,
  args: readonly unknown[],
  options: unknown,
): nn.LRScheduler {
  return Reflect.construct(Reflect.get(nn, name), [
    optimizer,
    ...args,
    options,
  ]);
}

function build(
  optimizer: nn.Optimizer,
  { name, first, second }: Case,
): nn.LRScheduler {
  const parts = () =>
    (first as readonly Part[]).map((part) => single(optimizer, ...part));
  switch (name) {
    case "SequentialLR":
      return new nn.SequentialLR(optimizer, parts(), second as number[]);
    case "ChainedScheduler":
      return new nn.ChainedScheduler(parts());
    default:
      return single(optimizer, name, first, second);
  }
}

/** Asserts the step sizes and momenta of an optimiser's groups, to 1e-12. */
function expectGroups(
  optimizer: nn.Optimizer,
  want: readonly (readonly [number, number])[],
  what: string,
): void {
  optimizer.paramGroups.forEach((group, i) => {
    const { lr, momentum, betas } = group as unknown as {
      readonly lr: number;
      readonly momentum?: number;
      readonly betas?: readonly [number, number];
    };
    [lr, momentum ?? betas?.[0] ?? NaN].forEach((value, k) =>
      assert(
        Math.abs(value - want[i][k]) <= 1e-12,
        `${what}: ${value} of group ${i}, PyTorch's is ${want[i][k]}`,
      )
    );
  });
}

onDevice(
  "cpu",
  "schedules set PyTorch's step sizes and momenta with every option",
  () => {
    for (const given of CASES) {
      const optimizer = optimizerOf(given);
      const schedule = build(optimizer, given);
      given.values.forEach((want, step) => {
        if (step > 0) schedule.step(fixture.metrics[step - 1]);
        const what = `${given.name} ${JSON.stringify(given.first)} ${
          JSON.stringify(given.second)
        }, step ${step}`;
        expectGroups(optimizer, want, what);
        const lrs = optimizer.paramGroups.map((group) =>
          (group as { readonly lr?: number }).lr
        );
        assertEquals(schedule.getLastLr(), lrs, what);
      });
      assertEquals(schedule.lastEpoch, given.values.length - 1);
    }
  },
);

onDevice(
  "cpu",
  "a saved schedule goes on in another process as if nothing had been",
  () => {
    for (const given of CASES) {
      const optimizer = optimizerOf(given);
      const schedule = build(optimizer, given);
      for (const metric of fixture.metrics.slice(0, 9)) schedule.step(metric);
      const saved = JSON.parse(JSON.stringify(schedule.stateDict()));
      const groups = optimizer.stateDict();
      const other = optimizerOf(given);
      const copy = build(other, given);
      other.loadStateDict(groups);
      copy.loadStateDict(saved);
      assertEquals(copy.stateDict(), schedule.stateDict());
      given.values.slice(10).forEach((want, i) => {
        copy.step(fixture.metrics[9 + i]);
        expectGroups(
          other,
          want,
          `${given.name} after loading, step ${10 + i}`,
        );
      });
    }
  },
);

onDevice("cpu", "schedules are right, worked by hand", () => {
  const follow = (
    make: (optimizer: nn.Optimizer) => nn.LRScheduler,
    ...want: number[]
  ) => {
    const optimizer = sgd();
    const schedule = make(optimizer);
    const got = [optimizer.lr];
    while (got.length < want.length) {
      schedule.step();
      got.push(optimizer.lr);
    }
    got.forEach((lr, i) => assert(Math.abs(lr - want[i]) < 1e-12, `${got}`));
  };
  follow((o) => new nn.StepLR(o, 2), 1, 1, 0.1, 0.1, 0.01);
  follow((o) => new nn.MultiStepLR(o, [1, 3]), 1, 0.1, 0.1, 0.01);
  follow((o) => new nn.ExponentialLR(o, 0.5), 1, 0.5, 0.25);
  follow(
    (o) => new nn.LinearLR(o, { startFactor: 0.5, totalIters: 2 }),
    ...[0.5, 0.75, 1, 1],
  );
  follow((o) => new nn.CosineAnnealingLR(o, 2), 1, 0.5, 0, 0.5, 1, 0.5);
  follow((o) => new nn.CosineAnnealingWarmRestarts(o, 2), 1, 0.5, 1, 0.5);
  follow(
    (o) =>
      new nn.OneCycleLR(o, 5, { totalSteps: 10, annealStrategy: "linear" }),
    ...[0.2, 2.6, 5],
  );
  follow(
    (o) => {
      const warmUp = new nn.LinearLR(o, { startFactor: 0.5, totalIters: 2 });
      return new nn.SequentialLR(o, [warmUp, new nn.StepLR(o, 1)], [2]);
    },
    ...[0.5, 0.75, 1, 0.1, 0.01],
  );
});

onDevice("cpu", "a rise of one step is at its top at once", () => {
  const optimizer = sgd();
  new nn.OneCycleLR(optimizer, 5, { totalSteps: 10, pctStart: 0.1 });
  assertEquals(optimizer.lr, 5);
  assertEquals(optimizer.paramGroups[0].momentum, 0.85);
});

onDevice(
  "cpu",
  "a schedule starts over, and step sizes may be changed in between",
  () => {
    const optimizer = sgd();
    const linear = new nn.LinearLR(optimizer, { startFactor: 0.5 });
    const schedule = new nn.ChainedScheduler([
      linear,
      new nn.ExponentialLR(optimizer, 0.5),
    ]);
    schedule.step();
    schedule.restart();
    assertEquals(optimizer.lr, 0.5);
    assertEquals(linear.lastEpoch, 0);
    const step = new nn.StepLR(optimizer, 1);
    optimizer.lr = 8;
    step.step();
    assertEquals(optimizer.lr, 0.8);
    const plateau = new nn.ReduceLROnPlateau(optimizer, { patience: 0 });
    plateau.step(1);
    plateau.step(NaN);
    assert(Math.abs(optimizer.lr - 0.08) < 1e-12);
    plateau.restart();
    assertEquals(optimizer.lr, 1);
    assertEquals(plateau.getLastLr(), [1]);
  },
);

onDevice("cpu", "schedules refuse what they can't do", () => {
  const optimizer = sgd();
  const [a, b] = [1, 2].map(() => new nn.ExponentialLR(optimizer, 1));
  const plateau = new nn.ReduceLROnPlateau(optimizer);
  const cases: [() => unknown, typeof RangeError | typeof TypeError, string][] =
    [
      [
        () => new nn.StepLR(optimizer, 0),
        RangeError,
        "Cannot schedule with stepSize 0: expected an integer from 1",
      ],
      [
        () => new nn.CosineAnnealingLR(optimizer, 1.5),
        RangeError,
        "Cannot schedule with tMax 1.5: expected an integer from 1",
      ],
      [
        () => new nn.CosineAnnealingWarmRestarts(optimizer, 2, { tMult: 0 }),
        RangeError,
        "Cannot schedule with tMult 0: expected an integer from 1",
      ],
      [
        () => new nn.LinearLR(optimizer, { startFactor: 0 }),
        RangeError,
        "Cannot schedule with startFactor 0: expected a number above 0 and at most 1",
      ],
      [
        () => new nn.LinearLR(optimizer, { endFactor: 2 }),
        RangeError,
        "Cannot schedule with endFactor 2: expected a number from 0 to 1",
      ],
      [
        () => new nn.OneCycleLR(optimizer, 1, { epochs: 3 }),
        RangeError,
        "Cannot schedule a cycle without its length: expected totalSteps, or epochs and stepsPerEpoch",
      ],
      [
        () => new nn.OneCycleLR(optimizer, [1, 2], { totalSteps: 5 }),
        RangeError,
        "Cannot schedule with maxLr of 2 groups: the optimiser has 1",
      ],
      [
        () => new nn.OneCycleLR(optimizer, 1, { totalSteps: 5, pctStart: 2 }),
        RangeError,
        "Cannot schedule with pctStart 2: expected a number from 0 to 1",
      ],
      [
        () =>
          new nn.OneCycleLR(new nn.Adagrad(optimizer.parameters), 1, {
            totalSteps: 5,
          }),
        RangeError,
        "Cannot cycle the momentum of Adagrad: it has none, set cycleMomentum to false",
      ],
      [
        () => {
          const schedule = new nn.OneCycleLR(sgd(), 1, { totalSteps: 2 });
          for (let i = 0; i < 3; i++) schedule.step();
        },
        RangeError,
        "Cannot make step 3 of a cycle: it has 2 steps",
      ],
      [
        () => new nn.ReduceLROnPlateau(optimizer, { factor: 1 }),
        RangeError,
        "Cannot reduce the step size by the factor 1: expected a number below 1",
      ],
      [
        () => (plateau as nn.LRScheduler).step(),
        TypeError,
        "Cannot step ReduceLROnPlateau with undefined: expected the metric as a number, for instance await loss.item()",
      ],
      [
        () => new nn.SequentialLR(optimizer, [a, b], []),
        RangeError,
        "Cannot make a sequence of 2 schedules with 0 milestones: expected one schedule more than milestones",
      ],
      [
        () => new nn.SequentialLR(optimizer, [a, b, a], [3, 3]),
        RangeError,
        "Cannot make a sequence with milestones [3, 3]: expected rising numbers from 1",
      ],
      [
        () => new nn.ChainedScheduler([a, new nn.ExponentialLR(sgd(), 1)]),
        RangeError,
        "Cannot combine schedules of different optimisers: schedule 1 belongs to another",
      ],
      [
        () => new nn.ChainedScheduler([]),
        RangeError,
        "Cannot chain schedules: none were given",
      ],
    ];
  for (const [run, kind, message] of cases) assertFails(run, kind, message);
});

onDevice(
  "cpu",
  "a schedule refuses a state that isn't its own, and keeps what it has",
  () => {
    const schedule = new nn.CosineAnnealingWarmRestarts(sgd(), 4);
    schedule.step();
    const own = schedule.stateDict();
    const { done: _, ...rest } = own;
    const refuse = (state: nn.ScheduleState, message: string) => {
      assertFails(() => schedule.loadStateDict(state), Error, message);
      assertEquals(schedule.stateDict(), own);
    };
    refuse(
      new nn.StepLR(sgd(), 1).stateDict(),
      "Cannot load the state of the schedule StepLR: expected that of CosineAnnealingWarmRestarts",
    );
    refuse(
      { ...own, baseLrs: [1, 2] },
      "Cannot load the state of the schedule CosineAnnealingWarmRestarts: expected the step sizes of 1 groups",
    );
    refuse(
      rest,
      "Cannot load the state of the schedule CosineAnnealingWarmRestarts: done is missing",
    );
    const optimizer = sgd();
    const parts = () => [
      new nn.StepLR(optimizer, 1),
      new nn.ExponentialLR(optimizer, 0.5),
    ];
    const chain = new nn.ChainedScheduler(parts());
    chain.step();
    const before = chain.stateDict();
    const [first] = before.schedulers as nn.ScheduleState[];
    assertFails(
      () => chain.loadStateDict({ ...before, schedulers: [first] }),
      Error,
      "Cannot load the states of 1 schedules: expected 2",
    );
    const changed = { ...first, lastEpoch: 7 };
    assertFails(
      () => chain.loadStateDict({ ...before, schedulers: [changed, first] }),
      Error,
      "Cannot load the state of the schedule StepLR: expected that of ExponentialLR",
    );
    assertEquals(chain.stateDict(), before);
  },
);
