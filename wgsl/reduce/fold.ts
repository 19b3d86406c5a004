/** What the reduction kernels fold with: how elements of each type become accumulators, how two accumulators combine, and what is stored. */
import { computeType, storageType } from "../launch.ts";
import type { DType } from "../op.ts";
import { keyOf, orderLibrary } from "./order.ts";

/** A way to fold elements into one result, as WGSL. */
export interface Fold {
  /** Type of the elements, accumulators and results. */
  readonly element: string;
  readonly accumulator: string;
  readonly result: string;
  /** Bytes of an accumulator, as scratch memory holds it. */
  readonly bytes: number;
  /** The accumulator that changes none that it is combined with. */
  readonly identity: string;
  /** Accumulator of the element `value`, which is number `place` along its axis. */
  readonly load: string;
  /** Accumulator of the accumulators `a` and `b`, of which `a` may come from earlier or later places. */
  readonly combine: string;
  /** Result of the accumulator `a`, of `params.count` elements. */
  readonly store: string;
  /** Functions that these expressions use. */
  readonly library?: string;
}

/** The names of folds whose accumulator is one word. */
export type FoldName =
  | "sum"
  | "mean"
  | "prod"
  | "max"
  | "min"
  | "any"
  | "all";

/** Element type of a fold's result. Sums and products of bool count in i32. */
export function foldDType(name: FoldName, dtype: DType): DType {
  if (name === "any" || name === "all") return "bool";
  if (name === "max" || name === "min") return dtype;
  return dtype === "bool" ? "i32" : dtype;
}

/** The WGSL of a fold over elements of a type. */
export function foldOf(name: FoldName, dtype: DType): Fold {
  const result = foldDType(name, dtype);
  const float = dtype === "f32" || dtype === "f16";
  const common = {
    element: storageType(dtype),
    accumulator: computeType(result),
    result: storageType(result),
    bytes: 4,
    load: `${computeType(result)}(value)`,
    store: `${storageType(result)}(a)`,
  };
  switch (name) {
    case "sum":
    case "mean":
      return {
        ...common,
        identity: `${common.accumulator}(0)`,
        combine: "a + b",
        // Divided, not multiplied by the reciprocal: the mean of equal values is that value.
        store: name === "sum"
          ? common.store
          : `${common.result}(a / f32(params.count))`,
      };
    case "prod":
      return {
        ...common,
        identity: `${common.accumulator}(1)`,
        combine: "a * b",
      };
    case "any":
    case "all":
      return {
        ...common,
        identity: name === "any" ? "0u" : "1u",
        load: float
          ? "select(1u, 0u, (bitcast<u32>(f32(value)) << 1u) == 0u)"
          : "select(0u, 1u, value != T(0))",
        combine: name === "any" ? "a | b" : "a & b",
      };
    case "max":
    case "min":
      return { ...common, ...extreme(name, dtype), combine: `${name}(a, b)` };
  }
}

function extreme(
  name: "max" | "min",
  dtype: DType,
): Pick<Fold, "identity"> & Partial<Fold> {
  const high = name === "max";
  switch (dtype) {
    case "u32":
    case "bool":
      return { identity: high ? "0u" : "0xffffffffu" };
    case "i32":
      return { identity: high ? LOWEST : HIGHEST };
    default:
      return {
        accumulator: "i32",
        identity: high ? "LOWEST" : "HIGHEST",
        load: keyOf(dtype, high ? "high" : "low"),
        store: "R(from_key(a))",
        library: orderLibrary,
      };
  }
}

const LOWEST = "(-2147483647i - 1i)";
const HIGHEST = "2147483647i";

/** The declarations that a reduction kernel is completed with. Launches between the first and the last pass accumulators on. */
export function foldDeclarations(
  fold: Fold,
  { first, last }: { readonly first: boolean; readonly last: boolean },
): string {
  return `
alias T = ${first ? fold.element : fold.accumulator};
alias A = ${fold.accumulator};
alias R = ${last ? fold.result : fold.accumulator};
const IDENTITY = ${fold.identity};
fn load(value: T, place: u32) -> A { return ${first ? fold.load : "value"}; }
fn combine(a: A, b: A) -> A { return ${fold.combine}; }
fn store(a: A) -> R { return ${last ? fold.store : "a"}; }
${fold.library ?? ""}`;
}
