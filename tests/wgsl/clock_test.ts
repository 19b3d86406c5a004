/** What moves on between the runs of a plan, and the params that it is moved on in. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  advance,
  drawMove,
  STATE_WORDS,
  stateWords,
  tableMove,
} from "../../wgsl/clock/advance.ts";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { AnyOp, Meta } from "../../wgsl/op.ts";
import { adagradStep } from "../../wgsl/optim/adagrad.ts";
import { adamStep } from "../../wgsl/optim/adam.ts";
import { rmspropStep } from "../../wgsl/optim/rmsprop.ts";
import { sgdMomentumStep, sgdStep } from "../../wgsl/optim/sgd.ts";
import { stateShape } from "../../wgsl/optim/step.ts";
import { dropout } from "../../wgsl/random/dropout.ts";
import { counterWords, type Key } from "../../wgsl/random/philox.ts";
import {
  bernoulli,
  normal,
  philoxBits,
  randomInt,
  uniform,
} from "../../wgsl/random/random.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  type Case,
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
} from "../support/plan.ts";

/** A run of moves. */
function caseOf(
  moves: readonly number[][],
  table: readonly (readonly number[][])[],
  state: readonly number[],
  places: number,
  draws: number,
  blocks: number,
): Case<{ draws: number; blocks: number }> {
  const u32 = (values: readonly number[], ...shape: number[]) =>
    host(values, shape, "u32");
  const before = Array.from({ length: 4 * places }, (_, i) => 1000 + i);
  return {
    inputs: [
      u32(moves.flat(), moves.length, 4),
      u32(table.flat(2), table.length, table[0].length, 4),
      u32(state, STATE_WORDS),
      u32(before, places, 4),
    ],
    attrs: { draws, blocks },
  };
}

Deno.test("a run moves on, worked by hand", async () => {
  const moves = [drawMove(2, 0), drawMove(0, 7), tableMove(3, 1)];
  const table = [
    [[1, 2, 3, 4], [5, 6, 7, 8]],
    [[9, 10, 11, 12], [13, 14, 15, 16]],
  ];
  const given = caseOf(moves, table, stateWords([21, 22], 30, 1), 5, 2, 8);
  const [state, words] = runReference(advance, given);
  assertEquals([...state.data], [21, 22, 38, 0, 2, 0]);
  assertEquals([...words.data], [
    ...[21, 22, 37, 0],
    ...[1004, 1005, 1006, 1007],
    ...[21, 22, 30, 0],
    ...[13, 14, 15, 16],
    ...[1016, 1017, 1018, 1019],
  ]);
  assertEquals(await checkOp(advance, given), ["naive"]);
});

Deno.test("counters carry into their high word, and go on at 0 after the last", async () => {
  const most = 2 ** 32 - 1;
  const carries: readonly [number[], number, number[], number[]][] = [
    [[most, 0], 1, [0, 1], [0, 1]],
    [[most, 5], 2 ** 32 + 3, [2, 7], [2, 7]],
    [[2 ** 31, 0], 2 ** 31, [0, 1], [0, 1]],
    [[most, most], 1, [0, 0], [0, 0]],
    [[0, most], 2 ** 40, [0, 255], [0, 255]],
    [[most, most], 0, [most, most], [most, most]],
  ];
  for (const [counter, added, want, next] of carries) {
    const state = [3, 4, ...counter, 0, 0];
    const given = caseOf(
      [drawMove(1, added)],
      [[[0, 0, 0, 0]]],
      state,
      2,
      1,
      added,
    );
    const [after, words] = runReference(advance, given);
    assertEquals([...words.data.slice(4)], [3, 4, ...want]);
    assertEquals([...after.data], [3, 4, ...next, 1, 0]);
    await checkOp(advance, given);
  }
});

Deno.test("many moves are as few, of a row in the middle of the table", async () => {
  const count = 500;
  for (const draws of [0, 1, 63, 64, 65, 300, count]) {
    const places = Array.from({ length: count }, (_, i) => (i * 7) % 512);
    const moves = places.map((place, i) =>
      i < draws ? drawMove(place, i * 2 ** 29) : tableMove(place, i % 33)
    );
    const { data } = noise([3 * 33 * 4], 1, "u32");
    const rows = [0, 1, 2].map((row) =>
      Array.from(
        { length: 33 },
        (_, i) =>
          Array.from(data.subarray((row * 33 + i) * 4, (row * 33 + i + 1) * 4)),
      )
    );
    const state = stateWords([1, 2 ** 32 - 1], 2 ** 32 - 100, 1);
    await checkOp(advance, caseOf(moves, rows, state, 512, draws, 2 ** 33 + 1));
  }
});

Deno.test("other types and shapes are refused", () => {
  const u32 = (...shape: number[]): Meta => ({ shape, dtype: "u32" });
  const infer = (...metas: Meta[]) =>
    advance.infer(metas, { draws: 0, blocks: 0 });
  assertEquals(infer(u32(3, 4), u32(2, 1, 4), u32(6), u32(9, 4)), [
    u32(6),
    u32(9, 4),
  ]);
  const bad: readonly (readonly number[][])[] = [
    [[3], [2, 1, 4], [6], [9, 4]],
    [[3, 3], [2, 1, 4], [6], [9, 4]],
    [[3, 4], [2, 4], [6], [9, 4]],
    [[3, 4], [2, 1, 3], [6], [9, 4]],
    [[3, 4], [2, 1, 4], [5], [9, 4]],
    [[3, 4], [2, 1, 4], [1, 6], [9, 4]],
    [[3, 4], [2, 1, 4], [6], [9, 3]],
    [[3, 4], [2, 1, 4], [6], [9]],
  ];
  for (const shapes of bad) {
    const text = shapes.map((shape) => `[${shape.join(", ")}]`).join(", ");
    assertThrows(
      () => infer(...shapes.map((shape) => u32(...shape))),
      ShapeError,
      `Cannot advance ${text}: expected [m, 4], [rows, width, 4], [6], [n, 4]`,
    );
  }
  assertThrows(
    () =>
      infer(u32(3, 4), u32(2, 1, 4), u32(6), { shape: [9, 4], dtype: "f32" }),
    DTypeError,
    "Cannot advance f32: expected u32",
  );
});

/** The launches of each variant of a call. */
function launchesOf(
  op: AnyOp,
  inputs: readonly Meta[],
  attrs: unknown,
  most = PORTABLE_LIMITS.maxStorageBufferBindingSize,
) {
  const limits = { ...PORTABLE_LIMITS, maxStorageBufferBindingSize: most };
  const outputs = op.infer(inputs, attrs).map(contiguousView);
  const request = { inputs: inputs.map(contiguousView), outputs, attrs };
  return op.variants.map((variant) =>
    variant.plan({ ...request, limits }).launches
  );
}

Deno.test("params of all that draws begin with its place in the stream", () => {
  const key: Key = [0xa4093822, 0x299f31d0];
  const counter = 2 ** 32 - 70;
  const shape = [1000];
  const at = { shape, key, counter };
  const x: Meta = { shape, dtype: "f32" };
  const draws: readonly [AnyOp, readonly Meta[], unknown][] = [
    [philoxBits, [], at],
    [uniform, [], { ...at, low: 0, high: 1 }],
    [normal, [], { ...at, mean: 0, std: 1 }],
    [randomInt, [], { ...at, low: 0, high: 9 }],
    [bernoulli, [], { ...at, p: 0.5, dtype: "f32" }],
    [dropout, [x], { key, counter, p: 0.5 }],
  ];
  for (const [op, inputs, attrs] of draws) {
    for (const launches of launchesOf(op, inputs, attrs, 1024)) {
      assertEquals(launches.length, 4, op.name);
      let block = 0;
      for (const { params } of launches) {
        const [k0, k1, low, high] = params!;
        const place = counterWords(counter + block);
        assertEquals([k0, k1, low, high], [...key, ...place], op.name);
        block += 64;
      }
    }
  }
});

Deno.test("params of optimiser steps end with their tail, and nothing else of them changes from step to step", () => {
  const lr = 0.1;
  const plain = { lr, weightDecay: 0.5 };
  const adam = { ...plain, beta1: 0.9, beta2: 0.99, eps: 1e-8 };
  const momentum = { ...plain, momentum: 0.9, dampening: 0, nesterov: true };
  const rms = { ...plain, alpha: 0.9, eps: 1, momentum: 0.5, centered: true };
  const rules: readonly [
    (count: number) => AnyOp,
    number,
    unknown,
    unknown,
  ][] = [
    [sgdStep, 0, plain, { ...plain, lr: 0.2 }],
    [sgdMomentumStep, 1, { ...momentum, first: true }, {
      ...{ ...momentum, lr: 0.2, nesterov: false },
      first: false,
    }],
    [adamStep, 2, { ...adam, decoupled: true, step: 1 }, {
      ...{ ...adam, decoupled: true, lr: 0.2, weightDecay: 0.1 },
      step: 2,
    }],
    [rmspropStep, 3, rms, { ...rms, lr: 0.2, alpha: 0.8 }],
    [adagradStep, 1, { ...plain, eps: 1, lrDecay: 0.1, step: 1 }, {
      ...{ ...plain, eps: 1, lrDecay: 0.1 },
      step: 2,
    }],
  ];
  for (const [make, states, now, later] of rules) {
    const op = make(3);
    const inputs = [100, 20000, 77].flatMap((n): Meta[] => {
      const p: Meta = { shape: [n], dtype: "f32" };
      const state: Meta = { shape: stateShape(n, states), dtype: "f32" };
      return states > 0 ? [p, p, state] : [p, p];
    });
    const tail = op.tail!(now);
    const next = op.tail!(later);
    assertEquals(tail.length % 4, 0);
    const before = launchesOf(op, inputs, now);
    const after = launchesOf(op, inputs, later);
    before.forEach((launches, v) =>
      launches.forEach((launch, i) => {
        const start = launch.params!.length - tail.length;
        assertEquals(start % 4, 0);
        assertEquals(launch.params!.slice(start), tail);
        const params = launch.params!.slice();
        params.set(next, start);
        assertEquals(after[v][i], { ...launch, params });
      })
    );
  }
});
