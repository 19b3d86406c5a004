import { assertEquals } from "@std/assert";
import {
  arange,
  concat,
  ones,
  scope,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { currentBackend } from "../../core/runtime.ts";
import { onDevice } from "../support/devices.ts";

/** Elements of 144 MiB, more than WebGPU's default of 128 MiB for one binding. */
const COUNT = 36 * 2 ** 20 + 5;

/** What is computed from a large tensor, and the last values of it. */
const CASES: Readonly<
  Record<string, readonly [() => Tensor, readonly (number | boolean)[]]>
> = {
  "a pointwise result": [() => arange(COUNT).add(1), [COUNT - 1, COUNT]],
  "a copy of a transposed view": [
    () => arange(6000 * 6300).reshape([6000, 6300]).transpose().flatten(),
    [5998 * 6300 + 6299, 5999 * 6300 + 6299],
  ],
  "a concatenation": [
    () => {
      const half = arange(COUNT / 2 + 0.5);
      return concat([half, half]);
    },
    [(COUNT - 3) / 2, (COUNT - 1) / 2],
  ],
  "a running sum": [
    () => ones([COUNT], { dtype: "i32" }).cumsum(0),
    [COUNT - 1, COUNT],
  ],
};

for (const [title, [make, want]] of Object.entries(CASES)) {
  onDevice("webgpu", `${title} may be larger than a binding`, async () => {
    {
      using _ = scope();
      assertEquals(await make().slice(0, -2).array(), [...want]);
    }
    currentBackend().trim();
  });
}

onDevice(
  "webgpu",
  "what is larger than a binding can be summed, picked from and read whole",
  async () => {
    {
      using _ = scope();
      const x = arange(COUNT);
      const index = tensor([COUNT - 1, 0, 2 ** 25], { dtype: "i32" });
      const [sum, largest, picked, values] = await Promise.all([
        x.gt(0).sum().item(),
        x.argmax().item(),
        x.gather(0, index).array(),
        x.read(),
      ]);
      assertEquals([sum, largest], [COUNT - 1, COUNT - 1]);
      assertEquals(picked, [COUNT - 1, 0, 2 ** 25]);
      assertEquals([values.length, values[COUNT - 1]], [COUNT, COUNT - 1]);
    }
    currentBackend().trim();
  },
);
