/** What variables hold: the tensors inside a value, and a value in the few words of a table. */
import { Tensor } from "../../mod.ts";
import { Module } from "../../nn/module.ts";

/** How deep inside a value tensors are looked for. */
const DEPTH = 6;

/** The tensors in a value, with the path to each from its name: `"net.conv1.weight"`, `"list[2]"`. One that comes again is left out. */
export function tensorsIn(
  name: string,
  value: unknown,
): [path: string, tensor: Tensor][] {
  const found: [string, Tensor][] = [];
  const seen = new Set<unknown>();
  function look(path: string, inside: unknown, depth: number): void {
    const module = inside instanceof Module;
    if (!module && (typeof inside !== "object" || inside === null)) return;
    if (seen.has(inside)) return;
    seen.add(inside);
    if (inside instanceof Tensor) {
      if (!inside.disposed) found.push([path, inside]);
      return;
    }
    if (module) {
      const parts = [...inside.namedParameters(), ...inside.namedBuffers()];
      for (const [part, tensor] of parts) look(`${path}.${part}`, tensor, 0);
      return;
    }
    if (depth === DEPTH || ArrayBuffer.isView(inside)) return;
    for (const [part, below] of partsOf(inside as object)) {
      look(`${path}${part}`, below, depth + 1);
    }
  }
  look(name, value, 0);
  return found;
}

function partsOf(value: object): [part: string, value: unknown][] {
  if (Array.isArray(value) || value instanceof Set) {
    return Array.from(value, (part, i) => [`[${i}]`, part]);
  }
  if (value instanceof Map) {
    return Array.from(value, ([key, part]) => [`[${Deno.inspect(key)}]`, part]);
  }
  // Getters are left alone, as they may do anything.
  return Object.entries(Object.getOwnPropertyDescriptors(value))
    .flatMap(([key, { value, enumerable }]) =>
      enumerable ? [[`.${key}`, value]] : []
    );
}

/** The bytes of the buffers behind tensors. Views of one buffer count it once. */
export function bytesOf(tensors: readonly Tensor[]): number {
  const storages = new Set(tensors.map(({ storage }) => storage));
  return [...storages].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What kind of value it is: `"Tensor"`, `"Sequential"`, `"function"`, `"number"`. */
export function typeOf(value: unknown): string {
  if (value instanceof Module) return value.constructor.name;
  if (typeof value === "function") {
    return /^class\b/.test(Function.prototype.toString.call(value))
      ? "class"
      : "function";
  }
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  const { constructor } = value;
  return typeof constructor === "function" ? constructor.name : "object";
}

/** The shape of a tensor, or how many elements a list has; empty for others. */
export function shapeOf(value: unknown): string {
  if (value instanceof Tensor) return `[${value.shape.join(", ")}]`;
  if (Array.isArray(value)) return `[${value.length}]`;
  if (ArrayBuffer.isView(value) && "length" in value) {
    return `[${value.length}]`;
  }
  if (value instanceof Map || value instanceof Set) return `[${value.size}]`;
  return "";
}

/** The element types of the tensors in a value, most of which have one. */
export function dtypesOf(tensors: readonly Tensor[]): string {
  return [...new Set(tensors.map(({ dtype }) => dtype))].join(", ");
}
