/** What tests of compiled functions share. */
import { assert, assertEquals } from "@std/assert";
import { nn, scope, type Tensor } from "../../mod.ts";

/** A small network with all that passes look for. */
export function smallNet(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(2, 4, 3, { padding: 1 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(4 * 16, 3),
  );
}

/** Expects a tensor's values to be those of another, up to rounding. */
export async function assertNear(got: Tensor, want: Tensor): Promise<void> {
  assertEquals(got.shape, want.shape);
  assertEquals(got.dtype, want.dtype);
  const [a, b] = [await got.read(), await want.read()];
  const scale = Math.max(1e-3, ...Array.from(b, Math.abs));
  const worst = Math.max(0, ...Array.from(b, (v, i) => Math.abs(v - a[i])));
  assert(worst <= 2e-6 * scale, `off by ${worst} of ${scale}`);
}

/** The message of the error that a call throws or rejects with. */
export async function messageOf(call: () => unknown): Promise<string> {
  using _ = scope();
  try {
    await call();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}
