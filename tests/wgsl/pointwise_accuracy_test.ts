/** Errors of the GPU's functions in ULP, over sweeps of inputs, against what each op states. */
import { assert, assertEquals } from "@std/assert";
import { BINARY_OPS, gelu, UNARY_OPS } from "../../wgsl/pointwise/mod.ts";
import { host, runVariant } from "../support/plan.ts";
import { isNearSubnormal, keepsSubnormals } from "../support/subnormals.ts";
import { ulpsBetween } from "../support/ulp.ts";

const SAMPLES = 1 << 15;

/** Numbers from 0 to 1, the same at every run. */
function* uniform(seed: number): Generator<number> {
  for (let state = seed;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Numbers around 0 as far as `scales` say, and of any bits. */
function sweep(seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(4 * SAMPLES);
  const bits = new Uint32Array(values.buffer);
  const random = uniform(seed);
  const next = () => random.next().value as number;
  for (let i = 0; i < SAMPLES; i++) {
    values[i] = (next() - 0.5) * 3;
    values[SAMPLES + i] = (next() - 0.5) * 24;
    values[2 * SAMPLES + i] = (next() - 0.5) * 220;
    bits[3 * SAMPLES + i] = Math.floor(next() * 2 ** 32);
  }
  return values;
}

Deno.test("unary functions keep to the error that they state, over a sweep", async () => {
  const wrong: string[] = [];
  const xs = sweep(1);
  const whole = await keepsSubnormals("accuracy of unary functions");
  for (const [name, op] of Object.entries(UNARY_OPS)) {
    const { accuracy } = op;
    const { ulps, of, from = -Infinity, to = Infinity } = accuracy;
    const subjects = op === gelu
      ? [{ approximate: "none" }, { approximate: "tanh" }]
      : [op.defaults];
    for (const attrs of subjects) {
      const inputs = [{ ...host([], [0]), shape: [xs.length], data: xs }];
      const [{ data }] = await runVariant(op, "vec4", { inputs, attrs });
      // In float64, so that the error is against the true value.
      const wide = { shape: [xs.length], data: new Float64Array(xs.length) };
      const dtype = op.infer(inputs, attrs)[0].dtype === "bool"
        ? "bool" as const
        : "f64" as const;
      op.reference(inputs, [{ ...wide, dtype }], attrs);
      let worst = 0;
      let at = 0;
      for (let i = 0; i < xs.length; i++) {
        const x = xs[i];
        if (x < from || x > to) continue;
        if (!whole && [x, wide.data[i]].some(isNearSubnormal)) continue;
        const unit = of === "input" ? x : wide.data[i];
        const error = ulpsBetween(data[i], wide.data[i], unit);
        if (error > worst) [worst, at] = [error, x];
      }
      if (worst > ulps) {
        wrong.push(`${name}: ${worst.toFixed(2)} ULP at ${at}, not ${ulps}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("large angles next to multiples of π/2 keep every digit of what is left", async () => {
  // Those of their binades that come nearest to a multiple, as bits: found by trying all. What is left is from 1e-8 to 1e-6, so that the last
  // digits of 2/π that are used count.
  const bits = [
    ...[0x4b2562ae, 0x4bf3b47b, 0x5a7bc261, 0x5bffb3d4, 0x6a9976f1],
    ...[0x6b9976f1, 0x6f79be45, 0x7afccbab, 0x7b1675c0, 0x7b9675c0],
  ];
  const xs = new Float32Array(new Uint32Array(bits).buffer);
  const inputs = [host([...xs, ...xs.map((x) => -x)], [2 * bits.length])];
  for (const name of ["sin", "cos", "tan"] as const) {
    const op = UNARY_OPS[name];
    const given = { inputs, attrs: op.defaults };
    const [{ data }] = await runVariant(op, "naive", given);
    const errors = Array.from(
      inputs[0].data,
      (x, i) => ulpsBetween(data[i], Math[name](x)),
    );
    assertEquals(errors.filter((ulps) => ulps > op.accuracy.ulps), []);
  }
});

Deno.test("binary functions keep to the error that they state, over a sweep", async () => {
  const wrong: string[] = [];
  const n = 3 * SAMPLES;
  const whole = await keepsSubnormals("accuracy of binary functions");
  const a = new Float32Array(n);
  const b = new Float32Array(n);
  const random = uniform(7);
  const next = () => random.next().value as number;
  const aBits = new Uint32Array(a.buffer);
  const bBits = new Uint32Array(b.buffer);
  for (let i = 0; i < SAMPLES; i++) {
    a[i] = Math.exp((next() - 0.5) * 20);
    b[i] = (next() - 0.5) * 20;
    a[SAMPLES + i] = 1 + (next() - 0.5) / 512;
    b[SAMPLES + i] = (next() - 0.5) * 8e4;
    aBits[2 * SAMPLES + i] = Math.floor(next() * 2 ** 32);
    bBits[2 * SAMPLES + i] = Math.floor(next() * 2 ** 32);
  }
  for (const [name, op] of Object.entries(BINARY_OPS)) {
    const input = (data: Float32Array<ArrayBuffer>) => ({
      shape: [n],
      dtype: "f32" as const,
      data,
    });
    const inputs = [input(a), input(b)];
    const [{ data }] = await runVariant(op, "vec4", { inputs, attrs: {} });
    const { dtype } = op.infer(inputs, {})[0];
    const want = {
      shape: [n],
      dtype: dtype === "bool" ? "bool" as const : "f64" as const,
      data: new Float64Array(n),
    };
    op.reference(inputs, [want], {});
    let worst = 0;
    let at = 0;
    for (let i = 0; i < n; i++) {
      const all = [a[i], b[i], want.data[i]];
      if (!whole && all.some(isNearSubnormal)) continue;
      const error = ulpsBetween(data[i], want.data[i]);
      if (error > worst) [worst, at] = [error, i];
    }
    if (worst > op.accuracy.ulps) {
      wrong.push(
        `${name}: ${worst.toFixed(2)} ULP at ${a[at]}, ${b[at]}: ${
          data[at]
        }, not ${want.data[at]}`,
      );
    }
  }
  assertEquals(wrong, []);
});

Deno.test("logarithms are exact where their results are integers", async () => {
  const powers = Array.from({ length: 250 }, (_, i) => 2 ** (i - 125));
  const inputs = [host(powers, [250])];
  const [{ data }] = await runVariant(UNARY_OPS.log2, "naive", {
    inputs,
    attrs: {},
  });
  assertEquals([...data], powers.map(Math.log2));
  const tens = [1, 10, 100, 1000, 1e4, 1e5, 1e6];
  const [tenth] = await runVariant(UNARY_OPS.log10, "naive", {
    inputs: [host(tens, [7])],
    attrs: {},
  });
  assertEquals([...tenth.data], [0, 1, 2, 3, 4, 5, 6]);
});

Deno.test("what stands in a doc line as an error is what the op states", async () => {
  const folder = new URL("../../wgsl/pointwise/", import.meta.url);
  const ops = { ...UNARY_OPS, ...BINARY_OPS };
  const stated: string[] = [];
  for await (const { name: file } of Deno.readDir(folder)) {
    if (!file.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(new URL(file, folder));
    const docs = text.matchAll(
      /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\nexport const (\w+) = /g,
    );
    for (const [, doc, name] of docs) {
      const ulps = doc.match(/at most ([\d.]+) ULP/i)?.[1];
      if (!(name in ops) || ulps === undefined) continue;
      stated.push(name);
      assert(
        Number(ulps) === ops[name].accuracy.ulps,
        `${name}'s doc line says ${ulps} ULP, the op ${
          ops[name].accuracy.ulps
        }`,
      );
    }
  }
  const inexact = Object.keys(ops).filter((name) =>
    ops[name].accuracy.ulps > 1
  );
  assertEquals(inexact.filter((name) => !stated.includes(name)), []);
});
