/** The first linear layers of AlexNet and VGG, whose weights (144 and 392 MiB) are larger than a binding of 128 MiB. */
import { assert, assertEquals } from "@std/assert";
import {
  arange,
  concat,
  init,
  nn,
  rand,
  scope,
  type Tensor,
} from "../../mod.ts";
import { currentBackend } from "../../core/runtime.ts";
import { onDevice } from "../support/devices.ts";

await init({ seed: 0 });

/** Whole numbers of −4 to 3: their products and sums are exact in any order. */
function wholes(...shape: number[]): Tensor {
  return rand(shape).mul(8).floor().sub(4);
}

/** Rows of a weight that are multiplied at once to compare with: 16 and 49 MiB. */
const PIECE = 512;

/** A weight `[4096, inFeatures]`: the same random rows eight times over, each band with a number of its own added. */
function bands(inFeatures: number): Tensor {
  using inner = scope();
  const rows = wholes(PIECE, inFeatures);
  const steps = arange(0, 8, 1, { dtype: "f32" }).reshape([8, 1, 1]);
  return inner.keep(rows.add(steps).reshape([4096, inFeatures]));
}

/** Whether all elements are the same. */
async function same(a: Tensor, b: Tensor): Promise<boolean> {
  assertEquals(a.shape, b.shape);
  return await a.ne(b).sum().item() === 0;
}

for (
  const [title, inFeatures, batch] of [
    ["AlexNet's", 256 * 6 * 6, 2],
    ["VGG's", 512 * 7 * 7, 1],
  ] as const
) {
  onDevice(
    "webgpu",
    `${title} first linear layer gives the values of products in pieces, forward and backward`,
    async () => {
      const { limits } = currentBackend().info;
      assert(4 * 4096 * inFeatures > 2 ** 27);
      assert(4 * PIECE * inFeatures <= limits.maxStorageBufferBindingSize);
      const layer = nn.init.skipInit(() => new nn.Linear(inFeatures, 4096));
      layer.weight.assign(bands(inFeatures));
      layer.bias!.assign(wholes(4096));
      const x = wholes(batch, inFeatures);
      x.requiresGrad = true;
      const slope = wholes(batch, 4096);
      const y = layer(x);
      y.mul(slope).sum().backward();

      const weight = layer.weight.detach();
      const grad = layer.weight.grad!;
      const outputs: Tensor[] = [];
      const inputGrads: Tensor[] = [];
      for (let start = 0; start < 4096; start += PIECE) {
        const rows = weight.slice(0, start, start + PIECE);
        const part = slope.slice(1, start, start + PIECE);
        outputs.push(x.detach().matmul(rows.transpose(0, 1)));
        inputGrads.push(part.matmul(rows));
        const want = part.transpose(0, 1).matmul(x.detach());
        assert(await same(grad.slice(0, start, start + PIECE), want));
        want.dispose();
      }
      const want = concat(outputs, 1).add(layer.bias!.detach());
      assert(await same(y.detach(), want));
      const sum = inputGrads.reduce((a, b) => a.add(b));
      assert(await same(x.grad!, sum));
      assert(await same(layer.bias!.grad!, slope.sum([0])));
      layer.zeroGrad();
      layer.dispose();
    },
  );
}

onDevice("webgpu", "what was large goes back to the system", () => {
  currentBackend().trim();
});
