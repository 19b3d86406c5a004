/**
 * Looking at values without changing anything: no getter runs that somebody at the prompt may have written. Those of the library's own classes
 * only tell what is there.
 */
import { types } from "node:util";
import * as library from "../../mod.ts";

/** The prototypes of the library's classes, whose getters may be called. */
const OWN = new Set<object>();
for (const holder of [library, library.nn, library.zoo]) {
  for (const value of Object.values(holder)) {
    let at: unknown = typeof value === "function" ? value.prototype : undefined;
    while (typeof at === "object" && at && at !== Object.prototype) {
      OWN.add(at);
      at = Object.getPrototypeOf(at);
    }
  }
}

/** What everything has says nothing of a value. */
const COMMON = new Set<object>([Object.prototype, Function.prototype]);

/** Prototypes of a value, itself first, the nearest before the farther ones. A proxy has none that could be asked quietly. */
function* holders(value: unknown): Generator<object> {
  if (value === null || value === undefined) return;
  let at: unknown = Object(value);
  while (at !== null && !types.isProxy(at)) {
    yield at as object;
    at = Object.getPrototypeOf(at);
  }
}

/** The names of a value's properties: its own and those it inherits, but for what everything has. */
export function namesOf(value: unknown): string[] {
  const names = new Set<string>();
  const plain = typeof value === "function" &&
    Object.getPrototypeOf(value) === Function.prototype &&
    value.prototype === undefined;
  for (const holder of holders(value)) {
    if (COMMON.has(holder) && !(plain && holder === Function.prototype)) {
      continue;
    }
    for (const name of Object.getOwnPropertyNames(holder)) {
      if (!/^\d/.test(name) && name !== "constructor") names.add(name);
    }
  }
  return [...names];
}

/** A property's value; `known` is false where it isn't there or only a getter could tell. */
export function propertyOf(
  value: unknown,
  name: string,
): { readonly known: boolean; readonly value?: unknown } {
  for (const holder of holders(value)) {
    const property = Object.getOwnPropertyDescriptor(holder, name);
    if (!property) continue;
    if ("value" in property) return { known: true, value: property.value };
    // A namespace of a module has values; what has a getter is a class's.
    if (!OWN.has(holder) || !property.get) return { known: false };
    try {
      return { known: true, value: property.get.call(value) };
    } catch {
      return { known: false };
    }
  }
  return { known: false };
}

/** Whether a value has a property, own or inherited. */
export function hasProperty(value: unknown, name: string): boolean {
  for (const holder of holders(value)) {
    if (Object.hasOwn(holder, name)) return true;
  }
  return false;
}

/** The names of the classes that a value is of, or that a class goes back to; the nearest first. */
export function classesOf(value: unknown): string[] {
  const isClass = typeof value === "function" && value.prototype !== undefined;
  const names: string[] = [];
  for (const holder of holders(isClass ? value.prototype : value)) {
    const made = Object.getOwnPropertyDescriptor(holder, "constructor")?.value;
    if (typeof made === "function" && !COMMON.has(holder)) {
      names.push(made.name);
    }
  }
  return names;
}
