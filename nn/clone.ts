/** Deep copies of what modules hold. */
import { noGrad } from "../core/autograd.ts";
import { outsideScopes } from "../core/scope.ts";
import { Tensor } from "../core/tensor.ts";

/** A copy of a tensor that belongs to no scope and no graph, and learns if the original is a leaf that does. */
function cloneTensor(x: Tensor): Tensor {
  return outsideScopes(() => noGrad(() => x.clone()));
}

/**
 * A deep copy of a value: tensors get memory of their own, arrays, maps, sets and plain objects are copied item by item, and what is shared
 * inside stays shared. Anything else is taken as it is.
 *
 * `special` copies what it knows, and returns undefined for the rest. `copies` has what has been copied already.
 */
export function cloneValue(
  value: unknown,
  copies: Map<unknown, unknown>,
  special: (value: unknown) => unknown,
): unknown {
  const known = copies.get(value);
  if (known !== undefined) return known;
  const inside = (item: unknown) => cloneValue(item, copies, special);
  const remember = <T>(copy: T): T => {
    copies.set(value, copy);
    return copy;
  };
  const own = special(value);
  if (own !== undefined) return remember(own);
  if (value instanceof Tensor) return remember(cloneTensor(value));
  if (Array.isArray(value)) {
    const copy = remember<unknown[]>([]);
    for (const item of value) copy.push(inside(item));
    return copy;
  }
  if (value instanceof Map) {
    const copy = remember(new Map<unknown, unknown>());
    for (const [key, item] of value) copy.set(key, inside(item));
    return copy;
  }
  if (value instanceof Set) {
    const copy = remember(new Set<unknown>());
    for (const item of value) copy.add(inside(item));
    return copy;
  }
  if (isPlain(value)) {
    const copy = remember<Record<string, unknown>>({});
    for (const [key, item] of Object.entries(value)) copy[key] = inside(item);
    return copy;
  }
  return value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}
