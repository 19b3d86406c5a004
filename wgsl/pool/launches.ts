/** What the launch plans of pooling share: one launch a group of planes that fits the bindings, and passes over very large windows. */
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
  Binding,
  Kernel,
  Launch,
  Limits,
  Request,
  Slot,
  View,
} from "../op.ts";

/** Invocations of a workgroup, as written in every kernel of the family. */
const WORKGROUP = 64;

/** A kernel of the family and what it does on one plane. */
export interface PlaneWork {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  /** Values of the module-level `const`s that size its register arrays. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Invocations that one plane takes. */
  readonly invocations: number;
  /** Words of `Params` after the invocation count and the operands' bases. */
  readonly params: readonly number[];
  readonly trips: number;
  /** Floating-point operations of one plane. */
  readonly flops: number;
}

/** The launches that run a kernel on every plane [N·C] of a request's operands, all of rank 4 and contiguous. */
export function planeLaunches<Attrs>(
  { inputs, outputs, limits }: Request<Attrs>,
  work: PlaneWork,
): Launch[] {
  const operands = [
    ...inputs.map((view, index) => operand("input", index, view)),
    ...outputs.map((view, index) => operand("output", index, view)),
  ];
  if (operands.some(({ plane }) => plane === 0)) return [];
  const [n, c] = outputs[0].shape;
  if (n * c === 0) return [];
  const declarations = [
    `alias T = ${storageType(outputs[0].dtype)};`,
    ...Object.entries(work.sizes ?? {}).map(([name, size]) =>
      `const ${name} = ${size}u;`
    ),
  ].join("\n");
  const boxes = splitBox([n * c, 2], operands.map((o) => o.walk), limits, [1]);
  return boxes.map((box) => {
    const { bindings, bases } = bindPlanes(operands, box);
    const count = box.size[0] * work.invocations;
    return {
      kernel: work.kernel,
      declarations,
      constants: work.constants,
      bindings,
      params: words(count, ...bases, ...work.params),
      workgroups: linearGrid(count, WORKGROUP, limits),
      trips: work.trips,
      flops: box.size[0] * work.flops,
      bytes: bindings.reduce((sum, { size }) => sum + size, 0),
    };
  });
}

interface Operand {
  readonly slot: Slot;
  readonly index: number;
  /** Elements of one plane. */
  readonly plane: number;
  /** Over [planes, first and last element of a plane], so that a box spans whole planes. */
  readonly walk: Walk;
}

function operand(slot: Slot, index: number, view: View): Operand {
  const plane = view.shape[2] * view.shape[3];
  const { dtype, offset } = view;
  return {
    slot,
    index,
    plane,
    walk: { strides: [plane, plane - 1], offset, dtype },
  };
}

function bindPlanes(
  operands: readonly Operand[],
  box: Box,
): { bindings: Binding[]; bases: number[] } {
  const windows = operands.map(({ walk }) => windowOf(walk, box));
  return {
    bindings: operands.map(({ slot, index }, i) =>
      bind(slot, index, slot === "input" ? "read" : "write", windows[i])
    ),
    bases: windows.map(({ base }) => base),
  };
}

/** A part of a window, as the overrides of the naive kernels name it. */
export interface Pass extends Readonly<Record<string, number>> {
  readonly ROW_START: number;
  readonly ROW_END: number;
  readonly COLUMN_START: number;
  readonly COLUMN_END: number;
}

/** Cuts the loops over a window of `rows` × `columns` into passes that keep to the trip limit, in row-major order. Nearly always one. */
export function windowPasses(
  rows: number,
  columns: number,
  { maxLoopTrips }: Limits,
): Pass[] {
  const width = Math.min(columns, maxLoopTrips - 1);
  const height = width < columns
    ? 1
    : Math.max(1, Math.floor(maxLoopTrips / (columns + 1)));
  const passes: Pass[] = [];
  for (let row = 0; row < rows; row += height) {
    for (let column = 0; column < columns; column += width) {
      passes.push({
        ROW_START: row,
        ROW_END: Math.min(row + height, rows),
        COLUMN_START: column,
        COLUMN_END: Math.min(column + width, columns),
      });
    }
  }
  return passes;
}

/** Elements of the window that a pass looks at. */
export function passSize(pass: Pass): number {
  return (pass.ROW_END - pass.ROW_START) *
    (pass.COLUMN_END - pass.COLUMN_START);
}

/** Loop iterations of a pass: each row is one of the outer loop and as many of the inner loop as there are columns. */
export function passTrips(pass: Pass): number {
  return (pass.ROW_END - pass.ROW_START) *
    (pass.COLUMN_END - pass.COLUMN_START + 1);
}
