import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  device,
  DeviceLostError,
  init,
  LaunchError,
  ones,
  synchronize,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { openDevice } from "../../core/gpu/adapter.ts";
import { GpuBackend } from "../../core/gpu/backend.ts";
import { currentBackend } from "../../core/runtime.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails, assertFailsLater } from "../support/errors.ts";

const LOST =
  "Cannot use the GPU device: it was lost (destroyed), await init() gives a new one";

onDevice(
  "webgpu",
  "after the device is lost, pending and later reads reject, and calls throw",
  async () => {
    const x = tensor([1, 2]);
    const y = x.mul(2);
    await y.read();
    const pending = x.add(1).read();
    currentBackend().destroy();
    await assertFailsLater(pending, DeviceLostError, LOST);
    await assertFailsLater(y.read(), DeviceLostError, LOST);
    await assertFailsLater(synchronize(), DeviceLostError, LOST);
    for (
      const call of [
        () => x.add(1),
        () => x.matmul(x),
        () => ones([2]),
        () => tensor([1]),
        () => zeros([0]),
      ]
    ) {
      assertFails(call, DeviceLostError, LOST);
    }
  },
);

onDevice(
  "webgpu",
  "init opens a new device after a loss, and tensors of the lost one stay lost",
  async () => {
    const old = tensor([1, 2]);
    const lost = currentBackend();
    lost.destroy();
    await init({ seed: 0 });
    assertEquals(device().backend, "webgpu");
    assertEquals(currentBackend() !== lost, true);
    const x = tensor([3, 4]);
    assertEquals(await x.add(1).array(), [4, 5]);
    await assertFailsLater(old.read(), DeviceLostError, LOST);
    assertFails(() => old.add(1), DeviceLostError, LOST);
    assertFails(() => x.add(old), DeviceLostError, LOST);
  },
);

Deno.test("a device that goes away by itself makes pending and later reads reject", async () => {
  const opened = await openDevice();
  if (!opened) throw new Error("No WebGPU adapter");
  const backend = new GpuBackend(opened);
  const meta = { shape: [2], dtype: "f32" } as const;
  const operand = () => ({
    view: contiguousView(meta),
    block: backend.upload(meta, Float32Array.of(1, 2)),
  });
  const x = operand();
  assertEquals(await backend.read(x), Float32Array.of(1, 2));
  const pending = backend.read(x);
  opened.device.destroy();
  const message =
    "Cannot use the GPU device: it was lost (destroyed: device was lost), await init() gives a new one";
  await assertFailsLater(pending, DeviceLostError, message);
  await assertFailsLater(backend.read(x), DeviceLostError, message);
  assertFails(operand, DeviceLostError, message);
});

onBothDevices(
  "init for the device in use keeps it, and its tensors",
  async (name) => {
    const backend = currentBackend();
    const x = tensor([1]);
    await init({ device: name });
    assertStrictEquals(currentBackend(), backend);
    assertEquals(await x.add(1).array(), [2]);
  },
);

onBothDevices(
  "a device that was left is the same when it is taken up again",
  async (name) => {
    const backend = currentBackend();
    const x = tensor([1]);
    const other = await init({ device: name === "cpu" ? "webgpu" : "cpu" });
    assertEquals(other.backend === name, false);
    // Its tensors go on computing meanwhile.
    assertEquals(await x.add(1).array(), [2]);
    assertFails(
      () => x.add(tensor([2])),
      LaunchError,
      "Cannot run add: its tensors were made on different devices, move one with tensor(await x.read(), { shape: x.shape })",
    );
    await init({ device: name });
    assertStrictEquals(currentBackend(), backend);
    assertEquals(await x.add(tensor([2])).array(), [3]);
  },
);

onBothDevices(
  "init refuses seeds that aren't whole numbers from 0",
  async () => {
    for (const seed of [-1, 0.5, NaN, 2 ** 53]) {
      await assertFailsLater(
        init({ seed }),
        RangeError,
        `Cannot seed with ${seed}: expected an integer from 0 to 2^53 - 1`,
      );
    }
  },
);
