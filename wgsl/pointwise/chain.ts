/** Elementwise ops one after the other in one launch: what one gives the next never leaves the registers. */
import { ShapeError } from "../errors.ts";
import {
  bind,
  type Box,
  linearGrid,
  splitBox,
  storageType,
  type Walk,
  windowOf,
  words,
} from "../launch.ts";
import type {
  HostArray,
  Kernel,
  Launch,
  Meta,
  Op,
  Plan,
  Request,
  View,
} from "../op.ts";
import { formatShape, isContiguous, itemBytes, sizeOf } from "../shape.ts";
import chainCode from "./chain.wgsl" with { type: "text" };
import chainVec4Code from "./chain_vec4.wgsl" with { type: "text" };
import { elementwiseOp } from "./elementwise.ts";
import { functionsOf } from "./library.ts";
import type { Formula } from "./plan.ts";

const KERNEL: Kernel = {
  label: "wgsl/pointwise/chain.wgsl",
  code: chainCode,
};
const VEC4_KERNEL: Kernel = {
  label: "wgsl/pointwise/chain_vec4.wgsl",
  code: chainVec4Code,
};

/** Invocations of a workgroup, as written in the kernels. */
const WORKGROUP = 256;

/** Operands that fit beside the output into the eight buffers that every adapter offers a kernel. */
export const MOST_OPERANDS = 7;

/** One op of a chain. */
export interface ChainStep {
  /** The op's name. */
  readonly op: string;
  readonly attrs: unknown;
  /** Its operands: `n` is input n of the chain, `-1 - n` the result of step n. */
  readonly operands: readonly number[];
}

/** Steps in order; the last one's result is the chain's. */
export interface ChainAttrs {
  readonly steps: readonly ChainStep[];
}

/**
 * Applies elementwise ops one after the other. `x0, x1, …: [...] → y: [...]`, where operands have the output's shape, or one element.
 *
 * For operands of f32 and bool that lie contiguous, whose steps compute in f32: {@linkcode canChain}. Made by passes over traced graphs; it has no
 * gradient of its own.
 */
export const chain: Op<ChainAttrs> = {
  name: "chain",
  strided: true,
  infer(inputs, { steps }) {
    const metas = metasOf(inputs, steps);
    const y = metas[metas.length - 1];
    for (const { shape } of inputs) {
      if (sizeOf(shape) === sizeOf(y.shape) || sizeOf(shape) === 1) continue;
      throw new ShapeError(
        `Cannot chain ${steps.map(({ op }) => op).join(", ")}: an operand is ${
          formatShape(shape)
        }, expected ${formatShape(y.shape)} or one element`,
        [shape, y.shape],
      );
    }
    return [y];
  },
  variants: [
    {
      name: "vec4",
      applies: ({ inputs, outputs: [y] }) =>
        sizeOf(y.shape) % 4 === 0 &&
        [...inputs.filter((x) => !standsForAll(x, y)), y].every(({ offset }) =>
          offset % 4 === 0
        ),
      plan: (request) => plan(request, 4),
    },
    { name: "naive", plan: (request) => plan(request, 1) },
  ],
  reference(inputs, [y], { steps }) {
    const results: HostArray[] = [];
    steps.forEach(({ op: name, attrs, operands }, i) => {
      const op = stepOp(name);
      const given = operands.map((at) =>
        at < 0 ? results[-1 - at] : inputs[at]
      );
      const [meta] = op.infer(given, attrs);
      const last = i === steps.length - 1;
      const size = sizeOf(meta.shape);
      const data = last
        ? y.data
        : meta.dtype === "bool"
        ? new Uint8Array(size)
        : new Float64Array(size);
      const result: HostArray = { ...meta, data };
      op.reference(given, [result], attrs);
      results.push(result);
    });
  },
};

/** Whether a call of an elementwise op can be a step of a chain. */
export function canChain(
  name: string,
  inputs: readonly View[],
  output: View,
  attrs: unknown,
): boolean {
  const op = elementwiseOp(name);
  if (!op?.elementwise || !isContiguous(output)) return false;
  const types = [...inputs, output].every(({ dtype }) =>
    dtype === "f32" || dtype === "bool"
  );
  if (!types) return false;
  const { dtype, numbers = [], trips = 0 } = op.elementwise(inputs, attrs);
  const finite = numbers.every((n) =>
    Number.isFinite(typeof n === "number" ? n : n.f32)
  );
  return dtype === "f32" && finite && trips === 0 &&
    inputs.every((x) =>
      isSingle(x) ||
      isContiguous(x) && sizeOf(x.shape) === sizeOf(output.shape)
    );
}

function stepOp(name: string) {
  const op = elementwiseOp(name);
  if (op?.elementwise) return op;
  throw new TypeError(`Cannot chain ${name}: it isn't an elementwise op`);
}

/** Shape and dtype of each step's result. */
function metasOf(inputs: readonly Meta[], steps: readonly ChainStep[]): Meta[] {
  const metas: Meta[] = [];
  for (const { op, attrs, operands } of steps) {
    const given = operands.map((at) => at < 0 ? metas[-1 - at] : inputs[at]);
    metas.push(stepOp(op).infer(given, attrs)[0]);
  }
  return metas;
}

/** Whether a view shows one element, once or again and again. */
export function isSingle({ shape, strides }: View): boolean {
  return shape.every((n, d) => n === 1 || strides[d] === 0);
}

/** Whether an operand is one element that stands for all. */
function standsForAll(x: Meta, y: Meta): boolean {
  return sizeOf(x.shape) === 1 && sizeOf(y.shape) !== 1;
}

function plan(
  { inputs, outputs: [y], attrs, limits }: Request<ChainAttrs>,
  width: 1 | 4,
): Plan {
  const count = sizeOf(y.shape) / width;
  if (count === 0) return { launches: [] };
  const { declarations, flops } = declare(inputs, y, attrs, width);
  const walkOf = (view: View, single: boolean): Walk => ({
    dtype: view.dtype,
    offset: view.offset,
    strides: single ? [0, 0] : [width, 1],
  });
  const output = walkOf(y, false);
  const walks = inputs.map((x) => walkOf(x, standsForAll(x, y)));
  const launches = splitBox([count, width], [output, ...walks], limits, [1])
    .map((box): Launch => {
      const target = windowOf(output, box);
      const windows = walks.map((walk) => windowOf(walk, box));
      const firsts = windows.map(({ base }, i) =>
        standsForAll(inputs[i], y) ? base : base / width
      );
      return {
        kernel: width === 4 ? VEC4_KERNEL : KERNEL,
        declarations,
        bindings: [bind("output", 0, "write", target)],
        appended: windows.map((window, i) => bind("input", i, "read", window)),
        params: words(
          ...firsts,
          ...new Array<number>(8 - firsts.length).fill(0),
          target.base / width,
          box.size[0],
        ),
        workgroups: linearGrid(box.size[0], WORKGROUP, limits),
        trips: 0,
        flops: flops * sizeOf(box.size),
        bytes: [output, ...walks].reduce(
          (sum, walk) => sum + bytesOf(walk, box),
          0,
        ),
      };
    });
  return { launches };
}

function bytesOf({ strides, dtype }: Walk, { size }: Box): number {
  return (strides[1] === 0 ? 1 : sizeOf(size)) * itemBytes(dtype);
}

/** The chain as WGSL: a function a step, one that calls them in order, and one that reads the operands. */
function declare(
  inputs: readonly View[],
  y: View,
  { steps }: ChainAttrs,
  width: 1 | 4,
): { readonly declarations: string; readonly flops: number } {
  const names = inputs.map((_, i) => `x${i}`);
  const metas = metasOf(inputs, steps);
  const formulas = steps.map(({ op, attrs, operands }): Formula =>
    stepOp(op).elementwise!(
      operands.map((at) => at < 0 ? metas[-1 - at] : inputs[at]),
      attrs,
    )
  );
  const functions = formulas.map(({ call, numbers = [] }, i) => {
    const given = ["a", "b", "c"].slice(0, steps[i].operands.length);
    const values = numbers.map((n) => typeof n === "number" ? n : n.f32);
    const known = call.replace(
      /arg\((\d+)u\)/g,
      (_, n) => `f32(${values[Number(n)]})`,
    );
    return `fn step${i}(${
      given.map((name) => `${name}: f32`).join(", ")
    }) -> f32 { return f32(${known}); }`;
  });
  const lines = steps.map(({ operands }, i) =>
    `  let v${i} = step${i}(${
      operands.map((at) => at < 0 ? `v${-1 - at}` : names[at]).join(", ")
    });`
  );
  const first = (i: number) => `params.firsts[${i >> 2}][${i & 3}]`;
  const arrays = inputs.map((x, i) => {
    const type = storageType(x.dtype);
    const element = width === 4 && !standsForAll(x, y) ? `vec4<${type}>` : type;
    return `@group(0) @binding(${
      2 + i
    }) var<storage, read> m${i}: array<${element}>;`;
  });
  const loads = inputs.map((x, i) => {
    const at = standsForAll(x, y) ? first(i) : `${first(i)} + i`;
    return width === 4 && !standsForAll(x, y)
      ? `  let x${i} = vec4f(m${i}[${at}]);`
      : `  let x${i} = f32(m${i}[${at}]);`;
  });
  const call = (lane: string) =>
    `chain(${
      inputs.map((x, i) => standsForAll(x, y) ? `x${i}` : `x${i}${lane}`).join(
        ", ",
      )
    })`;
  const result = width === 4
    ? `vec4f(${[".x", ".y", ".z", ".w"].map(call).join(", ")})`
    : call("");
  const sets = [...new Set(formulas.flatMap((formula) => formula.functions))];
  return {
    flops: formulas.reduce((sum, formula) => sum + formula.flops, 0),
    declarations: [
      "alias X = f32;",
      `alias Y = ${storageType(y.dtype)};`,
      ...arrays,
      ...functions,
      `fn chain(${names.map((name) => `${name}: f32`).join(", ")}) -> f32 {`,
      ...lines,
      `  return v${steps.length - 1};`,
      "}",
      `fn chain_at(i: u32) -> ${width === 4 ? "vec4f" : "f32"} {`,
      ...loads,
      `  return ${result};`,
      "}",
      functionsOf(sets),
    ].join("\n"),
  };
}
