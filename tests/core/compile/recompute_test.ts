/** Which calls are run again so that a run holds no more than a limit, and which steps of optimisers are made early. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { stepEarly } from "../../../core/compile/early_steps.ts";
import {
  Cell,
  computedCell,
  type GraphCall,
  wholeOf,
} from "../../../core/compile/graph.ts";
import { recompute, type Step } from "../../../core/compile/recompute.ts";
import type { AnyOp } from "../../../wgsl/op.ts";
import { sgdMomentumStep, sgdStep } from "../../../wgsl/optim/sgd.ts";
import { tanh } from "../../../wgsl/pointwise/exponential.ts";
import { add } from "../../../wgsl/pointwise/arithmetic_binary.ts";
import { maxPool2d } from "../../../wgsl/pool/max_pool2d.ts";

const BYTES = 64;

/** A temporary of 64 bytes. */
function value(): Cell {
  return computedCell({ shape: [16], dtype: "f32" });
}

/** Memory that the run doesn't own. */
function weight(index = 0): Cell {
  return new Cell({ shape: [16], dtype: "f32" }, { kind: "input", index });
}

function call(
  op: AnyOp,
  inputs: readonly Cell[],
  outputs: readonly Cell[],
): GraphCall {
  return {
    op,
    attrs: {},
    inputs: inputs.map(wholeOf),
    outputs: outputs.map(wholeOf),
    path: undefined,
    fused: [],
  };
}

function stepsOf(calls: readonly GraphCall[]): Step[] {
  return calls.map((call) => ({ call, scratch: [], cost: 1 }));
}

const isTemporary = (cell: Cell) => cell.computed;

/** The most bytes that temporaries hold at a step. Each must be written before it is read. */
function peakOf(steps: readonly Step[]): number {
  const lives = new Map<Cell, [number, number]>();
  steps.forEach(({ call: { inputs, outputs } }, at) => {
    for (const { cell } of inputs) {
      if (!isTemporary(cell)) continue;
      assert(lives.has(cell), `Step ${at} reads what nobody has written`);
      lives.get(cell)![1] = at;
    }
    for (const { cell } of outputs) {
      if (isTemporary(cell)) lives.set(cell, [at, at]);
    }
  });
  const held = steps.map(() => 0);
  for (const [cell, [first, last]] of lives) {
    for (let at = first; at <= last; at++) held[at] += cell.bytes;
  }
  return Math.max(...held);
}

/** A chain forward, and one backward that reads its values in reverse. */
function chain(length: number): GraphCall[] {
  const values = [weight()];
  const calls: GraphCall[] = [];
  for (let i = 0; i < length; i++) {
    values.push(value());
    calls.push(call(tanh, [values[i]], [values[i + 1]]));
  }
  let grad = values[length];
  for (let i = length - 1; i > 0; i--) {
    const next = value();
    calls.push(call(add, [grad, values[i]], [next]));
    grad = next;
  }
  return calls;
}

Deno.test("a long chain within little is a few parts, each computed again from its start", () => {
  const steps = stepsOf(chain(36));
  assertLessOrEqual(36 * BYTES, peakOf(steps));
  for (
    const [held, most] of [[24, 16], [16, 40], [12, 60], [8, 150]] as const
  ) {
    const fewer = recompute(steps, isTemporary, held * BYTES);
    assertLessOrEqual(peakOf(fewer), held * BYTES);
    const again = fewer.filter(({ call }) => call.again).length;
    assert(again > 0);
    assertLessOrEqual(again, most, `${held}`);
  }
});

Deno.test("nothing is run again within enough, and what can be is within too little", () => {
  const steps = stepsOf(chain(6));
  assertEquals(recompute(steps, isTemporary, 100 * BYTES), steps);
  const least = recompute(steps, isTemporary, 2 * BYTES);
  assertLessOrEqual(peakOf(least), 4 * BYTES);
});

Deno.test("what is cheap to compute and frees much goes first", () => {
  const [dear, cheap, end] = [value(), value(), value()];
  const idle = Array.from({ length: 3 }, value);
  const calls = [
    call(tanh, [weight()], [dear]),
    call(tanh, [weight()], [cheap]),
    ...idle.map((y) => call(tanh, [weight()], [y])),
    call(add, [dear, cheap], [end]),
  ];
  const steps = stepsOf(calls).map((step, i) =>
    i === 0 ? { ...step, cost: 100 } : step
  );
  const fewer = recompute(steps, isTemporary, 2 * BYTES);
  const again = fewer.filter(({ call }) => call.again);
  assertEquals(again.length, 1);
  assertEquals(fewer.at(-1)!.call.inputs[0].cell, dear);
});

Deno.test("scratch memory counts", () => {
  const steps = stepsOf(chain(4));
  const [first] = steps;
  const wide = steps.map((step, i) =>
    i === 4 ? { ...step, scratch: [BYTES, BYTES] } : step
  );
  assertEquals(recompute(steps, isTemporary, peakOf(steps)), steps);
  assert(recompute(wide, isTemporary, peakOf(steps)).length > steps.length);
  assertEquals(first.call.again, undefined);
});

Deno.test("what reads a weight isn't run again once the weight has changed", () => {
  const [w, x] = [weight(0), weight(1)];
  const [kept, grad, y, end] = [value(), value(), value(), value()];
  const calls = (changes: boolean) => [
    call(tanh, [w], [kept]),
    call(tanh, [x], [grad]),
    ...(changes ? [call(sgdStep(1), [w, grad], [w])] : []),
    call(add, [grad, x], [y]),
    call(add, [y, kept], [end]),
  ];
  const fewer = (changes: boolean) =>
    recompute(stepsOf(calls(changes)), isTemporary, 2 * BYTES)
      .some(({ call }) => call.again);
  assertEquals(fewer(true), false);
  assertEquals(fewer(false), true);
});

Deno.test("a call of several results gives all of them again", () => {
  const planes = (shape: number[], dtype: "f32" | "i32") =>
    computedCell({ shape, dtype });
  const x = new Cell({ shape: [1, 4, 8, 8], dtype: "f32" }, {
    kind: "input",
    index: 0,
  });
  const y = planes([1, 4, 4, 4], "f32");
  const indices = planes([1, 4, 4, 4], "i32");
  const others = Array.from({ length: 3 }, () => planes([1, 4, 8, 8], "f32"));
  const [end, last] = [planes([64], "f32"), planes([64], "i32")];
  const fewer = recompute(
    stepsOf([
      call(maxPool2d, [x], [y, indices]),
      ...others.map((other) => call(tanh, [x], [other])),
      call(add, [y, y], [end]),
      call(add, [indices, indices], [last]),
    ]),
    isTemporary,
    5 * y.bytes,
  );
  assertLessOrEqual(peakOf(fewer), 5 * y.bytes);
  const again = fewer.filter(({ call }) => call.again);
  assertEquals(again.map(({ call }) => call.op), [maxPool2d]);
  const [{ call: { outputs } }] = again;
  assertEquals(fewer.at(-1)!.call.inputs[0].cell, outputs[1].cell);
});

Deno.test("each parameter steps behind the last who needs it or its gradient", () => {
  const [a, b] = [weight(0), weight(1)];
  const [m, n] = [weight(2), weight(3)];
  const [da, db, y, z] = [value(), value(), value(), value()];
  const first = [
    call(tanh, [a], [y]),
    call(add, [y, b], [db]),
    call(add, [db, a], [da]),
    call(tanh, [da], [z]),
  ];
  const step = call(sgdMomentumStep(2), [a, da, m, b, db, n], [a, m, b, n]);
  const early = stepEarly([...first, step]);
  const [one] = early.filter(({ op }) => op.inPlace);
  assertEquals(one.op, sgdMomentumStep(1));
  assertEquals(
    early.map(({ op, inputs }) =>
      op.inPlace ? `step of ${inputs[0].cell === a ? "a" : "b"}` : op.name
    ),
    ["tanh", "add", "add", "step of b", "tanh", "step of a"],
  );
  const [, , , ofB, , ofA] = early;
  assertEquals(ofB.inputs.map(({ cell }) => cell), [b, db, n]);
  assertEquals(ofB.outputs.map(({ cell }) => cell), [b, n]);
  assertEquals(ofA.inputs.map(({ cell }) => cell), [a, da, m]);
  assertEquals(ofA.partOf, { call: step, rank: 0 });
});
