/** Numbers below 2^-126, which WGSL lets a device take for 0: https://www.w3.org/TR/WGSL/#floating-point-evaluation. */
import { BINARY_OPS } from "../../wgsl/pointwise/mod.ts";
import { host, runVariant } from "./plan.ts";
import { record } from "./record.ts";

/** Whether arithmetic on this device keeps such numbers. Where it doesn't, the record says that `of` left them out. */
export async function keepsSubnormals(of: string): Promise<boolean> {
  const [{ data }] = await runVariant(BINARY_OPS.mul, "naive", {
    inputs: [host([1e-40], [1]), host([0.5], [1])],
    attrs: {},
  });
  const keeps = data[0] > 0;
  if (!keeps) record({ leftOut: "subnormal", of });
  return keeps;
}

/** Whether a number is that small, or so near to it that a step on the way to it or from it may be: a remainder has the last bit of its divisor. */
export function isNearSubnormal(x: number): boolean {
  return x !== 0 && Math.abs(x) < 2 ** -100;
}
