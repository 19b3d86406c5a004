/** Numbers of whatever holds some: tensors, which are read, nested lists and typed arrays. */
import { scope } from "../../core/scope.ts";
import { noGrad } from "../../core/autograd.ts";
import { Tensor } from "../../core/tensor.ts";

/** Numbers in any form. */
export type Numbers = Tensor | ArrayLike<number> | readonly Numbers[];

/** All numbers in one row. */
export async function flatNumbers(
  x: Numbers,
  what: string,
): Promise<ArrayLike<number>> {
  if (x instanceof Tensor) return await readFloats(x);
  if (isNumbers(x)) return x;
  if (!Array.isArray(x)) throw notNumbers(x, what);
  const parts: number[] = [];
  for (const part of x) {
    if (typeof part === "number") parts.push(part);
    else {
      const inner = await flatNumbers(part, what);
      for (let i = 0; i < inner.length; i++) parts.push(inner[i]);
    }
  }
  return parts;
}

/** A tensor's values as floats, without a trace in the graph or in memory. */
export function readFloats(x: Tensor): Promise<Float32Array> {
  using _ = scope();
  return noGrad(() => x.detach().to("f32").read()) as Promise<Float32Array>;
}

/** Whether something is a list of numbers, of which the first is looked at. */
export function isNumbers(x: unknown): x is ArrayLike<number> {
  if (ArrayBuffer.isView(x)) return !(x instanceof DataView);
  return Array.isArray(x) && (x.length === 0 || typeof x[0] === "number");
}

/** What is said of anything else. */
export function notNumbers(x: unknown, what: string): TypeError {
  return new TypeError(
    `Cannot ${what} ${nameOf(x)}: expected a tensor or a list of numbers`,
  );
}

/** What messages call a value that doesn't fit. */
export function nameOf(x: unknown): string {
  if (typeof x === "function") return "a function";
  if (x === null || typeof x !== "object") return String(x);
  return x instanceof Promise
    ? "a promise, which must be awaited first"
    : `a value of type ${x.constructor?.name ?? "object"}`;
}
