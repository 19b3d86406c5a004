/** Kernels whose only use is to find out what an adapter can do at best: multiply-adds and bytes a second. */
import { bindWhole, f32, linearGrid, words } from "../launch.ts";
import type { Op } from "../op.ts";
import { sizeOf } from "../shape.ts";
import arithmeticCode from "./arithmetic.wgsl" with { type: "text" };
import copyCode from "./copy.wgsl" with { type: "text" };

const ARITHMETIC = {
  label: "wgsl/limits/arithmetic.wgsl",
  code: arithmeticCode,
};

const COPY = { label: "wgsl/limits/copy.wgsl", code: copyCode };

const WORKGROUP = 64;

/** Independent chains of an element, and multiply-adds of each in a trip. */
const CHAINS = 16;
const STEPS = 4;

const FACTOR = 0.999;
const TERM = 0.5;

/** How long the chains of {@linkcode arithmeticPeak} are. */
export interface ArithmeticAttrs {
  /** Elements, each with 16 chains: a multiple of 64. */
  readonly elements: number;
  /** Four multiply-adds of every chain each. */
  readonly trips: number;
}

/** Nothing but multiply-adds: 128 operations a trip and element. */
export const arithmeticPeak: Op<ArithmeticAttrs> = {
  name: "arithmeticPeak",
  infer: (_inputs, { elements }) => [{ shape: [elements], dtype: "f32" }],
  variants: [{
    name: "vec4",
    plan: ({ outputs: [y], attrs: { trips }, limits }) => ({
      launches: [{
        kernel: ARITHMETIC,
        constants: { TRIPS: trips },
        bindings: [bindWhole("output", 0, "write", y)],
        params: words(f32(FACTOR), f32(TERM)),
        workgroups: linearGrid(sizeOf(y.shape), WORKGROUP, limits),
        trips,
        flops: 2 * CHAINS * STEPS * trips * sizeOf(y.shape),
        bytes: 4 * sizeOf(y.shape),
      }],
    }),
  }],
  reference(_inputs, [y], { trips }) {
    for (let i = 0; i < y.data.length; i++) {
      let sum = 0;
      // The four lanes of a vector start at the same number.
      for (let start = 0; start < CHAINS / 4; start++) {
        let x = i + start;
        for (let step = 0; step < STEPS * trips; step++) x = x * FACTOR + TERM;
        sum += 4 * x;
      }
      y.data[i] = sum;
    }
  },
};

/** A copy of n floats, n a multiple of 2¹⁸. Adapters differ in whether they move floats or vectors faster. */
export const copyRate: Op<Record<string, never>> = {
  name: "copyRate",
  infer: ([x]) => [x],
  variants: [copyBy("scalar", "f32", 1), copyBy("vec4", "vec4f", 4)],
  reference: ([x], [y]) => y.data.set(x.data),
};

function copyBy(name: string, element: string, floats: number) {
  return {
    name,
    plan: (
      { inputs: [x], outputs: [y] }: Parameters<
        typeof copyRate.variants[number]["plan"]
      >[0],
    ) => ({
      launches: [{
        kernel: COPY,
        declarations: `alias Element = ${element};`,
        bindings: [
          bindWhole("input", 0, "read", x),
          bindWhole("output", 0, "write", y),
        ],
        workgroups: [
          2 ** 10,
          sizeOf(x.shape) / floats / WORKGROUP / 2 ** 10,
          1,
        ] as const,
        trips: 0,
        flops: 0,
        bytes: 8 * sizeOf(x.shape),
      }],
    }),
  };
}
