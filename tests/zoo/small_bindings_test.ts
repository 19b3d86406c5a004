/** A network on a device whose bindings hold 1 MiB: weights and maps larger than that go through in windows. */
import { assert, assertEquals } from "@std/assert";
import { init, nn, scope, tensor, zoo } from "../../mod.ts";

const MIB = 2 ** 20;

/** Most bytes that were bound at once. */
let most = 0;

/** Makes every device that is opened from now on state bindings of 1 MiB, and counts what is bound. A device can't be asked for less than WebGPU's default. */
function limitBindings(): void {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    const limits = new Proxy(device.limits, {
      get: (target, name: keyof GPUSupportedLimits) =>
        name === "maxStorageBufferBindingSize" ? MIB : target[name],
    });
    Object.defineProperty(device, "limits", { value: limits });
    const createBindGroup = device.createBindGroup.bind(device);
    device.createBindGroup = (group) => {
      for (const { resource } of group.entries) {
        if (!("buffer" in resource)) continue;
        const { buffer, offset = 0, size } = resource;
        most = Math.max(most, size ?? buffer.size - offset);
      }
      return createBindGroup(group);
    };
    return device;
  };
}

/** A VGG block, whose maps of 1.5 MiB and weights of 4.1 MiB exceed the bindings. */
function network(): nn.Module {
  return new nn.Sequential(
    zoo.vggBlock(2, 1, 8),
    new nn.Flatten(),
    new nn.Linear(8 * 64 * 64 / 4, 132),
    new nn.ReLU(),
    new nn.Linear(132, 3),
  );
}

/** Logits and gradients of a step on 12 pictures of 64×64. */
async function step(
  state: ReadonlyMap<string, readonly number[]>,
): Promise<number[][]> {
  using _ = scope();
  const net = nn.init.skipInit(network);
  const own = net.stateDict();
  for (const [name, values] of state) {
    const target = own.get(name)!;
    target.assign(tensor(values.slice(), { shape: target.shape }));
  }
  const x = tensor(noise(12 * 64 * 64, 1), { shape: [12, 1, 64, 64] });
  const labels = Int32Array.from({ length: 12 }, (_, i) => i % 3);
  const logits = net(x);
  nn.crossEntropy(logits, tensor(labels)).backward();
  const grads = net.parameters().map(({ grad }) => grad!);
  return await Promise.all(
    [logits.detach(), ...grads].map(async (y) =>
      Array.from(await y.read(), Number)
    ),
  );
}

/** Values around 0, the same each time. */
function noise(size: number, scale: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: size },
    (_, i) => scale * (((i * 7919 + 13) % 1009) / 504.5 - 1),
  );
}

Deno.test("a network whose weights and maps exceed a binding of 1 MiB computes what the references do", async () => {
  limitBindings();
  await init({ device: "cpu", seed: 0 });
  const shapes = nn.init.skipInit(network).stateDict();
  const state = new Map(
    [...shapes].map(([name, { shape, size }]) =>
      [name, [...noise(size, (size / shape[0]) ** -0.5)]] as const
    ),
  );
  const want = await step(state);
  const { limits } = await init({ device: "webgpu", seed: 0 });
  assertEquals(limits.maxStorageBufferBindingSize, MIB);
  const got = await step(state);
  got.forEach((values, i) => {
    const scale = Math.max(...want[i].map(Math.abs).slice(0, 1e5));
    const worst = values.reduce(
      (most, value, k) => Math.max(most, Math.abs(value - want[i][k])),
      0,
    );
    assert(worst <= 1e-5 * scale, `${i}: ${worst} of ${scale}`);
  });
  assert(most > MIB / 2 && most <= MIB, `${most} bytes were bound`);
});
