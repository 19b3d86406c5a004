/** Tensors inside of what a function returns: one, or some in arrays and plain objects. */
import { noGrad } from "../core/autograd.ts";
import { Tensor } from "../core/tensor.ts";
import { isContiguous } from "../wgsl/shape.ts";

/** The tensors of a value, in order. */
export function tensorsIn(value: unknown): Tensor[] {
  const found: Tensor[] = [];
  mapTensors(value, (x) => {
    found.push(x);
    return x;
  });
  return found;
}

/** The same value with other tensors in the place of its own. */
export function mapTensors(
  value: unknown,
  change: (x: Tensor) => Tensor,
): unknown {
  if (value instanceof Tensor) return change(value);
  if (Array.isArray(value)) {
    return value.map((part) => mapTensors(part, change));
  }
  if (value instanceof Map) {
    return new Map(
      Array.from(value, ([key, part]) => [key, mapTensors(part, change)]),
    );
  }
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, mapTensors(part, change)]),
  );
}

/** A tensor as plans take them: contiguous and from the start of its memory. The same one where it lies so. */
export function asGiven(x: Tensor): Tensor {
  if (x.view.offset === 0 && isContiguous(x.view)) return x;
  return noGrad(() => x.clone());
}
