import { assertEquals, assertRejects } from "@std/assert";
import { AnomalyError, nn, ones, type Tensor, tensor } from "../../mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";

/** The logarithm of what a layer gives, which is NaN for negative values. */
class Log extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.log();
  }
}

async function anomalyOf(body: () => unknown): Promise<AnomalyError> {
  return await assertRejects(
    async () => void await nn.detectAnomaly(body),
    AnomalyError,
  );
}

onBothDevices(
  "detectAnomaly names the first op that gives NaN, and its layer",
  async () => {
    const net = new nn.Sequential(
      new nn.Flatten(),
      new nn.Sequential(new nn.Linear(2, 2, { bias: false }), new Log()),
      new nn.ReLU(),
    );
    for (const p of net.parameters()) p.assign(tensor([[-1, -1], [1, 1]]));
    const error = await anomalyOf(() => net(ones([1, 2])));
    assertEquals(
      error.message,
      "Cannot trust the result: the first value that isn't finite is NaN, log in 1.1 (Log) gave it",
    );
    assertEquals([error.op, error.path], ["log", "1.1 (Log)"]);
    net.dispose();
  },
);

onBothDevices(
  "detectAnomaly names the op whose gradient isn't finite, and its layer",
  async () => {
    class Root extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.sqrt();
      }
    }
    const net = new nn.Sequential(new nn.Identity(), new Root());
    const x = tensor([4, 0], { requiresGrad: true });
    const error = await anomalyOf(() => net(x).sum().backward());
    assertEquals(error.gradientOf, "sqrt in 1 (Root)");
    assertEquals(
      error.message,
      `Cannot trust the result: the first value that isn't finite is infinity, ${error.op} in the gradient of sqrt in 1 (Root) gave it`,
    );
  },
);

onBothDevices(
  "detectAnomaly says where a value came from outside",
  async () => {
    const x = tensor([1, NaN]);
    const error = await anomalyOf(() => x.neg().exp());
    assertEquals(
      error.message,
      "Cannot trust the result: the first value that isn't finite is NaN, operand 0 of neg had it before",
    );
    assertEquals([error.op, error.operand], ["neg", 0]);
  },
);

onDevice(
  "webgpu",
  "detectAnomaly sees what an optimiser's step does to a parameter",
  async () => {
    const w = tensor([1], { requiresGrad: true });
    const optimizer = new nn.SGD([w], { lr: 1e30 });
    const error = await anomalyOf(() => {
      w.mul(1e30).backward();
      optimizer.step();
      w.mul(1);
    });
    assertEquals(error.gradientOf, undefined);
    assertEquals(/sgd|momentum|step/i.test(error.op ?? ""), true, error.op);
  },
);

onBothDevices(
  "detectAnomaly returns what its body does, and passes errors on",
  async () => {
    const y = await nn.detectAnomaly(async () => {
      const doubled = ones([2]).mul(2);
      await doubled.read();
      return doubled.add(1);
    });
    assertEquals(await y.array(), [3, 3]);
    await assertRejects(
      () =>
        nn.detectAnomaly(() => {
          throw new TypeError("mine");
        }),
      TypeError,
      "mine",
    );
  },
);
