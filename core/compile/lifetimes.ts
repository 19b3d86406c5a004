/** What a sequence of calls reads, and from when to when it needs what. */
import type { PreparedInfo } from "../backend.ts";
import type { Cell, GraphCall } from "./graph.ts";
import type { Lifetime } from "./memory.ts";

/** Cells that launches of every run read: an operand may be read by launches that run once alone. */
export function boundCells(
  calls: readonly GraphCall[],
  info: readonly PreparedInfo[],
): Set<Cell> {
  const read = new Set<Cell>();
  calls.forEach(({ inputs }, i) => {
    const { variant, launches } = info[i];
    const bound = new Set(
      launches.flatMap(({ bindings, appended = [] }) =>
        [...bindings, ...appended].filter(({ slot }) => slot === "input")
          .map(({ index }) => index)
      ),
    );
    inputs.forEach(({ cell }, k) => {
      if (variant === undefined || bound.has(k)) read.add(cell);
    });
  });
  return read;
}

/** The needs of temporaries, in their order, and then those of each call's scratch memory. */
export function needsOf(
  calls: readonly GraphCall[],
  temporaries: readonly Cell[],
  scratch: readonly (readonly number[])[],
): Lifetime[] {
  const lives = new Map<Cell, { first: number; last: number }>();
  calls.forEach(({ inputs, outputs }, step) => {
    for (const { cell } of [...inputs, ...outputs]) {
      const life = lives.get(cell);
      if (life) life.last = step;
      else lives.set(cell, { first: step, last: step });
    }
  });
  return [
    ...temporaries.map((cell): Lifetime => ({
      bytes: cell.bytes,
      dtype: cell.meta.dtype,
      ...lives.get(cell)!,
    })),
    ...scratch.flatMap((sizes, step) =>
      sizes.map((bytes): Lifetime => ({
        bytes,
        dtype: "f32",
        first: step,
        last: step,
      }))
    ),
  ];
}
