import { assertEquals } from "@std/assert";
import { maxPool2d, maxPool2dWithIndices, noGrad, randn } from "../../mod.ts";
import { onBothDevices } from "../support/devices.ts";

onBothDevices(
  "max pooling gives the same values whether or not a gradient is recorded",
  async () => {
    const x = randn([2, 3, 9, 13], { requiresGrad: true });
    const options = { stride: 2, padding: 1 };
    const recorded = maxPool2d(x, 3, options);
    const unrecorded = noGrad(() => maxPool2d(x, 3, options));
    const constant = maxPool2d(x.detach(), 3, options);
    assertEquals(
      [recorded, unrecorded, constant].map((y) => y.requiresGrad),
      [true, false, false],
    );
    const want = await recorded.array();
    assertEquals(await unrecorded.array(), want);
    assertEquals(await constant.array(), want);
    const [values] = maxPool2dWithIndices(x.detach(), 3, options);
    assertEquals(await values.array(), want);
  },
);
