/** Comparisons with what PyTorch computed: fixtures hold tensors as shapes and flat values. */
import { assert, assertEquals } from "@std/assert";
import { type Tensor, tensor } from "../../core/mod.ts";
import type { DType } from "../../wgsl/op.ts";
import type { DeviceName } from "./devices.ts";

/** A tensor in a fixture. */
export interface Stored {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** A stored tensor on the device. Floats are f64 on the CPU device. */
export function load(
  { shape, values }: Stored,
  device: DeviceName,
  options: { readonly dtype?: DType; readonly requiresGrad?: boolean } = {},
): Tensor {
  const { dtype = device === "cpu" ? "f64" : "f32", requiresGrad } = options;
  return tensor(values, { shape, dtype, requiresGrad: requiresGrad ?? false });
}

/** Asserts a tensor's shape, and its values within `relative` of the largest stored one. NaN equals NaN. */
export async function assertStored(
  got: Tensor | null,
  want: Stored,
  what: string,
  relative = 1e-5,
): Promise<void> {
  assert(got, `${what}: no tensor`);
  assertEquals(got.shape, want.shape, what);
  const values = await got.read();
  const largest = want.values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  want.values.forEach((value, i) => {
    const found = values[i];
    if (Number.isNaN(value) && Number.isNaN(found)) return;
    assert(
      found === value || Math.abs(found - value) <= relative * largest,
      `${what}: element ${i} is ${found}, PyTorch's is ${value}`,
    );
  });
}

/** Asserts a function's value and the gradient of its input for the output's gradient `dy`: within 1e-5 and 1e-4 of the largest value. */
export async function assertLikeTorch(
  f: (x: Tensor) => Tensor,
  { x, y, dy, dx }: Readonly<Record<"x" | "y" | "dy" | "dx", Stored>>,
  device: DeviceName,
  what: string,
): Promise<void> {
  const input = load(x, device, { requiresGrad: true });
  const output = f(input);
  await assertStored(output, y, `${what}, forward`);
  output.backward(load(dy, device));
  await assertStored(input.grad, dx, `${what}, gradient`, 1e-4);
}
