/** Runs ops on grids of workgroups that one dimension doesn't hold. */
import { assert } from "@std/assert";
import type { Op, Variant } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { LimitError } from "../../wgsl/errors.ts";
import { applicable, type Case, checkOp, PORTABLE_LIMITS } from "./plan.ts";

/** The kernels of a variant's plan whose grid lies in two unequal dimensions, and those that can be folded so along with the plan's largest. */
function gridsOf<Attrs>(
  variant: Variant<Attrs>,
  op: Op<Attrs>,
  given: Case<Attrs>,
  most: number,
): { folded: string[]; large: string[] } {
  const inputs = given.inputs.map((x, i) =>
    given.views?.[i] ?? contiguousView(x)
  );
  const limits = { ...PORTABLE_LIMITS, ...given.limits };
  const { launches } = variant.plan({
    inputs,
    outputs: op.infer(inputs, given.attrs).map(contiguousView),
    attrs: given.attrs,
    limits: { ...limits, maxComputeWorkgroupsPerDimension: most },
  });
  const groups = launches.map(({ workgroups: [x, y] }) => x * y);
  const least = Math.max(LEAST, Math.ceil(Math.sqrt(Math.max(...groups))) + 2);
  const labels = (test: (groups: readonly number[]) => boolean) =>
    launches.filter(({ workgroups }) => test(workgroups))
      .map(({ kernel }) => kernel.label);
  return {
    folded: labels(([x, y]) => x > 1 && y > 1 && x !== y),
    large: labels(([x, y]) => x * y >= least),
  };
}

/** Workgroups that are folded into 3 × 2 at least. */
const LEAST = 5;

/**
 * Checks every variant with its grids folded into two dimensions of unequal length, so that a kernel that mixes them up is noticed. Each kernel that
 * takes enough workgroups must have been folded. Returns the names of the kernels.
 */
export async function checkFolded<Attrs>(
  op: Op<Attrs>,
  given: Case<Attrs>,
): Promise<string[]> {
  const all = new Set<string>();
  for (const name of given.variants ?? applicable(op, given)) {
    const variant = op.variants.find((v) => v.name === name)!;
    const wanted = new Set(gridsOf(variant, op, given, 65_535).large);
    for (let most = 3; most < 200; most++) {
      const found = foldedBelow(variant, op, given, most);
      if (!found.some((label) => wanted.has(label))) continue;
      const limits = {
        ...given.limits,
        maxComputeWorkgroupsPerDimension: most,
      };
      await checkOp(op, { ...given, limits, variants: [name] });
      for (const label of found) {
        wanted.delete(label);
        all.add(label);
      }
    }
    assert(wanted.size === 0, `${op.name} (${name}): ${[...wanted]}`);
  }
  return [...all].map((label) => label.split("/").slice(-2).join("/")).sort();
}

/** The kernels that a limit folds; none where it is too small for the plan. */
function foldedBelow<Attrs>(
  variant: Variant<Attrs>,
  op: Op<Attrs>,
  given: Case<Attrs>,
  most: number,
): string[] {
  try {
    return gridsOf(variant, op, given, most).folded;
  } catch (error) {
    if (error instanceof LimitError) return [];
    throw error;
  }
}
