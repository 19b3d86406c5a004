/** Tests that hold on every device, and leave its memory as they found it. */
import { assertEquals } from "@std/assert";
import { type DeviceInfo, init, memory, scope } from "../../core/mod.ts";

/** The devices that tests run on. */
export type DeviceName = DeviceInfo["backend"];

const DEVICES: readonly DeviceName[] = ["webgpu", "cpu"];

/** What must be the same after a test as before. */
export function liveMemory(): {
  readonly tensors: number;
  readonly buffers: number;
  readonly bytes: number;
} {
  const { tensors, buffers, bytes } = memory();
  return { tensors, buffers, bytes };
}

/** Registers a test on one device. Its body runs in a scope, with seed 0; what is live afterwards must be what was live before. */
export function onDevice(
  device: DeviceName,
  title: string,
  body: (device: DeviceName) => void | Promise<void>,
): void {
  Deno.test(`${title} (${device})`, async () => {
    await init({ device, seed: 0 });
    const before = liveMemory();
    {
      using _ = scope();
      await body(device);
    }
    assertEquals(liveMemory(), before, "Memory after the test");
  });
}

/** Registers a test on both devices: "title (webgpu)" and "title (cpu)". */
export function onBothDevices(
  title: string,
  body: (device: DeviceName) => void | Promise<void>,
): void {
  for (const device of DEVICES) onDevice(device, title, body);
}

/** Frees a module's tensors at the end of a block: `using _net = freeing(net)`. */
export function freeing(module: { dispose(): void }): Disposable {
  return { [Symbol.dispose]: () => module.dispose() };
}
