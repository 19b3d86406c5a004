import { assertEquals } from "@std/assert";
import {
  AutogradError,
  gradients,
  nn,
  ones,
  scope,
  type Tensor,
  tensor,
} from "../../mod.ts";
import { apply } from "../../core/tensor.ts";
import { copy } from "../../wgsl/move/copy.ts";
import type { Gradient, Op } from "../../wgsl/op.ts";
import { sgdStep } from "../../wgsl/optim/sgd.ts";
import { liveMemory, onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

const SECOND = (title: string) =>
  `Cannot run backward through ${title} a second time: what it saved was freed by the first, pass { retainGraph: true } to that`;

/** A leaf. */
function leaf(values: Parameters<typeof tensor>[0]): Tensor {
  return tensor(values, { requiresGrad: true });
}

/** A copy with a rule of its own for its gradient. */
function copyWith(
  rule: Gradient<{ dtype: "f32" }>["rule"],
): (x: Tensor) => Tensor {
  const op: Op<{ dtype: "f32" }> = { ...copy, gradient: { rule } };
  return (x) => apply(op, [x], { dtype: "f32" })[0];
}

onBothDevices(
  "a second backward is an error that names the op, and changes nothing",
  async () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    y.backward();
    assertFails(() => y.backward(), AutogradError, SECOND("sum"));
    assertEquals(await x.grad?.array(), [2, 4]);
  },
);

onBothDevices(
  "a second backward through a part of the graph is found before anything is freed",
  async () => {
    const x = leaf([1, 2]);
    const shared = x.square();
    const first = shared.sum();
    const second = shared.exp().mean();
    first.backward();
    const before = liveMemory();
    assertFails(() => second.backward(), AutogradError, SECOND("square"));
    assertEquals(liveMemory(), before);
    assertEquals(await x.grad?.array(), [2, 4]);
  },
);

onBothDevices("errors of backward name the layer", () => {
  class Net extends nn.Module {
    readonly fc = new nn.Linear(2, 1);
    override forward(x: Tensor): Tensor {
      return this.fc(x);
    }
  }
  const net = new Net();
  const y = net(ones([1, 2]));
  y.backward();
  assertFails(
    () => y.backward(),
    AutogradError,
    SECOND("matmul in fc (Linear)"),
  );
  net.dispose();
});

onBothDevices(
  "with retainGraph backward can run again, and the last one frees",
  async () => {
    const x = leaf([1, 2]);
    const { buffers } = liveMemory();
    {
      using _ = scope();
      const y = x.square().exp().log().sum();
      y.backward(undefined, { retainGraph: true });
      y.backward(undefined, { retainGraph: true });
      y.backward();
      assertEquals(await x.grad?.array(), await tensor([6, 12]).array());
      assertFails(() => y.backward(), AutogradError, SECOND("sum"));
    }
    assertEquals(liveMemory().buffers, buffers + 1);
  },
);

onBothDevices(
  "createGraph records the gradients, so that they can be differentiated",
  async () => {
    const x = leaf([2]);
    const y = x.pow(3).sum();
    y.backward(undefined, { createGraph: true });
    const first = x.grad!;
    assertEquals([await first.array(), first.requiresGrad], [[12], true]);
    const [second] = gradients(first.sum(), [x], { createGraph: true });
    assertEquals(await second.array(), [12]);
    const [third] = gradients(second.sum(), [x]);
    assertEquals(await third.array(), [6]);
    x.grad = null;
  },
);

onBothDevices("the norm of a gradient can be a part of the loss", async () => {
  // loss = f² + |∇f|² with f = w·x² at x = 3: d/dw = 2·w·x⁴ + 2·w·(2x)².
  const [w, x] = [leaf([2]), leaf([3])];
  const f = w.mul(x.square()).sum();
  const [slope] = gradients(f, [x], { createGraph: true });
  f.square().add(slope.square().sum()).backward();
  assertEquals(await w.grad?.array(), [2 * 2 * 81 + 2 * 2 * 36]);
});

onBothDevices(
  "a graph holds what it needs until backward, and no longer",
  () => {
    const x = leaf(new Float32Array(100));
    const before = liveMemory().bytes;
    {
      using s = scope();
      const y = s.keep(x.exp().sin().sum());
      // Kept for backward: the inputs of sin. Its own results are gone.
      s.dispose();
      assertEquals(liveMemory().bytes - before, 400 + 4);
      y.backward();
      assertEquals(liveMemory().bytes - before, 400 + 4);
      x.grad = null;
      assertEquals(liveMemory().bytes - before, 4);
      y.dispose();
    }
    assertEquals(liveMemory().bytes, before);
  },
);

onBothDevices(
  "a graph that nothing reaches any more frees what it held",
  () => {
    const x = leaf(new Float32Array(100));
    const before = liveMemory();
    using s = scope();
    const y = x.exp().sin();
    const [a, b] = s.keep([y.sum(), y.sum(0)]);
    s.dispose();
    a.dispose();
    assertEquals(liveMemory().bytes, before.bytes + 400 + 4);
    b.dispose();
    assertEquals(liveMemory(), before);
  },
);

onBothDevices("disposing of the loss without backward frees the graph", () => {
  const x = leaf(new Float32Array(100));
  const before = liveMemory();
  {
    using s = scope();
    const loss = s.keep(x.exp().sin().softmax(0).max().tanh());
    s.dispose();
    assertEquals(liveMemory().buffers > before.buffers + 2, true);
    loss.dispose();
  }
  assertEquals(liveMemory(), before);
});

onBothDevices("a long graph is freed without running out of stack", () => {
  const x = leaf([1]);
  const before = liveMemory();
  {
    using s = scope();
    let y = x.exp();
    for (let i = 0; i < 5000; i++) {
      const next = y.mul(1);
      y.dispose();
      y = next;
    }
    s.keep(y).dispose();
  }
  assertEquals(liveMemory(), before);
});

onBothDevices(
  "a value that was changed in place after it was saved is an error, found before anything changes",
  async () => {
    const w = leaf([1, 2]);
    const other = leaf([3, 4]);
    const y = w.mul(other).sum();
    apply(sgdStep(1), [w, ones([2])], { lr: 1, weightDecay: 0 });
    assertFails(
      () => y.backward(),
      AutogradError,
      "Cannot run backward: the f32[2] tensor made by tensor, which the gradient of mul needs, has been changed in place since",
    );
    assertEquals([w.grad, other.grad], [null, null]);
    const z = w.mul(other).sum();
    w.assign(tensor([5, 6]));
    assertFails(
      () => z.backward(),
      AutogradError,
      "Cannot run backward: the f32[2] tensor made by tensor, which the gradient of mul needs, has been changed in place since",
    );
    // What doesn't need the value isn't disturbed.
    const sum = w.add(other).sum();
    w.assign(tensor([7, 8]));
    sum.backward();
    assertEquals(await w.grad?.array(), [1, 1]);
  },
);

onBothDevices(
  "a rule that throws leaves every grad as it was, and no memory behind",
  async () => {
    const [x, y] = [leaf([1, 2]), leaf([3, 4])];
    y.sum().backward();
    const broken = copyWith(({ grads: [dy] }) => {
      dy!.mul(2);
      throw new RangeError("on purpose");
    });
    const before = liveMemory();
    {
      using _ = scope();
      const loss = broken(x.square()).mul(y.exp()).sum();
      assertFails(() => loss.backward(), RangeError, "on purpose");
    }
    assertEquals(liveMemory(), before);
    assertEquals([x.grad, await y.grad?.array()], [null, [1, 1]]);
    // And the next backward works.
    x.square().sum().backward();
    assertEquals(await x.grad?.array(), [2, 4]);
  },
);

onBothDevices(
  "a rule whose gradient has another shape than the input is named",
  () => {
    const x = leaf([1, 2]);
    const wrong = copyWith(({ grads: [dy] }) => [dy && dy.sum()]);
    assertFails(
      () => wrong(x).sum().backward(),
      AutogradError,
      "Cannot use the gradient of copy for input 0: its shape is [], the input's [2]",
    );
    assertEquals(x.grad, null);
  },
);

onBothDevices("a rule is asked only for what is needed", () => {
  const asked: (readonly boolean[])[] = [];
  const op: Op<Record<string, never>> = {
    name: "first",
    infer: ([x]) => [x],
    variants: copy.variants as never,
    reference: ([x], [y]) => y.data.set(x.data),
    gradient: {
      rule({ grads: [dy], needs }) {
        asked.push(needs);
        return [dy, dy];
      },
    },
  };
  const first = (a: Tensor, b: Tensor) => apply(op, [a, b], {})[0];
  const [x, y] = [leaf([1]), leaf([2])];
  const c = tensor([3]);
  first(x, y).sum().backward();
  first(x, c).sum().backward();
  first(c, y).sum().backward();
  gradients(first(x, y).sum(), [y]);
  gradients(first(x.mul(2), first(x, y)).sum(), [y]);
  assertEquals(asked, [
    [true, true],
    [true, false],
    [false, true],
    [false, true],
    [false, true],
    [false, true],
  ]);
});

onBothDevices(
  "branches that don't lead to the targets are left alone",
  async () => {
    const [x, y] = [leaf([1, 2]), leaf([3, 4])];
    const a = x.square();
    const b = y.square();
    const sum = a.add(b).sum();
    const [dx] = gradients(sum, [x]);
    assertEquals(await dx.array(), [2, 4]);
    // b's part of the graph wasn't used up.
    b.sum().backward();
    assertEquals(await y.grad?.array(), [6, 8]);
  },
);
