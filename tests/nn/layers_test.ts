/** Every layer with every option: PyTorch's values, gradients and buffers, and its derivatives by differences. */
import { assertEquals } from "@std/assert";
import { type nn, scope, type Tensor } from "../../mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { gradcheck, gradgradcheck, type Sample } from "../support/gradcheck.ts";
import {
  isDifferentiable,
  LAYER_CASES,
  type LayerCase,
  layerOf,
  place,
  titleOf,
} from "../support/layers.ts";
import { assertStored } from "../support/torch.ts";

onBothDevices(
  "layers give PyTorch's values, gradients and buffers with every option",
  async (device) => {
    for (const given of LAYER_CASES) {
      using _ = scope();
      const what = titleOf(given);
      const layer = layerOf(given, device);
      const inputs = given.inputs.map((x, i) =>
        place(x, device, given.dx[i] !== null)
      );
      const y = layer(...inputs);
      await assertStored(y, given.y, `${what}, forward`);
      y.backward(place(given.dy, device));
      for (const [i, want] of given.dx.entries()) {
        if (!want) continue;
        await assertStored(inputs[i].grad, want, `${what}, input ${i}`, 1e-4);
      }
      const parameters = [...layer.namedParameters()];
      assertEquals(
        parameters.map(([name]) => name),
        Object.keys(given.gradients),
        what,
      );
      for (const [name, { grad }] of parameters) {
        await assertStored(
          grad,
          given.gradients[name],
          `${what}, ${name}`,
          1e-4,
        );
      }
      const buffers = [...layer.namedBuffers()];
      assertEquals(
        buffers.map(([name]) => name),
        Object.keys(given.after),
        what,
      );
      for (const [name, value] of buffers) {
        await assertStored(value, given.after[name], `${what}, ${name}`);
      }
      layer.zeroGrad();
      layer.dispose();
    }
  },
);

/** The floats that a case's output depends on: its inputs, then its parameters. */
function samplesOf(given: LayerCase): Sample[] {
  return [
    ...given.inputs.filter((_, i) => given.dx[i] !== null),
    ...Object.values(given.parameters),
  ].map(({ shape, values }) => ({ shape, values: Float64Array.from(values) }));
}

/** A case as a function of {@linkcode samplesOf}'s tensors. */
function functionOf(
  given: LayerCase,
  layer: nn.Module,
): (...xs: Tensor[]) => Tensor {
  const names = Object.keys(given.parameters);
  return (...xs) => {
    let next = 0;
    const inputs = given.inputs.map((x, i) =>
      given.dx[i] === null ? place(x, "cpu") : xs[next++]
    );
    for (const name of names) Reflect.set(layer, name, xs[next++]);
    return layer(...inputs);
  };
}

/** Layers and modes seen so far: gradients are differentiated again in the first case of each. */
const seen = new Set<string>();

for (const given of LAYER_CASES) {
  if (!isDifferentiable(given)) continue;
  const key = `${given.layer} ${given.training}`;
  const first = !seen.has(key);
  seen.add(key);
  onDevice(
    "cpu",
    `${titleOf(given)} has its derivatives${first ? ", and those theirs" : ""}`,
    async (device) => {
      const layer = layerOf(given, device);
      const own = [...layer.namedParameters()];
      try {
        const f = functionOf(given, layer);
        const samples = samplesOf(given);
        await gradcheck(f, samples);
        if (first) await gradgradcheck(f, samples);
      } finally {
        for (const [name, value] of own) Reflect.set(layer, name, value);
        layer.dispose();
      }
    },
  );
}
