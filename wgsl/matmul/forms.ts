/** The kernels of the matrix product and how each is launched. */
import { storageType } from "../launch.ts";
import { sizeOf } from "../shape.ts";
import naiveCode from "./naive.wgsl" with { type: "text" };
import { elementAliases, type Form, type Operand, type Part } from "./plan.ts";
import storeCode from "./store.wgsl" with { type: "text" };
import tileCode from "./tile.wgsl" with { type: "text" };
import workgroupCode from "./workgroup.wgsl" with { type: "text" };

const TILE = {
  label: "wgsl/matmul/tile.wgsl",
  code: `${tileCode}\n${storeCode}`,
};

/** Invocations of a workgroup where a kernel leaves the choice: a GPU's subgroup, or one vector of a CPU for work that is soon done. */
const WORKGROUP = { many: 32, few: 8 };

/** Launches of fewer invocations than this go out in the smaller workgroups, so that there are some to share out. */
const MANY = 1024;

/** Outputs along each side of the block of a workgroup in workgroup.wgsl. */
const BLOCK = 64;

/** Outputs of an invocation of tile.wgsl: rows are 4, 8 or 16, columns 4 or 8. */
export interface TileSize {
  readonly rows: number;
  readonly cols: number;
}

/** One output an invocation. */
export const naive: Form = {
  kernel: { label: "wgsl/matmul/naive.wgsl", code: naiveCode },
  depth: 1,
  trips: 1,
  spread({ size, pieces, a, b, c }) {
    const workgroup = 64;
    return {
      invocations: sizeOf(size.slice(0, 4)) * pieces,
      workgroup,
      declarations: elementAliases({ A: a, B: b, C: c }),
      constants: { WORKGROUP: workgroup },
    };
  },
};

/** Blocks staged in workgroup memory. */
export const staged: Form = {
  kernel: { label: "wgsl/matmul/workgroup.wgsl", code: workgroupCode },
  depth: 16,
  trips: 17,
  spread({ size, pieces, a, b, c }) {
    const [outer, inner, m, n] = size;
    const blocks = Math.ceil(m / BLOCK) * Math.ceil(n / BLOCK);
    return {
      invocations: 256 * outer * inner * pieces * blocks,
      workgroup: 256,
      declarations: elementAliases({ A: a, B: b, C: c }),
      constants: {
        A_ALONG_K: Number(a.strides[4] <= a.strides[2]),
        B_ALONG_K: Number(b.strides[4] < b.strides[3]),
      },
    };
  },
};

/** Register tiles of a size that depends on the sizes of [outer, inner, m, n, k]. */
export function tiles(
  choose: (size: readonly number[]) => TileSize,
  pieces?: Form["pieces"],
): Form {
  return {
    kernel: TILE,
    depth: 4,
    trips: 1,
    mostStored: 4,
    pieces,
    spread(part) {
      const { size, pieces } = part;
      const { rows, cols } = choose(size);
      const invocations = pieces * tileCount(size, { rows, cols });
      const workgroup = invocations < MANY ? WORKGROUP.few : WORKGROUP.many;
      return {
        invocations,
        workgroup,
        ...access(part),
        constants: {
          ROWS: rows / 4,
          COLS: cols / 4,
          WORKGROUP: workgroup,
          ...access(part).constants,
        },
        stored: Math.ceil(Math.min(rows, size[2]) / 4),
      };
    },
  };
}

/** Invocations that cover a product, not counting pieces of k. */
export function tileCount(
  [outer, inner, m, n]: readonly number[],
  { rows, cols }: TileSize,
): number {
  return outer * inner * Math.ceil(m / rows) * Math.ceil(n / cols);
}

/** How tile.wgsl reads and writes: by vec4 where four neighbours along an axis are contiguous and aligned. */
function access(part: Part) {
  const { size, pieces, pieceStride, a, b, c } = part;
  const [M, N, K] = [2, 3, 4];
  const aK = hasFours(a, size, K);
  const aM = !aK && hasFours(a, size, M);
  const bK = hasFours(b, size, K);
  const bN = !bK && hasFours(b, size, N);
  const stores = storesTo(c, size, pieces === 1 ? 0 : pieceStride);
  return {
    constants: {
      A_VEC4: Number(aK || aM),
      A_ALONG_K: Number(!aM),
      B_VEC4: Number(bK || bN),
      B_ALONG_K: Number(!bN),
      K_TAIL: Number(size[K] % 4 !== 0),
      ...stores.constants,
    },
    declarations: [
      elements("A", a, aK || aM),
      elements("B", b, bK || bN),
      stores.declarations,
    ].join("\n"),
  };
}

/** How store.wgsl writes: by vec4 where rows, and pieces `pieceStride` apart, are in fours. */
export function storesTo(c: Operand, size: readonly number[], pieceStride = 0) {
  const fours = hasFours(c, size, 3) && pieceStride % 4 === 0;
  return {
    constants: { C_VEC4: Number(fours) },
    declarations: elements("C", c, fours),
  };
}

/** Whether the elements along an axis can be bound as vec4: contiguous, in whole fours that all start at multiples of four. */
export function hasFours(
  { base, strides }: Operand,
  size: readonly number[],
  axis: number,
): boolean {
  return strides[axis] === 1 && size[axis] % 4 === 0 && base % 4 === 0 &&
    strides.every((stride, d) =>
      d === axis || size[d] === 1 || stride % 4 === 0
    );
}

/** What tile.wgsl calls the elements of an operand, and the conversions from and to vec4f. */
function elements(name: string, { dtype }: Operand, vec4: boolean): string {
  const scalar = storageType(dtype);
  const [type, widened, narrowed] = vec4
    ? [`vec4<${scalar}>`, "vec4f(x)", `vec4<${scalar}>(x)`]
    : [scalar, "vec4f(f32(x))", `${scalar}(x.x)`];
  return `alias ${name} = ${type};\n` +
    (name === "C"
      ? `fn narrow(x: vec4f) -> C { return ${narrowed}; }`
      : `fn wide_${name.toLowerCase()}(x: ${name}) -> vec4f { return ${widened}; }`);
}
