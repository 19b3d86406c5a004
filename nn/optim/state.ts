/** What optimisers save, and whether it fits. */
import type { Tensor } from "../../core/tensor.ts";
import { formatShape, sameShape } from "../../wgsl/shape.ts";
import { nearest } from "../state.ts";

/** What an optimiser remembers of one parameter. */
export interface ParameterState {
  /** Steps that it has made. */
  readonly step: number;
  /** Tensors of the parameter's shape under PyTorch's names, such as "exp_avg". */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Options of a group as plain data. `params` are positions among all parameters. */
export interface GroupState {
  readonly params: readonly number[];
  readonly [option: string]: unknown;
}

/** What an optimiser saves: plain data but for the tensors. */
export interface OptimizerState {
  /** By the parameters' positions; none for a parameter that hasn't made a step. */
  readonly state: ReadonlyMap<number, ParameterState>;
  readonly paramGroups: readonly GroupState[];
}

/** A group as plain data. */
export function plainOf(
  group: { readonly params: readonly Tensor[] },
  places: readonly number[],
): GroupState {
  return { ...structuredClone({ ...group, params: [] }), params: places };
}

/**
 * Throws unless a state fits groups of parameters.
 *
 * @param namesOf What the rule remembers of a parameter of a group after some steps.
 */
export function checkState(
  { state, paramGroups }: OptimizerState,
  groups: readonly { readonly params: readonly Tensor[] }[],
  namesOf: (group: number, steps: number) => readonly string[],
): void {
  const problems: string[] = [];
  if (paramGroups.length !== groups.length) {
    problems.push(
      `mis-sized   groups: ${paramGroups.length} given, ${groups.length} needed`,
    );
  }
  let first = 0;
  groups.forEach((group, g) => {
    const { params } = group;
    const given = paramGroups[g];
    if (given) problems.push(...problemsOfGroup(given, group, g));
    params.forEach((p, k) => {
      const i = first + k;
      const entry = state.get(i);
      if (!entry || !given) return;
      const names = namesOf(g, entry.step);
      problems.push(...problemsOf(entry, names, p, `state ${i}`));
    });
    first += params.length;
  });
  for (const i of state.keys()) {
    if (i >= first) problems.push(`unexpected  state ${i}`);
  }
  if (problems.length === 0) return;
  throw new Error(
    `Cannot load the optimiser's state, nothing was changed:\n  ${
      problems.join("\n  ")
    }`,
  );
}

function problemsOfGroup(
  given: GroupState,
  group: { readonly params: readonly Tensor[] },
  g: number,
): string[] {
  const problems: string[] = [];
  if (given.params.length !== group.params.length) {
    problems.push(
      `mis-sized   group ${g}: ${given.params.length} parameters given, ${group.params.length} needed`,
    );
  }
  // Schedules put it down; it may be on either side alone.
  const optional = "initialLr";
  for (const name of Object.keys(group)) {
    if (name !== optional && !(name in given)) {
      problems.push(`missing     group ${g} ${name}`);
    }
  }
  for (const name of Object.keys(given)) {
    if (name === optional || name in group) continue;
    const guess = nearest(name, Object.keys(group));
    problems.push(
      `unexpected  group ${g} ${name}${
        guess ? `, did you mean ${guess}?` : ""
      }`,
    );
  }
  return problems;
}

function problemsOf(
  { tensors }: ParameterState,
  names: readonly string[],
  { shape }: Tensor,
  title: string,
): string[] {
  const problems: string[] = [];
  for (const name of names) {
    const tensor = tensors.get(name);
    if (!tensor) {
      problems.push(`missing     ${title} ${name} ${formatShape(shape)}`);
    } else if (!sameShape(tensor.shape, shape)) {
      problems.push(
        `mis-shaped  ${title} ${name}: ${formatShape(tensor.shape)} given, ${
          formatShape(shape)
        } needed`,
      );
    }
  }
  for (const name of tensors.keys()) {
    if (names.includes(name)) continue;
    const guess = nearest(name, names);
    problems.push(
      `unexpected  ${title} ${name}${guess ? `, did you mean ${guess}?` : ""}`,
    );
  }
  return problems;
}
