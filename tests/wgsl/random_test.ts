import { assert, assertEquals, assertThrows } from "@std/assert";
import { DTypeError } from "../../wgsl/errors.ts";
import type { DType, HostArray, Op, Shape } from "../../wgsl/op.ts";
import { dropout } from "../../wgsl/random/dropout.ts";
import { blocksFor, type Key, philox4x32 } from "../../wgsl/random/philox.ts";
import {
  bernoulli,
  normal,
  philoxBits,
  type RandomAttrs,
  randomInt,
  uniform,
} from "../../wgsl/random/random.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";
import { contiguousView } from "../../wgsl/shape.ts";

/** What assertThrows expects. */
type ErrorClass = Parameters<typeof assertThrows>[1];

const KEY: Key = [0xa4093822, 0x299f31d0];

/** A million numbers of a distribution, by its reference. */
function sample<Attrs extends RandomAttrs>(
  op: Op<Attrs>,
  attrs: Attrs,
): HostArray {
  return runReference(op, { inputs: [], attrs })[0];
}

const MANY = { shape: [1_000_000], key: KEY, counter: 5 };

function moments({ data }: HostArray): { mean: number; variance: number } {
  let sum = 0;
  for (const v of data) sum += v;
  const mean = sum / data.length;
  let squares = 0;
  for (const v of data) squares += (v - mean) ** 2;
  return { mean, variance: squares / data.length };
}

/** χ² of 16 bins that should hold equal shares. */
function chiSquared(bins: Iterable<number>): number {
  const counts = new Float64Array(16);
  let n = 0;
  for (const bin of bins) {
    counts[bin]++;
    n++;
  }
  return counts.reduce((sum, c) => sum + (c - n / 16) ** 2 / (n / 16), 0);
}

/** χ² with 15 degrees of freedom is above this once in a thousand samples. */
const CHI_SQUARED_LIMIT = 37.7;

Deno.test("philoxBits gives the words of blocks that are counted up", async () => {
  const attrs = { shape: [4], key: [0, 0] as Key, counter: 0 };
  for (const name of ["blocks", "naive"]) {
    const [y] = await runVariant(philoxBits, name, { inputs: [], attrs });
    assertEquals([...y.data], [...philox4x32([0, 0, 0, 0], [0, 0])]);
  }
});

Deno.test("kernel and reference draw the same words, whatever the size", async () => {
  for (const size of [0, 1, 3, 4, 5, 255, 256, 257, 1009]) {
    const attrs = { shape: [size], key: KEY, counter: 77 };
    const ran = await checkOp(philoxBits, { inputs: [], attrs });
    assertEquals(ran, ["blocks", "naive"]);
  }
});

Deno.test("counters carry into their high word", async () => {
  for (const counter of [2 ** 32 - 2, 2 ** 32 + 5, 2 ** 45 - 1]) {
    const attrs = { shape: [40], key: KEY, counter };
    await checkOp(philoxBits, { inputs: [], attrs });
  }
  const attrs = { shape: [4], key: KEY, counter: 2 ** 32 };
  assertEquals(
    [...sample(philoxBits, attrs).data],
    [...philox4x32([0, 1, 0, 0], KEY)],
  );
});

Deno.test("a stream goes on where the call before it ended", () => {
  const all = sample(philoxBits, { shape: [40], key: KEY, counter: 3 });
  const counter = 3 + blocksFor(12);
  const rest = sample(philoxBits, { shape: [28], key: KEY, counter });
  assertEquals([...rest.data], [...all.data.subarray(12)]);
  assertEquals([0, 1, 4, 5].map(blocksFor), [0, 1, 1, 2]);
});

Deno.test("launches are cut for the binding limit and folded for the grid without changing the stream", async () => {
  const limits = { maxStorageBufferBindingSize: 1024 * 1024 };
  const attrs = { shape: [300_001], key: KEY, counter: 2 ** 32 - 70_000 };
  await checkOp(philoxBits, { inputs: [], attrs, limits });
  const few = { maxComputeWorkgroupsPerDimension: 7 };
  const small = { ...attrs, shape: [49 * 64] };
  await checkOp(philoxBits, { inputs: [], attrs: small, limits: few });
  const x = { inputs: [noise([300_001])], attrs: { ...attrs, p: 0.3 } };
  await checkOp(dropout, { ...x, limits });
});

/** Kernels whose results must be the reference's to the last bit. */
async function assertSameBits<Attrs>(
  op: Op<Attrs>,
  attrs: Attrs,
  inputs: HostArray[] = [],
): Promise<void> {
  const [want] = runReference(op, { inputs, attrs });
  for (const { name } of op.variants) {
    const [y] = await runVariant(op, name, { inputs, attrs });
    assertEquals(y, want, `${op.name} (${name})`);
  }
}

Deno.test("uniform numbers are the reference's bits and lie in [low, high)", async () => {
  const shape: Shape = [37, 11];
  for (
    const [low, high] of [[0, 1], [-3, 5], [1, 2], [-2, -1], [0.1, 0.3], [
      -1,
      0,
    ]]
  ) {
    for (const dtype of ["f32", "f16"] as DType[]) {
      const attrs = { shape, key: KEY, counter: 9, low, high, dtype };
      await assertSameBits(uniform, attrs);
      const { data } = sample(uniform, { ...attrs, shape: [20_000] });
      const start = dtype === "f16" ? Math.f16round(low) : Math.fround(low);
      assert(data.every((v) => v >= start && v < high), `[${low}, ${high})`);
    }
  }
});

Deno.test("uniform numbers have the mean, variance and evenness that they should", () => {
  const y = sample(uniform, { ...MANY, low: 0, high: 1 });
  const { mean, variance } = moments(y);
  assert(Math.abs(mean - 1 / 2) < 5 * Math.sqrt(1 / 12 / 1e6), `${mean}`);
  assert(Math.abs(variance - 1 / 12) < 5e-4 / 3, `${variance}`);
  const chi = chiSquared(Array.from(y.data, (v) => Math.floor(v * 16)));
  assert(chi < CHI_SQUARED_LIMIT, `${chi}`);
});

Deno.test("normal numbers agree with the reference within the tolerance and are finite", async () => {
  for (const dtype of ["f32", "f16"] as DType[]) {
    for (const [mean, std] of [[0, 1], [-3, 0.5], [10, 0]]) {
      const shape = [5, 4001];
      const attrs = { shape, key: KEY, counter: 1, mean, std, dtype };
      await checkOp(normal, { inputs: [], attrs });
    }
  }
  const [y] = await runVariant(normal, "blocks", {
    inputs: [],
    attrs: { ...MANY, mean: 0, std: 1 },
  });
  assert(y.data.every((v) => Math.abs(v) < 5.8));
});

Deno.test("normal numbers have the mean, variance and evenness that they should", () => {
  const y = sample(normal, { ...MANY, mean: 0, std: 1 });
  const { mean, variance } = moments(y);
  assert(Math.abs(mean) < 5e-3, `${mean}`);
  assert(Math.abs(variance - 1) < 5 * Math.sqrt(2 / 1e6), `${variance}`);
  // Upper ends of fifteen of the sixteen bins of equal probability.
  const ends = [
    ...[-1.534121, -1.15035, -0.887147, -0.67449, -0.488776, -0.318639],
    ...[-0.157311, 0, 0.157311, 0.318639, 0.488776, 0.67449, 0.887147],
    ...[1.15035, 1.534121],
  ];
  const bins = Array.from(y.data, (v) => ends.filter((end) => v >= end).length);
  const chi = chiSquared(bins);
  assert(chi < CHI_SQUARED_LIMIT, `${chi}`);
  // Neighbours come from one pair of words and must not depend on each other.
  let product = 0;
  for (let i = 0; i < y.data.length; i += 2) {
    product += y.data[i] * y.data[i + 1];
  }
  assert(Math.abs(product / 5e5) < 5 / Math.sqrt(5e5), `${product}`);
});

Deno.test("random integers are the reference's, in range and even", async () => {
  const bounds: [number, number, DType][] = [
    [0, 10, "i32"],
    [-7, -6, "i32"],
    [-(2 ** 31), 2 ** 31, "i32"],
    [0, 2 ** 32, "u32"],
    [3, 20, "u32"],
    [-5, 5, "f32"],
    [0, 1000, "f16"],
  ];
  for (const [low, high, dtype] of bounds) {
    const attrs = { shape: [1003], key: KEY, counter: 4, low, high, dtype };
    await assertSameBits(randomInt, attrs);
    const { data } = sample(randomInt, attrs);
    assert(data.every((v) => v >= low && v < high), `${low} to ${high}`);
  }
  const y = sample(randomInt, { ...MANY, low: -8, high: 8 });
  const chi = chiSquared(Array.from(y.data, (v) => v + 8));
  assert(chi < CHI_SQUARED_LIMIT, `${chi}`);
});

Deno.test("bernoulli draws ones with its probability, the reference's in every dtype", async () => {
  for (const dtype of ["bool", "f32", "f16", "i32", "u32"] as DType[]) {
    for (const p of [0, 0.3, 1]) {
      const attrs = { shape: [41, 7], key: KEY, counter: 0, p, dtype };
      await assertSameBits(bernoulli, attrs);
    }
  }
  for (const p of [0, 0.01, 0.5, 0.9, 1]) {
    const { mean } = moments(sample(bernoulli, { ...MANY, p, dtype: "bool" }));
    assert(Math.abs(mean - p) <= 5 * Math.sqrt(p * (1 - p) / 1e6), `${mean}`);
  }
});

Deno.test("dropout keeps what bernoulli draws and makes up for the rest", async () => {
  const stream = { key: KEY, counter: 12 };
  const x = noise([13, 31]);
  const given = { inputs: [x], attrs: { ...stream, p: 0.25 } };
  assertEquals(await checkOp(dropout, given), ["blocks", "naive"]);
  const kept = sample(bernoulli, {
    ...stream,
    shape: x.shape,
    p: 0.75,
    dtype: "bool",
  });
  const [y] = runReference(dropout, given);
  kept.data.forEach((keep, i) =>
    assertEquals(y.data[i] + 0, Math.fround(keep ? x.data[i] / 0.75 : 0) + 0)
  );
});

Deno.test("dropout works for f16, for p of 0 and 1, for nothing, and leaves NaN", async () => {
  const stream = { key: KEY, counter: 12 };
  for (const p of [0, 0.5, 1]) {
    const attrs = { ...stream, p };
    await checkOp(dropout, { inputs: [noise([257], 2, "f16")], attrs });
    await checkOp(dropout, { inputs: [host([], [0, 3])], attrs });
    const x = host([NaN, 1, NaN, NaN, 2, NaN, NaN], [7]);
    await checkOp(dropout, { inputs: [x], attrs });
    const [y] = runReference(dropout, { inputs: [x], attrs });
    assertEquals([...y.data].filter(Number.isNaN).length, 5);
  }
});

Deno.test("random ops name what doesn't fit", () => {
  const stream = { shape: [2], key: KEY, counter: 0 };
  const cases: [() => unknown, ErrorClass, string][] = [
    [
      () => uniform.infer([], { ...stream, low: 1, high: 1 }),
      RangeError,
      "Cannot draw uniform numbers from 1 to 1: expected a low end below the high end, both finite in f32",
    ],
    [
      // Each end is finite, and what lies between them isn't.
      () => uniform.infer([], { ...stream, low: -3e38, high: 3e38 }),
      RangeError,
      "Cannot draw uniform numbers from -3e+38 to 3e+38: expected a low end below the high end, both finite in f32",
    ],
    [
      () => uniform.infer([], { ...stream, low: 0, high: 1, dtype: "i32" }),
      DTypeError,
      "Cannot draw uniform numbers of i32: expected a float dtype",
    ],
    [
      () => normal.infer([], { ...stream, mean: 0, std: -1 }),
      RangeError,
      "Cannot draw normal numbers with mean 0 and standard deviation -1: expected finite numbers, the deviation from 0",
    ],
    [
      () => randomInt.infer([], { ...stream, low: 0, high: 2.5 }),
      RangeError,
      "Cannot draw integers from 0 to below 2.5: expected whole numbers from -2147483648 to 2147483648, the low one below the high one",
    ],
    [
      () => randomInt.infer([], { ...stream, low: 0, high: 2, dtype: "bool" }),
      DTypeError,
      "Cannot draw integers of bool: use bernoulli for zeros and ones",
    ],
    [
      () => bernoulli.infer([], { ...stream, p: 1.5, dtype: "bool" }),
      RangeError,
      "Cannot draw ones with probability 1.5: expected a number from 0 to 1",
    ],
    [
      () =>
        dropout.infer([{ shape: [2], dtype: "f32" }], { ...stream, p: NaN }),
      RangeError,
      "Cannot drop elements with probability NaN: expected a number from 0 to 1",
    ],
    [
      () =>
        dropout.infer([{ shape: [2], dtype: "i32" }], { ...stream, p: 0.5 }),
      DTypeError,
      "Cannot drop elements of i32: expected a float dtype",
    ],
  ];
  for (const [run, kind, message] of cases) {
    const error = assertThrows(run, kind);
    assertEquals(error.message, message);
  }
});

Deno.test("random numbers state the trips of their rounds and of their elements", () => {
  const attrs = { ...MANY, low: 0, high: 1 };
  const outputs = uniform.infer([], attrs).map(contiguousView);
  const request = { inputs: [], outputs, attrs, limits: PORTABLE_LIMITS };
  const trips = uniform.variants.map(({ plan }) =>
    plan(request).launches.map(({ trips }) => trips)
  );
  assertEquals(trips, [[10 + 4], [10 + 1]]);
});
