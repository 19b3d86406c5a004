/** What ops that pick by index check. */
import { DTypeError } from "../errors.ts";
import type { HostArray, Meta } from "../op.ts";
import { formatShape } from "../shape.ts";
import { placeOf } from "./walk.ts";

/** Throws a DTypeError unless the dtype can be an index. */
export function checkIndex({ dtype }: Meta, what: string): void {
  if (dtype === "i32" || dtype === "u32") return;
  throw new DTypeError(
    `Cannot ${what} with an index of ${dtype}: expected i32 or u32`,
    [dtype],
  );
}

/** Element `i` of an index, or a RangeError if it is outside the axis. */
export function entryOf(
  { data, shape }: HostArray,
  i: number,
  size: number,
  axis: number,
  what: string,
): number {
  const entry = data[i];
  if (entry >= 0 && entry < size) return entry;
  throw new RangeError(
    `Cannot ${what}: index ${entry} at ${
      formatShape(placeOf(i, shape))
    } is outside axis ${axis} of size ${size}`,
  );
}
