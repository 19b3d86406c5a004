import { assertEquals } from "@std/assert";
import {
  AutogradError,
  grad,
  gradients,
  noGrad,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { sgdStep } from "../../wgsl/optim/sgd.ts";
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

/** A leaf. */
function leaf(values: Parameters<typeof tensor>[0]): Tensor {
  return tensor(values, { requiresGrad: true });
}

/** Sets grad to null, behind the type checker's back, which would take it for null ever after. */
function clear(x: Tensor): void {
  x.grad = null;
}

onBothDevices(
  "backward gives each leaf the derivative of the loss",
  async () => {
    const w = leaf([[1, 2], [3, 4]]);
    const x = tensor([[1], [-1]]);
    const b = leaf([0.5, 1]);
    // loss = Σ (w·x + b)², d/dw = 2·(w·x + b)·xᵀ, d/db = 2·(w·x + b)
    const y = w.matmul(x).squeeze(1).add(b);
    assertEquals(await y.array(), [-0.5, 0]);
    y.square().sum().backward();
    assertEquals(await w.grad?.array(), [[-1, 1], [0, 0]]);
    assertEquals(await b.grad?.array(), [-1, 0]);
    assertEquals(x.grad, null);
  },
);

onBothDevices(
  "a value that is used twice gets the sum of both gradients",
  async () => {
    const x = leaf([2, 3]);
    const y = x.mul(x);
    y.add(y).mul(x).sum().backward();
    assertEquals(await x.grad?.array(), [6 * 4, 6 * 9]);
  },
);

onBothDevices("gradients add up in grad until it is cleared", async () => {
  const x = leaf([1, 2]);
  x.square().sum().backward();
  assertEquals(await x.grad?.array(), [2, 4]);
  const held = x.grad;
  x.mul(3).sum().backward();
  assertEquals(await x.grad?.array(), [5, 7]);
  // It is the same tensor, so that whoever holds it sees the sum.
  assertEquals(x.grad, held);
  assertEquals(await held?.array(), [5, 7]);
  clear(x);
  assertEquals([x.grad, held?.disposed], [null, true]);
  x.mul(3).sum().backward();
  assertEquals(await x.grad?.array(), [3, 3]);
});

onBothDevices(
  "a leaf that is saved for backward keeps what its grad has added up",
  async () => {
    const w = leaf([1, 2]);
    for (let i = 0; i < 3; i++) w.mul(w).sum().backward();
    assertEquals(await w.grad?.array(), [6, 12]);
    w.alias().dispose();
    w.to("f32").dispose();
    w.contiguous().dispose();
    assertEquals(await w.grad?.array(), [6, 12]);
  },
);

onBothDevices("grad shares its memory with nothing", async () => {
  const [x, y] = [leaf([1, 2]), leaf([3, 4])];
  const start = tensor([1, 1]);
  x.add(y).backward(start);
  apply(sgdStep(1), [x.grad!, ones([2])], { lr: 1, weightDecay: 0 });
  assertEquals(await x.grad?.array(), [0, 0]);
  assertEquals(await y.grad?.array(), [1, 1]);
  assertEquals(await start.array(), [1, 1]);
});

onBothDevices(
  "grad can be set to a tensor of the leaf's shape and dtype",
  async () => {
    const x = leaf([1, 2]);
    x.grad = tensor([5, 5]);
    x.sum().backward();
    assertEquals(await x.grad?.array(), [6, 6]);
    assertFails(
      () => x.grad = zeros([3]),
      ShapeError,
      "Cannot set grad of the f32[2] tensor to one of f32[3]: expected the same shape and dtype",
    );
    assertFails(
      () => x.grad = zeros([2], { dtype: "f16" }),
      ShapeError,
      "Cannot set grad of the f32[2] tensor to one of f16[2]: expected the same shape and dtype",
    );
    assertFails(
      () => x.mul(2).grad = zeros([2]),
      AutogradError,
      "Cannot set grad of a tensor that isn't a leaf: only of one that was made with requiresGrad",
    );
  },
);

onBothDevices(
  "requiresGrad spreads from leaves through calls, to floats only",
  () => {
    const x = leaf([1, 2]);
    const c = tensor([1, 2]);
    assertEquals(x.mul(c).requiresGrad, true);
    assertEquals(x.transpose(0, 0).requiresGrad, true);
    assertEquals(c.mul(2).requiresGrad, false);
    assertEquals(x.gt(1).requiresGrad, false);
    assertEquals(x.argmax().requiresGrad, false);
    assertEquals(x.to("i32").requiresGrad, false);
    assertEquals(x.detach().requiresGrad, false);
    x.requiresGrad = false;
    assertEquals(x.mul(c).requiresGrad, false);
    assertEquals(x.grad, null);
  },
);

onBothDevices(
  "only float leaves can require gradients, and results can't be changed",
  () => {
    assertFails(
      () => tensor([1], { dtype: "i32", requiresGrad: true }),
      AutogradError,
      "Cannot require gradients of i32 values: only floating-point ones have them",
    );
    assertFails(
      () => tensor([true]).requiresGrad = true,
      AutogradError,
      "Cannot require gradients of bool values: only floating-point ones have them",
    );
    const y = leaf([1]).mul(2);
    assertFails(
      () => y.requiresGrad = false,
      AutogradError,
      "Cannot change requiresGrad of a computed tensor: only of one that was made directly, use detach()",
    );
    const z = y.detach();
    z.requiresGrad = true;
    assertEquals([y.requiresGrad, z.requiresGrad], [true, true]);
  },
);

onBothDevices("detach cuts the graph", async () => {
  const x = leaf([3]);
  const y = x.mul(x.detach());
  y.backward();
  assertEquals(await x.grad?.array(), [3]);
});

onBothDevices(
  "backward of a tensor with several elements needs a gradient of its shape",
  async () => {
    const x = leaf([1, 2]);
    const y = x.square();
    assertFails(
      () => y.backward(),
      AutogradError,
      "Cannot run backward on a tensor of shape [2] without a gradient: only a scalar has an obvious one, reduce it with sum() or mean(), or pass a gradient of that shape",
    );
    assertFails(
      () => y.backward(ones([2, 1])),
      ShapeError,
      "Cannot run backward on a tensor of shape [2] with a gradient of shape [2, 1]: expected the same shape",
    );
    assertFails(
      () => tensor([1]).backward(),
      AutogradError,
      "Cannot run backward: this tensor doesn't depend on any that requires gradients",
    );
    y.backward(tensor([1, 10]));
    assertEquals(await x.grad?.array(), [2, 40]);
    leaf([[5]]).square().backward();
  },
);

onBothDevices("backward on a leaf itself gives it the gradient", async () => {
  const x = leaf([1, 2]);
  const start = tensor([3, 4]);
  x.backward(start);
  assertEquals(await x.grad?.array(), [3, 4]);
  assertEquals(x.grad === start, false);
});

onBothDevices("gradients pass through changes of dtype", async () => {
  const x = leaf([1, 2]);
  const y = x.to("f16").mul(2);
  assertEquals(y.dtype, "f16");
  y.sum().backward();
  assertEquals(x.grad?.dtype, "f32");
  assertEquals(await x.grad?.array(), [2, 2]);
  const half = tensor([1, 2], { dtype: "f16", requiresGrad: true });
  half.mul(tensor([3, 4])).sum().backward();
  assertEquals(half.grad?.dtype, "f16");
  assertEquals(await half.grad?.array(), [3, 4]);
});

onBothDevices("a gradient of another dtype is converted", async () => {
  const x = leaf([1, 2]);
  x.mul(2).backward(tensor([1, 1], { dtype: "f16" }));
  assertEquals(x.grad?.dtype, "f32");
  assertEquals(await x.grad?.array(), [2, 2]);
});

onBothDevices(
  "noGrad stops recording for a function, a promise or a block",
  async () => {
    const x = leaf([1]);
    assertEquals(noGrad(() => x.mul(2)).requiresGrad, false);
    assertEquals(x.mul(2).requiresGrad, true);
    const pending = noGrad(async () => {
      await Promise.resolve();
      return x.mul(2);
    });
    assertEquals((await pending).requiresGrad, false);
    assertEquals(x.mul(2).requiresGrad, true);
    {
      using off = noGrad();
      assertEquals(x.mul(2).requiresGrad, false);
      noGrad(() => {});
      assertEquals(x.mul(2).requiresGrad, false);
      off[Symbol.dispose]();
      assertEquals(x.mul(2).requiresGrad, true);
    }
    assertEquals(x.mul(2).requiresGrad, true);
    assertFails(
      () =>
        noGrad(() => {
          throw new Error("on purpose");
        }),
      Error,
      "on purpose",
    );
    assertEquals(x.mul(2).requiresGrad, true);
  },
);

onBothDevices("promises under noGrad may end in any order", async () => {
  const x = leaf([1]);
  const finish: (() => void)[] = [];
  const wait = () => new Promise<void>((done) => finish.push(done));
  const [first, second] = [noGrad(wait), noGrad(wait)];
  finish[0]();
  await first;
  assertEquals(x.mul(2).requiresGrad, false);
  finish[1]();
  await second;
  assertEquals(x.mul(2).requiresGrad, true);
});

onBothDevices(
  "leaves that require gradients can be made under noGrad, and backward runs there",
  async () => {
    const x = leaf([2]);
    const y = x.square();
    noGrad(() => y.backward());
    assertEquals(await x.grad?.array(), [4]);
    assertEquals(noGrad(() => leaf([1])).requiresGrad, true);
  },
);

onBothDevices(
  "gradients gives those of any tensor in the graph, and leaves grad alone",
  async () => {
    const x = leaf([1, 2]);
    const y = x.square();
    const z = y.mul(y).sum();
    const [dx, dy] = gradients(z, [x, y]);
    assertEquals(await dx.array(), [4, 32]);
    assertEquals(await dy.array(), [2, 8]);
    assertEquals([x.grad, y.grad], [null, null]);
    const w = x.mul(3);
    assertEquals(
      await gradients(w, [x, w], { gradient: tensor([1, 2]) })[0].array(),
      [3, 6],
    );
    assertEquals(await gradients(y.sum(), [y])[0].array(), [1, 1]);
  },
);

onBothDevices("gradients refuses what isn't connected", () => {
  const [x, y] = [leaf([1, 2]), leaf([1, 2])];
  assertFails(
    () => gradients(x.sum(), [y]),
    AutogradError,
    "Cannot compute gradients: the output doesn't depend on input 0",
  );
  assertFails(
    () => gradients(x.sum(), [tensor([1])]),
    AutogradError,
    "Cannot compute gradients: the output and every input must require gradients",
  );
  assertFails(
    () => gradients(x, [x]),
    AutogradError,
    "Cannot compute gradients of a tensor of shape [2] without a gradient: only a scalar has an obvious one, reduce it with sum() or mean(), or pass a gradient of that shape",
  );
  assertFails(
    () => gradients(x, [x], { gradient: ones([3]) }),
    ShapeError,
    "Cannot compute gradients of a tensor of shape [2] with a gradient of shape [3]: expected the same shape",
  );
});

onBothDevices(
  "grad(f) is the derivative of f, and can be taken again",
  async () => {
    const cube = (x: Tensor) => x.pow(3).sum();
    const x = tensor([2, -1]);
    assertEquals(await grad(cube)(x).array(), [12, 3]);
    const second = grad((y) => grad(cube)(y).sum());
    assertEquals(await second(x).array(), [12, -6]);
    const third = grad((y: Tensor) => second(y).sum());
    assertEquals(await third(x).array(), [6, 6]);
    assertEquals(x.requiresGrad, false);
    const power = (x: Tensor, n: number) => x.pow(n).sum();
    assertEquals(await grad(power)(x, 2).array(), [4, -2]);
  },
);

onBothDevices(
  "grad tells its argument from the same tensor used otherwise",
  async () => {
    const x = tensor([3]);
    // d/dy [ d/dz (z·y) at z = y ] = d/dy y = 1
    const f = (y: Tensor) => grad((z: Tensor) => z.mul(y).sum())(y).sum();
    assertEquals(await grad(f)(x).array(), [1]);
  },
);
