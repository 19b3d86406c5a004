/** Checks of what a call is given where no type checker has looked: scripts without types, and lines typed into the REPL. */
import { ShapeError } from "./errors.ts";

/** A value as messages name it: `the string "a"`, `a Date`, `an array`. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") return `the string "${value}"`;
  if (value === null || value === undefined) return String(value);
  if (value instanceof Promise) return "a promise (await it first)";
  if (Array.isArray(value)) return "an array (make it a tensor first)";
  const name = typeof value === "object"
    ? value.constructor?.name ?? "object"
    : typeof value;
  return `${/^[aeio]/i.test(name) ? "an" : "a"} ${name}`;
}

/** Throws unless `list` is an array, as sizes and axes are. `call` and `example` are for the message. */
export function requireList(
  list: unknown,
  call: string,
  example: string,
): void {
  if (Array.isArray(list)) return;
  throw new ShapeError(
    `Cannot ${call}: expected an array, such as ${example}, but found ${
      typeof list === "number" ? list : describeValue(list)
    }`,
  );
}
