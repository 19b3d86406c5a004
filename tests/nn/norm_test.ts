/** Normalisation layers: PyTorch's values, gradients and running statistics; state, errors and edges. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { nn, ones, type Tensor, tensor, zeros } from "../../mod.ts";
import fixture from "../fixtures/norm.json" with { type: "json" };
import { onBothDevices } from "../support/devices.ts";
import { host } from "../support/plan.ts";
import { assertClose } from "../support/tolerance.ts";

/** A tensor as the fixture lists it. */
interface Listed {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** A forward and backward pass of the fixture. */
interface Pass {
  readonly x: Listed;
  readonly dy: Listed;
  readonly y: Listed;
  readonly dx: Listed;
  readonly grads: Readonly<Record<string, Listed>>;
}

/** A layer of the fixture. */
interface Layer {
  readonly layer: string;
  readonly arguments: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, Listed>>;
}

function tensorOf(
  { shape, values }: Listed,
  requiresGrad = false,
): Tensor {
  return tensor(Float32Array.from(values), { shape, requiresGrad });
}

async function expectListed(got: Tensor, want: Listed, what: string) {
  const values = await got.read();
  // Sums of some thirty terms over variances around 1.
  assertClose(
    host(values, got.shape),
    host(want.values, want.shape),
    64,
    what,
  );
}

/** The layer that a fixture describes, with its parameters. */
function build(given: Layer): nn.Module {
  const Class = Reflect.get(nn, given.layer);
  const module: nn.Module = Reflect.construct(Class, [
    ...given.arguments,
    given.options,
  ]);
  const state = Object.entries(given.parameters)
    .map(([name, value]): [string, Tensor] => [name, tensorOf(value)]);
  module.loadStateDict(new Map(state), { strict: false });
  return module;
}

async function expectPass(module: nn.Module, pass: Pass, what: string) {
  module.zeroGrad();
  const x = tensorOf(pass.x, true);
  const y = module(x);
  y.backward(tensorOf(pass.dy));
  await expectListed(y, pass.y, `${what} y`);
  assert(x.grad);
  await expectListed(x.grad, pass.dx, `${what} dx`);
  for (const [name, p] of module.namedParameters()) {
    assert(p.grad);
    await expectListed(p.grad, pass.grads[name], `${what} ${name}`);
  }
}

onBothDevices(
  "layer, group, instance and local response norm give PyTorch's values and gradients",
  async () => {
    for (const given of fixture.layers as unknown as (Layer & Pass)[]) {
      const module = build(given);
      await expectPass(module, given, given.layer);
      module.dispose();
    }
  },
);

onBothDevices(
  "batch norm gives PyTorch's values, gradients and running statistics over three steps, then in evaluation",
  async () => {
    for (const given of fixture.batches) {
      const module = build(given as unknown as Layer);
      const what = given.layer;
      for (const step of given.steps as unknown as Pass[]) {
        await expectPass(module, step, `${what} in training`);
      }
      const buffers = [...module.namedBuffers()];
      assertEquals(
        buffers.map(([name]) => name).sort(),
        Object.keys(given.state).sort(),
      );
      const state = given.state as Partial<Record<string, Listed>>;
      for (const [name, value] of buffers) {
        const want = state[name];
        assert(want);
        await expectListed(value.to("f32"), want, `${what} ${name}`);
      }
      module.eval();
      await expectPass(
        module,
        given.evaluated as unknown as Pass,
        `${what} in evaluation`,
      );
      module.dispose();
    }
  },
);

onBothDevices(
  "RMS norm divides by the root of the mean square, with a weight for each element",
  async () => {
    const norm = new nn.RMSNorm([2], { eps: 0 });
    norm.weight?.assign(tensor([1, 10]));
    const y = norm(tensor([[3, 4], [-6, 8]]));
    const [a, b] = [3, 4].map((v) => v / Math.sqrt(12.5));
    await expectListed(y, {
      shape: [2, 2],
      values: [a, 10 * b, -a, 10 * b],
    }, "RMS norm");
    norm.dispose();
  },
);

onBothDevices(
  "the state of a batch norm has PyTorch's names and survives a load",
  async () => {
    const norm = new nn.BatchNorm2d(2);
    assertEquals([...norm.stateDict().keys()], [
      "weight",
      "bias",
      "running_mean",
      "running_var",
      "num_batches_tracked",
    ]);
    for (let i = 0; i < 3; i++) norm(ones([1, 2, 2, 1]));
    const copy = new nn.BatchNorm2d(2);
    copy(ones([1, 2, 2, 1]));
    copy.loadStateDict(norm.stateDict());
    copy(ones([1, 2, 2, 1]));
    assertEquals(await copy.num_batches_tracked?.array(), 4);
    assertEquals(await norm.num_batches_tracked?.array(), 3);
    norm.dispose();
    copy.dispose();
  },
);

onBothDevices(
  "an empty batch passes and leaves the running statistics alone",
  async () => {
    const norm = new nn.BatchNorm2d(2);
    assertEquals(norm(zeros([0, 2, 3, 3])).shape, [0, 2, 3, 3]);
    assertEquals(await norm.running_mean?.array(), [0, 0]);
    assertEquals(await norm.num_batches_tracked?.array(), 0);
    norm.dispose();
    const others = [
      new nn.LayerNorm(3),
      new nn.GroupNorm(1, 2),
      new nn.InstanceNorm2d(2),
      new nn.RMSNorm(3),
      new nn.LocalResponseNorm(5),
    ];
    for (const module of others) {
      assertEquals(module(zeros([0, 2, 3, 3])).shape, [0, 2, 3, 3]);
      module.dispose();
    }
  },
);

onBothDevices("normalising what doesn't fit is refused with what would", () => {
  const modules: [nn.Module, number[], string][] = [
    [
      new nn.BatchNorm2d(3),
      [1, 3, 1, 1],
      "Cannot apply batch norm to [1, 3, 1, 1] in training: each channel has one value, expected more (a larger batch, or eval())",
    ],
    [
      new nn.BatchNorm2d(3),
      [1, 3, 2],
      "Cannot normalise [1, 3, 2]: expected [N, 3, H, W]",
    ],
    [
      new nn.BatchNorm1d(3),
      [2, 4],
      "Cannot normalise [2, 4]: expected [N, 3] or [N, 3, L]",
    ],
    [
      new nn.LayerNorm([2, 3]),
      [3, 2],
      "Cannot apply layer norm over [2, 3] to [3, 2]: expected [..., 2, 3]",
    ],
    [
      new nn.GroupNorm(2, 4),
      [1, 3, 2],
      "Cannot apply group norm of 2 groups to [1, 3, 2]: expected a number of channels that 2 divides",
    ],
    [
      new nn.InstanceNorm2d(2),
      [1, 2, 1, 1],
      "Cannot apply instance norm to [1, 2, 1, 1]: each plane has one value, expected more",
    ],
    [
      new nn.InstanceNorm2d(2),
      [1, 3, 2, 2],
      "Cannot normalise [1, 3, 2, 2]: expected [N, 2, H, W]",
    ],
    [
      new nn.LocalResponseNorm(0),
      [1, 2],
      "Cannot normalise over 0 channels: expected a positive integer",
    ],
  ];
  for (const [module, shape, message] of modules) {
    const error = assertThrows(() => module(ones(shape)));
    assert(error instanceof Error);
    assertEquals(
      error.message,
      `${message}, in ${module.constructor.name}(${module.describe()})`,
    );
    module.dispose();
  }
  assertEquals(
    assertThrows(() => new nn.GroupNorm(2, 3), RangeError).message,
    "Cannot make a group norm of 3 channels in 2 groups: expected a multiple of 2",
  );
  assertEquals(
    assertThrows(() => nn.batchNorm(ones([2, 2]), null, null)).message,
    "Cannot apply batch norm to [2, 2] in evaluation: there are no running statistics",
  );
});

onBothDevices("normalisation layers print what they were made with", () => {
  const norm = new nn.BatchNorm2d(8, { momentum: null });
  const net = new nn.Sequential(
    norm,
    new nn.LayerNorm([2, 3], { bias: false }),
    new nn.GroupNorm(2, 4),
    new nn.InstanceNorm2d(4),
    new nn.RMSNorm(6),
    new nn.LocalResponseNorm(5),
  );
  assertEquals(
    String(net),
    `Sequential(
  (0): BatchNorm2d(8, eps=0.00001, momentum=null, affine=true, trackRunningStats=true)
  (1): LayerNorm([2,3], eps=0.00001, elementwiseAffine=true)
  (2): GroupNorm(2, 4, eps=0.00001, affine=true)
  (3): InstanceNorm2d(4, eps=0.00001, affine=false)
  (4): RMSNorm([6], eps=auto, elementwiseAffine=true)
  (5): LocalResponseNorm(5, alpha=0.0001, beta=0.75, k=1)
)`,
  );
  net.dispose();
});
