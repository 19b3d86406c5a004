/** Optimisers: PyTorch's steps with every option, groups, saved states, clipping, errors. */
import { assert, assertEquals } from "@std/assert";
import { memory, nn, ones, scope, type Tensor, tensor } from "../../mod.ts";
import fixture from "../fixtures/optimizers.json" with { type: "json" };
import { type DeviceName, onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { assertStored, load, type Stored } from "../support/torch.ts";

type Options = Readonly<Record<string, unknown>>;

interface Case {
  readonly optimizer: string;
  readonly options: Options;
  readonly second: Options | null;
  readonly values: readonly (readonly (readonly number[])[])[];
  readonly state: readonly Readonly<Record<string, Stored>>[];
}

const CASES = fixture.cases as unknown as readonly Case[];

/** The optimiser of a case for its two parameters. */
function build(
  { optimizer, options, second }: Omit<Case, "values" | "state">,
  params: readonly Tensor[],
): nn.Optimizer {
  const groups = second
    ? [{ params: [params[0]] }, { params: [params[1]], ...second }]
    : params;
  return Reflect.construct(Reflect.get(nn, optimizer), [groups, options]);
}

/** Makes the fixture's steps `from` + 1 to `to`. */
function advance(
  optimizer: nn.Optimizer,
  params: readonly Tensor[],
  device: DeviceName,
  from: number,
  to: number,
): void {
  for (const grads of fixture.grads.slice(from, to)) {
    params.forEach((p, i) => p.grad = load(grads[i], device));
    optimizer.step();
  }
}

const parameters = (device: DeviceName) =>
  fixture.params.map((x) => load(x, device, { requiresGrad: true }));

onBothDevices(
  "optimisers make PyTorch's 20 steps with every option, and remember the same",
  async (device) => {
    const relative = device === "cpu" ? 1e-13 : 1e-5;
    for (const given of CASES) {
      const params = parameters(device);
      const optimizer = build(given, params);
      const what = `${given.optimizer} ${JSON.stringify(given.options)}`;
      let done = 0;
      for (const [k, kept] of fixture.kept.entries()) {
        advance(optimizer, params, device, done, kept);
        done = kept;
        for (const [i, p] of params.entries()) {
          const want = { shape: p.shape, values: given.values[k][i] };
          await assertStored(p, want, `${what}, step ${kept}`, relative);
        }
      }
      const { state } = optimizer.stateDict();
      for (const [i, want] of given.state.entries()) {
        const tensors = state.get(i)?.tensors;
        assertEquals(
          [...tensors?.keys() ?? []].sort(),
          Object.keys(want).sort(),
          what,
        );
        for (const [name, value] of Object.entries(want)) {
          await assertStored(
            tensors?.get(name) ?? null,
            value,
            `${what}, ${name}`,
            relative,
          );
        }
      }
      optimizer.dispose();
    }
  },
);

onBothDevices(
  "a saved state makes another optimiser go on as if nothing had been",
  async (device) => {
    for (const given of CASES) {
      const params = parameters(device);
      const optimizer = build(given, params);
      advance(optimizer, params, device, 0, 7);
      optimizer.lr = 0.03;
      const saved = optimizer.stateDict();
      assertEquals(JSON.parse(JSON.stringify(saved.paramGroups)), [
        ...saved.paramGroups,
      ]);
      const copies = params.map((p) => {
        const copy = p.detach().clone();
        copy.requiresGrad = true;
        return copy;
      });
      const other = build({ ...given, options: { lr: 1 } }, copies);
      other.loadStateDict(saved);
      assertEquals(other.lr, 0.03);
      advance(optimizer, params, device, 7, 12);
      advance(other, copies, device, 7, 12);
      for (const [i, p] of params.entries()) {
        assertEquals(await copies[i].read(), await p.read(), given.optimizer);
      }
      optimizer.dispose();
      other.dispose();
    }
  },
);

onBothDevices(
  "a state that doesn't fit is refused in one table and nothing is changed",
  async () => {
    const [a, b] = [[2, 3], [4]].map((s) => ones(s, { requiresGrad: true }));
    const optimizer = new nn.Adam([a, b], { lr: 0.5 });
    const table = (state: nn.OptimizerState, ...lines: string[]) =>
      assertFails(
        () => optimizer.loadStateDict(state),
        Error,
        `Cannot load the optimiser's state, nothing was changed:\n  ${
          lines.join("\n  ")
        }`,
      );
    const { paramGroups: [group] } = optimizer.stateDict();
    const { eps: _, ...rest } = group;
    table(
      {
        state: new Map([
          [0, { step: 1, tensors: new Map([["exp_avgs", ones([2, 3])]]) }],
          [1, {
            step: 1,
            tensors: new Map([
              ["exp_avg", ones([4])],
              ["exp_avg_sq", ones([2, 2])],
            ]),
          }],
          [5, { step: 1, tensors: new Map() }],
        ]),
        paramGroups: [{ ...rest, epsilon: 1, params: [0] }],
      },
      "mis-sized   group 0: 1 parameters given, 2 needed",
      "missing     group 0 eps",
      "unexpected  group 0 epsilon",
      "missing     state 0 exp_avg [2, 3]",
      "missing     state 0 exp_avg_sq [2, 3]",
      "unexpected  state 0 exp_avgs, did you mean exp_avg?",
      "mis-shaped  state 1 exp_avg_sq: [2, 2] given, [4] needed",
      "unexpected  state 5",
    );
    table(
      { state: new Map(), paramGroups: [group, group] },
      "mis-sized   groups: 2 given, 1 needed",
    );
    assertFails(
      () =>
        optimizer.loadStateDict({
          state: new Map(),
          paramGroups: [{ ...group, lr: -1 }],
        }),
      RangeError,
      "Cannot optimise with lr -1: expected a number of 0 or more",
    );
    assertEquals(optimizer.lr, 0.5);
    assertEquals(optimizer.stateDict().state.size, 0);
    a.grad = ones([2, 3]);
    optimizer.step();
    assertEquals(await b.array(), [1, 1, 1, 1]);
    optimizer.dispose();
  },
);

onBothDevices(
  "momentum that is switched on, and parameters that join late or pause, keep their own memory",
  async () => {
    const [a, b] = [1, 2].map((v) => tensor([v], { requiresGrad: true }));
    const optimizer = new nn.SGD([a], { lr: 1 });
    const step = (...grads: number[]) => {
      [a, b].forEach((p, i) => p.grad = grads[i] ? tensor([grads[i]]) : null);
      optimizer.step();
    };
    step(1);
    assertEquals(await a.item(), 0);
    optimizer.addParamGroup({ params: [b], lr: 0.5 });
    for (const group of optimizer.paramGroups) group.momentum = 0.5;
    step(1, 2);
    assertEquals([await a.item(), await b.item()], [-1, 1]);
    step(0, 2);
    assertEquals([await a.item(), await b.item()], [-1, -0.5]);
    step(1, 2);
    assertEquals([await a.item(), await b.item()], [-2.5, -2.25]);
    assertEquals(optimizer.lr, 1);
    optimizer.lr = 0.25;
    assertEquals(optimizer.paramGroups.map(({ lr }) => lr), [0.25, 0.25]);
    optimizer.dispose();
  },
);

onBothDevices(
  "what an optimiser remembers outlives scopes and is freed with it",
  () => {
    const p = ones([10], { requiresGrad: true });
    const optimizer = new nn.Adam([p], { amsgrad: true });
    const before = memory().bytes;
    for (let step = 0; step < 3; step++) {
      using _ = scope();
      optimizer.zeroGrad();
      p.sum().backward();
      optimizer.step();
    }
    optimizer.zeroGrad();
    assertEquals(memory().bytes - before, 3 * 64 * 4);
    optimizer.dispose();
    assertEquals(memory().bytes, before);
  },
);

onBothDevices(
  "gradients are clipped by their common norm of any type",
  async () => {
    const params = [[2], [1, 1]].map((shape) =>
      ones(shape, { requiresGrad: true })
    );
    const grads = async () => {
      const values = await Promise.all(params.map((p) => p.grad!.read()));
      return values.flatMap((v) => [...v]);
    };
    const cases: [number, number][] = [
      [2, 13],
      [1, 19],
      [3, (27 + 64 + 12 ** 3) ** (1 / 3)],
      [Infinity, 12],
    ];
    for (const [normType, want] of cases) {
      params[0].grad = tensor([3, -4]);
      params[1].grad = tensor([[12]]);
      const norm = nn.clipGradNorm(params, 6.5, { normType });
      assert(Math.abs(await norm.item() - want) < 1e-5 * want);
      const factor = 6.5 / (want + 1e-6);
      (await grads()).forEach((v, i) =>
        assert(Math.abs(v - [3, -4, 12][i] * factor) < 1e-5)
      );
    }
    const before = await grads();
    nn.clipGradNorm(params, 100);
    assertEquals(await grads(), before);
    params[0].grad = tensor([NaN, -4]);
    nn.clipGradValue(params, 2);
    assertEquals(await params[0].grad.array(), [NaN, -2]);
    params.forEach((p) => p.grad = null);
    assertEquals(await nn.clipGradNorm(params, 1).item(), 0);
  },
);

onBothDevices("optimisers and clipping refuse what they can't do", () => {
  const p = ones([2], { requiresGrad: true });
  const q = ones([2], { requiresGrad: true });
  const cases: [() => unknown, string][] = [
    [
      () => new nn.SGD([], { lr: 1 }),
      "Cannot optimise: no parameters were given",
    ],
    [
      () => new nn.SGD([p, ones([1])], { lr: 1 }),
      "Cannot optimise parameter 1: it does not require gradients",
    ],
    [
      () => new nn.Adam([{ params: [p, q] }, { params: [p] }]),
      "Cannot optimise parameter 2: it is there already",
    ],
    [
      () => new nn.Adam([{ params: [p] }, { params: [q], lr: NaN }]),
      "Cannot optimise with lr NaN: expected a number of 0 or more",
    ],
    [
      () => new nn.SGD([p], { lr: 1, momentum: -0.1 }),
      "Cannot optimise with momentum -0.1: expected a number of 0 or more",
    ],
    [
      () =>
        new nn.SGD([p], { lr: 1, momentum: 0.1, dampening: 1, nesterov: true }),
      "Cannot use Nesterov's step with momentum 0.1 and dampening 1: expected a positive momentum and no dampening",
    ],
    [
      () => new nn.AdamW([p], { betas: [0.9, 1] }),
      "Cannot average with betas 0.9 and 1: expected numbers from 0 to below 1",
    ],
    [
      () => new nn.Adam([p], { eps: -1 }),
      "Cannot optimise with eps -1: expected a number of 0 or more",
    ],
    [
      () => new nn.RMSprop([p], { alpha: -1 }),
      "Cannot optimise with alpha -1: expected a number of 0 or more",
    ],
    [
      () => new nn.Adagrad([p], { lrDecay: -1 }),
      "Cannot optimise with lrDecay -1: expected a number of 0 or more",
    ],
    [
      () => nn.clipGradNorm([p], -1),
      "Cannot clip gradients to -1: expected a number of 0 or more",
    ],
    [
      () => nn.clipGradNorm([p], 1, { normType: 0 }),
      "Cannot clip by the norm of type 0: expected a number above 0",
    ],
    [
      () => nn.clipGradValue([p], NaN),
      "Cannot clip gradients to NaN: expected a number of 0 or more",
    ],
  ];
  for (const [run, message] of cases) assertFails(run, RangeError, message);
  assertFails(
    () => new nn.Adam([p, { params: [q] }] as unknown as Tensor[]),
    TypeError,
    "Cannot optimise a mixture of parameters and groups: expected one or the other",
  );
});
