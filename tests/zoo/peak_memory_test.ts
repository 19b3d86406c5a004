/** ResNet-18 at full size: it runs to the end, in the memory that its summary foretells. */
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  init,
  memory,
  nn,
  noGrad,
  randn,
  resetPeakMemory,
  scope,
  zoo,
} from "../../mod.ts";

await init({ seed: 0 });

Deno.test("ResNet-18 at 224×224 has finite logits, and its peak memory is within a tenth of the summary's", async () => {
  using _ = scope();
  const net = zoo.resnet18().eval();
  const buffers = new Set(net.stateDict().values());
  const before = memory().bytes -
    [...buffers].reduce((sum, { storage }) => sum + storage.bytes, 0);
  const x = randn([1, 3, 224, 224]);
  const foretold = nn.summary(net, [1, 3, 224, 224]).peakBytes;
  resetPeakMemory();
  const logits = noGrad(() => net(x));
  const values = await logits.read();
  const peak = memory().peakBytes - before;
  assertEquals(values.length, 1000);
  assert(values.every(Number.isFinite));
  assert(peak > 46_758_048, "more than the parameters");
  assertLess(Math.abs(foretold - peak) / peak, 0.1);
  net.dispose();
});

Deno.test("a layer's values count until its call ends, and a view is no memory of its own", () => {
  using _ = scope();
  const net = new nn.Sequential(
    new nn.Conv2d(1, 2, 1, { bias: false }), // 8 bytes of weights
    new nn.Flatten(),
    new nn.Sequential(new nn.ReLU(), new nn.Identity()),
  );
  // The input of 64 bytes, then two maps of 16 values and the ReLU's of as many.
  assertEquals(nn.summary(net, [1, 1, 4, 4]).peakBytes, 8 + 64 + 128 + 128);
  net.dispose();
});
