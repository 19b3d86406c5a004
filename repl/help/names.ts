/** Names as somebody at the prompt means them: what a misspelt one stands for, and what a dotted one is. */
import { nearest } from "../../nn/state.ts";
import type { Shell } from "../commands/command.ts";
import { propertyOf } from "./values.ts";

/**
 * Of some names the one that was probably meant: but for its case the same, or a third of the letters wrong at most. People seldom get the first
 * letter wrong.
 */
export function nearestName(
  name: string,
  names: Iterable<string>,
): string | undefined {
  const list = [...names];
  const lower = name.toLowerCase();
  const same = list.find((other) => other.toLowerCase() === lower);
  if (same !== undefined || name.length < 3) return same;
  const most = Math.max(1, Math.floor(name.length / 3));
  const alike = list.filter((other) => other[0] === name[0]);
  return nearest(name, alike, most) ??
    (name.length > 3 ? nearest(name, list, most) : undefined);
}

/** Every name that a line can start with, the session's own first. */
export async function scopeOf(shell: Shell): Promise<Map<string, unknown>> {
  const scope = new Map<string, unknown>(await shell.variables());
  for (const [name, value] of Object.entries(shell.globals)) {
    if (!scope.has(name)) scope.set(name, value);
  }
  for (const { name, run } of shell.commands()) {
    if (!scope.has(name)) scope.set(name, run);
  }
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!scope.has(name)) {
      scope.set(name, propertyOf(globalThis, name).value);
    }
  }
  return scope;
}

/** What a path such as "net.layer1.conv" leads to; `known` is false where it can't be followed quietly. */
export function valueAt(
  scope: ReadonlyMap<string, unknown>,
  path: string,
): { readonly known: boolean; readonly value?: unknown } {
  const [first, ...rest] = path.split(".");
  if (!scope.has(first)) return { known: false };
  let at: ReturnType<typeof propertyOf> = {
    known: true,
    value: scope.get(first),
  };
  for (const name of rest) {
    if (!at.known) return at;
    at = propertyOf(at.value, name);
  }
  return at;
}
