import { assert, assertEquals } from "@std/assert";
import { clockOf, peaksOf } from "../../core/gpu/peaks.ts";
import { deviation, median } from "../../core/median.ts";
import { currentGpu } from "../../core/runtime.ts";
import { onDevice } from "../support/devices.ts";

onDevice(
  "webgpu",
  "a device's peaks and clock are measured once, and leave no memory behind",
  async () => {
    const { workbench } = currentGpu()!;
    const peaks = await peaksOf(workbench);
    assert(peaks.flops > 1e8 && peaks.bytes > 1e7);
    assertEquals(currentGpu()!.pool(), { bytes: 0, buffers: 0 });
    assert(await peaksOf(workbench) === peaks);
    assert(["gpu", "wall"].includes(await clockOf(workbench)));
  },
);

Deno.test("a median and the deviation from it aren't moved by one odd number", () => {
  assertEquals(median([5, 1, 3]), 3);
  assertEquals(median([4, 1, 2, 9]), 3);
  assertEquals(median([]), NaN);
  assertEquals(deviation([1, 2, 3, 4, 1000]), 1);
});
