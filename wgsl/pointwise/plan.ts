/** Launch plans of elementwise ops: one to three operands, any strides, one output. */
import {
  bind,
  type Box,
  collapse,
  computeType,
  type Float,
  linearGrid,
  MAX_RANK,
  rankWords,
  splitBox,
  storageType,
  type Walk,
  type Window,
  windowOf,
  words,
} from "../launch.ts";
import type { DType, Kernel, Launch, Plan, Request, Variant } from "../op.ts";
import { broadcastStrides, itemBytes, sizeOf } from "../shape.ts";
import binaryCode from "./binary.wgsl" with { type: "text" };
import binaryGridCode from "./binary_grid.wgsl" with { type: "text" };
import binaryVec4Code from "./binary_vec4.wgsl" with { type: "text" };
import { type FunctionSet, functionsOf } from "./library.ts";
import ternaryCode from "./ternary.wgsl" with { type: "text" };
import ternaryGridCode from "./ternary_grid.wgsl" with { type: "text" };
import ternaryVec4Code from "./ternary_vec4.wgsl" with { type: "text" };
import unaryCode from "./unary.wgsl" with { type: "text" };
import unaryGridCode from "./unary_grid.wgsl" with { type: "text" };
import unaryVec4Code from "./unary_vec4.wgsl" with { type: "text" };

/** What is computed for each element. */
export interface Formula {
  /** WGSL expression of the operands `a`, `b`, `c`, which are of type X; `arg(i)` gives `numbers` in it. */
  readonly call: string;
  /** Where the functions of `call` come from. */
  readonly functions: readonly FunctionSet[];
  /** The dtype that operands are converted to. f16 is computed in f32. */
  readonly dtype: DType;
  /** Up to four parameters: floats marked as such, integers plain. */
  readonly numbers?: readonly (number | Float)[];
  /** Floating-point operations an element. */
  readonly flops: number;
  /** Most dynamic loop iterations an element. @default 0 */
  readonly trips?: number;
}

type Method = "vec4" | "grid" | "naive";

const KERNELS: readonly Readonly<Record<Method, Kernel>>[] = [
  {
    vec4: { label: "wgsl/pointwise/unary_vec4.wgsl", code: unaryVec4Code },
    grid: { label: "wgsl/pointwise/unary_grid.wgsl", code: unaryGridCode },
    naive: { label: "wgsl/pointwise/unary.wgsl", code: unaryCode },
  },
  {
    vec4: { label: "wgsl/pointwise/binary_vec4.wgsl", code: binaryVec4Code },
    grid: { label: "wgsl/pointwise/binary_grid.wgsl", code: binaryGridCode },
    naive: { label: "wgsl/pointwise/binary.wgsl", code: binaryCode },
  },
  {
    vec4: { label: "wgsl/pointwise/ternary_vec4.wgsl", code: ternaryVec4Code },
    grid: { label: "wgsl/pointwise/ternary_grid.wgsl", code: ternaryGridCode },
    naive: { label: "wgsl/pointwise/ternary.wgsl", code: ternaryCode },
  },
];

/** Invocations of a workgroup, in all kernels of the family. */
const WORKGROUP = 256;
/** Elements that an invocation of the grid kernels computes along its row. */
const PER = 4;

/**
 * The variants of an elementwise op.
 *
 * `vec4` takes contiguous operands by fours. `grid` takes any strides and spreads the last two axes over the dispatch, so that no index is
 * divided; it is the one for rows, channels and other broadcasts. `naive` divides an index into coordinates for every element.
 */
export function variantsOf<Attrs>(
  formulaOf: (request: Request<Attrs>) => Formula,
): Variant<Attrs>[] {
  const variant = (
    name: Method,
    applies?: (request: Request<Attrs>) => boolean,
  ): Variant<Attrs> => ({
    name,
    ...(applies && { applies }),
    plan: (request) => planWith(name, request, formulaOf(request)),
  });
  return [
    variant("vec4", fitsVec4),
    variant("grid", fitsGrid),
    variant("naive"),
  ];
}

/** Operands and output, in this order, walking one space. */
interface Space {
  readonly shape: readonly number[];
  readonly walks: readonly Walk[];
}

function spaceOf<Attrs>({ inputs, outputs }: Request<Attrs>): Space {
  const { shape } = outputs[0];
  const views = [...inputs, outputs[0]];
  const space = collapse(
    shape,
    views.map((view) => broadcastStrides(view, shape)),
  );
  return {
    shape: space.shape,
    walks: views.map(({ offset, dtype }, i) => ({
      strides: space.strides[i],
      offset,
      dtype,
    })),
  };
}

function fitsVec4<Attrs>(request: Request<Attrs>): boolean {
  const { shape, walks } = spaceOf(request);
  return shape.length === 1 && shape[0] % 4 === 0 &&
    walks.every(({ strides, offset }) => strides[0] === 1 && offset % 4 === 0);
}

/** Whether workgroups along two axes don't idle for the most part, and their number is allowed. */
function fitsGrid<Attrs>(request: Request<Attrs>): boolean {
  const most = request.limits.maxComputeWorkgroupsPerDimension;
  const tile = WORKGROUP * PER;
  return partsOf(spaceOf(request)).slice(0, 1).every(({ shape }) => {
    const { workgroups } = gridOf(shape);
    const owned = workgroups.reduce((a, b) => a * b) * tile;
    return workgroups.every((n) => n <= most) &&
      owned <= Math.max(8 * sizeOf(shape), tile);
  });
}

/** The tiles of the grid kernels: as wide as a row needs, up to a whole workgroup. */
function gridOf(shape: readonly number[]): {
  readonly workgroups: readonly [number, number, number];
  readonly widthLog2: number;
} {
  const [columns, rows = 1, ...outer] = shape.toReversed();
  const needed = Math.ceil(Math.log2(Math.max(1, columns / PER)));
  const widthLog2 = Math.min(needed, Math.log2(WORKGROUP));
  const width = 2 ** widthLog2;
  return {
    widthLog2,
    workgroups: [
      Math.ceil(columns / (width * PER)),
      Math.ceil(rows / (WORKGROUP / width)),
      sizeOf(outer),
    ],
  };
}

/** A space of more axes than kernels walk, as one part for each position along the shortest axes. */
function partsOf({ shape, walks }: Space): Space[] {
  if (shape.length <= MAX_RANK) return [{ shape, walks }];
  const axis = shape.indexOf(Math.min(...shape));
  const rest = (list: readonly number[]) => list.filter((_, d) => d !== axis);
  return Array.from({ length: shape[axis] }, (_, at) =>
    partsOf({
      shape: rest(shape),
      walks: walks.map(({ strides, offset, dtype }) => ({
        strides: rest(strides),
        offset: offset + at * strides[axis],
        dtype,
      })),
    })).flat();
}

function planWith<Attrs>(
  method: Method,
  request: Request<Attrs>,
  formula: Formula,
): Plan {
  if (sizeOf(request.outputs[0].shape) === 0) return { launches: [] };
  const declarations = declare(
    formula,
    request.inputs.map(({ dtype }) => dtype),
    request.outputs[0].dtype,
  );
  const kernel = KERNELS[request.inputs.length - 1][method];
  const space = method === "vec4" ? byFours(request) : spaceOf(request);
  const whole = method === "vec4" ? [1] : [];
  const launches = partsOf(space).flatMap(({ shape, walks }) =>
    splitBox(shape, walks, request.limits, whole).map((box): Launch => ({
      kernel,
      declarations,
      ...shapedFor[method](box, walks, formula, request),
      bindings: walks.map((walk, i) =>
        i < walks.length - 1
          ? bind("input", i, "read", windowOf(walk, box))
          : bind("output", 0, "write", windowOf(walk, box))
      ),
      flops: formula.flops * sizeOf(box.size),
      bytes: walks.reduce((sum, walk) => sum + bytesOf(walk, box), 0),
    }))
  );
  return { launches };
}

/** The one axis of contiguous operands, cut so that windows begin and end with a vector. */
function byFours<Attrs>(request: Request<Attrs>): Space {
  const { shape, walks } = spaceOf(request);
  return {
    shape: [shape[0] / 4, 4],
    walks: walks.map((walk) => ({ ...walk, strides: [4, 1] })),
  };
}

/** The bytes that a walk touches in a box: repeated elements count once. */
function bytesOf({ strides, dtype }: Walk, { size }: Box): number {
  const distinct = size.filter((_, d) => strides[d] !== 0);
  return sizeOf(distinct) * itemBytes(dtype);
}

type Shaped = Pick<Launch, "constants" | "params" | "workgroups" | "trips">;

const shapedFor: Record<
  Method,
  <Attrs>(
    box: Box,
    walks: readonly Walk[],
    formula: Formula,
    request: Request<Attrs>,
  ) => Shaped
> = {
  vec4(box, walks, formula, { limits }) {
    const count = box.size[0];
    return {
      params: words(
        ...argsOf(formula),
        ...windowsOf(walks, box).map(({ base }) => base / 4),
        count,
      ),
      workgroups: linearGrid(count, WORKGROUP, limits),
      trips: 4 * (formula.trips ?? 0),
    };
  },

  grid(box, walks, formula) {
    const { workgroups, widthLog2 } = gridOf(box.size);
    const rank = Math.max(3, box.size.length);
    const binary = walks.length === 3;
    const still = binary && walks[1].strides.at(-1) === 0;
    return {
      constants: { RANK: rank, ...(binary && { B_STILL: Number(still) }) },
      params: words(
        ...argsOf(formula),
        ...stridedWords(box, walks),
        widthLog2,
      ),
      workgroups,
      trips: rank + PER * (1 + (formula.trips ?? 0)),
    };
  },

  naive(box, walks, formula, { limits }) {
    const rank = box.size.length;
    return {
      constants: { RANK: rank },
      params: words(
        ...argsOf(formula),
        ...stridedWords(box, walks),
        sizeOf(box.size),
      ),
      workgroups: linearGrid(sizeOf(box.size), WORKGROUP, limits),
      trips: rank + (formula.trips ?? 0),
    };
  },
};

function argsOf({ numbers = [] }: Formula): (number | Float)[] {
  return [...numbers, ...new Array<number>(4 - numbers.length).fill(0)];
}

function windowsOf(walks: readonly Walk[], box: Box): Window[] {
  return walks.map((walk) => windowOf(walk, box));
}

/** Sizes, the strides of each walk, and the first element of each. */
function stridedWords(box: Box, walks: readonly Walk[]): number[] {
  return [
    ...rankWords(box.size, 1),
    ...walks.flatMap(({ strides }) => rankWords(strides, 0)),
    ...windowsOf(walks, box).map(({ base }) => base),
  ];
}

const declared = new Map<string, string>();

/** The declarations that make a kernel compute a formula. The same text for the same formula, so that pipelines are found again. */
function declare(
  { call, functions, dtype }: Formula,
  inputs: readonly DType[],
  output: DType,
): string {
  const key = [call, dtype, ...inputs, output].join();
  let text = declared.get(key);
  if (text === undefined) {
    const names = ["a", "b", "c"].slice(0, inputs.length);
    const result = output === "bool" ? "bool" : "X";
    text = [
      ...inputs.map((input, i) =>
        `alias ${names[i].toUpperCase()} = ${storageType(input)};`
      ),
      `alias X = ${computeType(dtype)};`,
      `alias Y = ${storageType(output)};`,
      "fn arg(i: u32) -> X { return bitcast<X>(params.args[i]); }",
      `fn op(${names.map((name) => `${name}: X`).join(", ")}) -> ${result} {`,
      `  return ${output === "bool" ? `bool(${call})` : call};`,
      "}",
      functionsOf(functions),
    ].join("\n");
    declared.set(key, text);
  }
  return text;
}
