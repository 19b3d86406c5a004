/**
 * What can be traced without asking: modules and functions of the library. Their calls depend on shapes and modes alone, so that a plan of one step holds
 * for the next. Of somebody else's code nobody knows: it may count, draw lots, or look at the clock.
 */
import type { Module } from "./module.ts";

const known = new WeakSet<object>();

/** Vouches for the functions and classes that a module exports, and for the classes that those extend: what layers share is written there. */
export function vouchFor(exports: Readonly<Record<string, unknown>>): void {
  for (const value of Object.values(exports)) {
    let one = value;
    while (typeof one === "function" && one !== Function.prototype) {
      known.add(one);
      one = Object.getPrototypeOf(one);
    }
  }
}

/** Why a network can't be traced without asking, in a few words; undefined where it can. */
export function doubtOf(net: Module): string | undefined {
  for (const [path, module] of net.namedModules()) {
    const name = module.constructor.name;
    const title = path === "" ? name : `${path} (${name})`;
    if (!known.has(ownerOfForward(module))) {
      return `${title} has a forward that isn't the library's`;
    }
    if (module.hooked) return `${title} has hooks`;
  }
  return undefined;
}

/** Whether a function is the library's. */
export function isKnown(body: object): boolean {
  return known.has(body);
}

/** The class that a module's `forward` is written in. */
function ownerOfForward(module: Module): object {
  let prototype: object = Object.getPrototypeOf(module);
  while (!Object.hasOwn(prototype, "forward")) {
    prototype = Object.getPrototypeOf(prototype);
  }
  return prototype.constructor;
}
