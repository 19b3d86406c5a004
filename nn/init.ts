/**
 * Initial values of parameters. Functions whose names end in `_` fill a tensor in place and return it, as PyTorch's do; the others make one of a shape.
 */
export * from "./init_draw.ts";
export * from "./init_fill.ts";
export { skipInit } from "./init_skip.ts";
