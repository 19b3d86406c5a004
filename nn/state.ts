/** Values of a module by name, and putting them back. */
import { formatShape, sameShape } from "../wgsl/shape.ts";
import type { Tensor } from "../core/tensor.ts";

/** Tensors by dotted name, in the module's order. */
export type StateDict = ReadonlyMap<string, Tensor>;

/**
 * Copies `state` into `own` by name. All is checked before anything changes.
 *
 * @throws {Error} What is missing, unexpected, mis-shaped or freed, in one table.
 */
export function loadInto(
  own: StateDict,
  state: StateDict,
  options: { readonly strict?: boolean } = {},
): void {
  const { strict = true } = options;
  const problems: string[] = [];
  for (const [name, target] of own) {
    const source = state.get(name);
    if (!source) {
      if (strict) {
        problems.push(`missing     ${name} ${formatShape(target.shape)}`);
      }
    } else if (!sameShape(source.shape, target.shape)) {
      problems.push(
        `mis-shaped  ${name}: ${formatShape(source.shape)} given, ${
          formatShape(target.shape)
        } needed`,
      );
    } else if (source.disposed) {
      problems.push(`freed       ${name} ${formatShape(source.shape)}`);
    }
  }
  for (const name of strict ? state.keys() : []) {
    if (own.has(name)) continue;
    const guess = nearest(name, own.keys());
    problems.push(
      `unexpected  ${name}${guess ? `, did you mean ${guess}?` : ""}`,
    );
  }
  if (problems.length > 0) {
    throw new Error(
      `Cannot load the state, nothing was changed:\n  ${problems.join("\n  ")}`,
    );
  }
  for (const [name, target] of own) {
    const source = state.get(name);
    if (source) target.assign(source);
  }
}

/** The name that differs in the fewest letters, if any differs in `most` or fewer. */
export function nearest(
  name: string,
  names: Iterable<string>,
  most = Math.max(2, Math.floor(name.length / 3)),
): string | undefined {
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of names) {
    const distance = editDistance(name, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Letters to insert, drop, change or swap with the next one. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + Number(a[i - 1] !== b[j - 1]);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] &&
        a[i - 2] === b[j - 1];
      const swap = swapped ? before[j - 2] + 1 : Infinity;
      next.push(Math.min(change, swap, row[j] + 1, next[j - 1] + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
