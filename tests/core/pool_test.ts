import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { memory, ones, OutOfMemoryError, zeros } from "../../core/mod.ts";
import { BufferPool } from "../../core/gpu/pool.ts";
import { currentBackend } from "../../core/runtime.ts";
import type { Tensor } from "../../core/mod.ts";
import { onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { PORTABLE_LIMITS, testDevice } from "../support/plan.ts";

/** A pool that keeps up to `cap` bytes, on a device of its own kind. */
async function pool(
  cap = 2 ** 20,
  maxBufferSize = 2 ** 28,
): Promise<BufferPool> {
  const limits = { ...PORTABLE_LIMITS, maxBufferSize };
  return new BufferPool(await testDevice(), limits, cap);
}

Deno.test("a buffer that was given back is taken again for what fits its class", async () => {
  const buffers = await pool();
  const first = buffers.take(1000);
  assertEquals(first.bytes, 1024);
  buffers.give(first);
  assertEquals(buffers.status(), { bytes: 1024, buffers: 1 });
  assert(buffers.take(4) !== first);
  assertStrictEquals(buffers.take(1024), first);
  assertEquals(buffers.status(), { bytes: 0, buffers: 0 });
  buffers.clear();
});

Deno.test("size classes waste at most a fifth above 1 KiB, and are multiples of 256", async () => {
  const buffers = await pool();
  for (
    const bytes of [0, 1, 4, 255, 256, 257, 1000, 1025, 5000, 77_777, 1_000_001]
  ) {
    const { bytes: size, buffer } = buffers.take(bytes);
    assertEquals(buffer.size, size);
    assertEquals(size % 256, 0);
    assert(size >= bytes);
    if (bytes > 1024) assert(size <= bytes * 1.25, `${size} for ${bytes}`);
    buffer.destroy();
  }
});

Deno.test("a buffer that unsubmitted commands use isn't written from the host", async () => {
  const buffers = await pool();
  const block = buffers.take(256);
  block.usedIn = 5;
  buffers.give(block);
  const forUpload = buffers.take(256, 4);
  assert(forUpload !== block);
  assertStrictEquals(buffers.take(256, 5), block);
  buffers.clear();
});

Deno.test("what is over the cap is destroyed, once its commands have been submitted", async () => {
  const buffers = await pool(1024);
  const [a, b] = [buffers.take(1024), buffers.take(1024)];
  buffers.give(a);
  buffers.give(b);
  assertEquals(buffers.status(), { bytes: 1024, buffers: 1 });
  assertStrictEquals(buffers.take(1024), a);
  assertEquals(await isDestroyed(b.buffer), false);
  buffers.sweep();
  assertEquals(await isDestroyed(b.buffer), true);
  buffers.give(a);
  buffers.clear();
  assertEquals(await isDestroyed(a.buffer), true);
  assertEquals(buffers.status(), { bytes: 0, buffers: 0 });
});

Deno.test("a size over the limit is refused, and the limit itself is not", async () => {
  const buffers = await pool(0, 1200);
  const error = assertFails(
    () => buffers.take(1204),
    OutOfMemoryError,
    "Cannot allocate 1204 bytes: the device's maxBufferSize is 1200",
  );
  assertEquals([error.bytes, error.limit], [1204, 1200]);
  const block = buffers.take(1200);
  assertEquals(block.bytes, 1200);
  block.buffer.destroy();
});

onDevice(
  "webgpu",
  "memory that tensors let go waits for the next of their size",
  async () => {
    currentBackend().trim();
    assertEquals(memory().pooledBytes, 0);
    const x = zeros([256, 256]);
    await x.read();
    x.dispose();
    const { pooledBytes } = memory();
    assertEquals(pooledBytes, 2 ** 18);
    const y = zeros([200, 300]);
    assertEquals(memory().pooledBytes, 0);
    y.dispose();
    currentBackend().trim();
    assertEquals(memory().pooledBytes, 0);
  },
);

onDevice(
  "webgpu",
  "a loop that lets go of what it makes takes no more memory after its first round",
  () => {
    currentBackend().trim();
    let x: Tensor = ones([100, 100]);
    const seen = new Set<number>();
    for (let i = 0; i < 300; i++) {
      const y = x.mul(1.5).add(1);
      x.dispose();
      x = y.minimum(10);
      y.dispose();
      seen.add(memory().pooledBytes);
    }
    assert(seen.size <= 3, `${[...seen]}`);
  },
);

/** Whether a buffer can't be used any more: binding it for a copy is an error. */
async function isDestroyed(buffer: GPUBuffer): Promise<boolean> {
  const gpu = await testDevice();
  gpu.pushErrorScope("validation");
  const encoder = gpu.createCommandEncoder();
  encoder.clearBuffer(buffer, 0, 4);
  gpu.queue.submit([encoder.finish()]);
  return await gpu.popErrorScope() !== null;
}
