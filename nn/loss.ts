/** Losses, as functions and as layers. */
export * from "./loss/binary.ts";
export * from "./loss/cross_entropy.ts";
export * from "./loss/divergence.ts";
export type { LossOptions, Reduction } from "./loss/reduction.ts";
export * from "./loss/regression.ts";
