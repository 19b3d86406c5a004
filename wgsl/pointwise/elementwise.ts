/** Ops that compute each element by itself, by name, so that a chain of them can be told as plain data. */
import type { AnyOp } from "../op.ts";
import { BINARY_OPS, clamp, UNARY_OPS, where } from "./mod.ts";
import { reluSlope, sigmoidSlope, tanhSlope } from "./slope.ts";

const OPS: readonly AnyOp[] = [
  ...Object.values(UNARY_OPS),
  ...Object.values(BINARY_OPS),
  where,
  clamp,
  reluSlope,
  sigmoidSlope,
  tanhSlope,
];

const BY_NAME = new Map(
  OPS.filter(({ elementwise }) => elementwise).map((op) => [op.name, op]),
);

/** The elementwise op of a name, if there is one. */
export function elementwiseOp(name: string): AnyOp | undefined {
  return BY_NAME.get(name);
}
