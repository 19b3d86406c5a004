/** Normalisation and its gradient: values worked by hand, every variant, form, shape and limit. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import {
  batchForm,
  type Form,
  groupForm,
  layerForm,
} from "../../wgsl/norm/forms.ts";
import { channelsOf, type NormAttrs } from "../../wgsl/norm/geometry.ts";
import { normalize, normalizeWith } from "../../wgsl/norm/normalize.ts";
import { normalizeBackward } from "../../wgsl/norm/normalize_backward.ts";
import { updateRunning } from "../../wgsl/norm/running.ts";
import type { DType, HostArray, Limits, Op } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  type Case,
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";

/** Attributes with both parameters, unless `more` says otherwise. */
function attrsOf(form: Form, more: Partial<NormAttrs> = {}): NormAttrs {
  return {
    ...form,
    // Where two or three values stand close together their variance is all that eps isn't, and the task is ill-conditioned.
    eps: 0.1,
    centered: true,
    weight: true,
    bias: true,
    ...more,
  };
}

/** Values around 3 with a spread of about 0.6. */
function values(shape: readonly number[], seed: number, dtype: DType = "f32") {
  const { data } = noise(shape, seed);
  return host(Array.from(data, (v) => v + 3), shape, dtype);
}

/** Checks the three ops in a form. Returns the names of the variants that ran. */
async function checkForm(
  shape: readonly number[],
  attrs: NormAttrs,
  { dtype = "f32", limits = {} }: {
    readonly dtype?: DType;
    readonly limits?: Partial<Limits>;
  } = {},
): Promise<string[]> {
  const x = values(shape, 1, dtype);
  const c = [channelsOf(attrs)];
  const weight = attrs.weight ? [values(c, 2)] : [];
  const bias = attrs.bias ? [values(c, 3)] : [];
  const given = { inputs: [x, ...weight, ...bias], attrs };
  // The statistics of values around 3 cost digits, as many as their square is larger than the variance.
  const length = 64;
  const ran = await checkOp(normalize, { ...given, limits, length });
  const stats = runReference(normalize, given)[1];
  const dy = noise(shape, 4, dtype);
  ran.push(
    ...await checkOp(normalizeWith, {
      inputs: [x, stats, ...weight, ...bias],
      attrs,
      limits,
      length,
    }),
    ...await checkOp(normalizeBackward, {
      inputs: [dy, x, stats, ...weight],
      attrs,
      limits,
      length: 4096,
    }),
  );
  return ran;
}

/** Runs the naive variant. */
function runNaive<Attrs>(op: Op<Attrs>, given: Case<Attrs>) {
  return runVariant(op, "naive", given);
}

/** Asserts what the reference and each variant that applies give. */
async function expectValues<Attrs>(
  op: Op<Attrs>,
  inputs: HostArray[],
  attrs: Attrs,
  want: readonly (readonly number[])[],
): Promise<void> {
  const results = [runReference(op, { inputs, attrs })];
  const request = {
    inputs: inputs.map(contiguousView),
    outputs: results[0].map(contiguousView),
    attrs,
    limits: PORTABLE_LIMITS,
  };
  for (const { name, applies } of op.variants) {
    if (applies && !applies(request)) continue;
    results.push(await runVariant(op, name, { inputs, attrs }));
  }
  for (const outputs of results) {
    want.forEach((values, i) =>
      values.forEach((value, j) =>
        assertAlmostEquals(outputs[i].data[j], value, 2e-6)
      )
    );
  }
}

Deno.test("batch norm of two channels of two samples gives what is worked by hand", async () => {
  const x = host([1, 10, 3, 30], [2, 2]);
  const attrs = attrsOf(batchForm(x.shape), { eps: 0 });
  const weight = host([2, 1], [2]);
  const bias = host([0, 5], [2]);
  await expectValues(normalize, [x, weight, bias], attrs, [
    [-2, 4, 2, 6],
    [2, 1, 20, 100],
  ]);
});

Deno.test("layer, group, instance and RMS norm take the means that their forms name", async () => {
  const x = host([1, 3, 5, 7], [1, 2, 2]);
  const none = { eps: 0, weight: false, bias: false };
  const r = Math.sqrt(5);
  const layer = attrsOf(layerForm(x.shape, 2), none);
  const want = [-3 / r, -1 / r, 1 / r, 3 / r];
  await expectValues(normalize, [x], layer, [want, [4, 5]]);
  const group = attrsOf(groupForm(x.shape, 1), none);
  await expectValues(normalize, [x], group, [want, [4, 5]]);
  const instance = attrsOf(groupForm(x.shape, 2), none);
  await expectValues(normalize, [x], instance, [
    [-1, 1, -1, 1],
    [2, 1, 6, 1],
  ]);
  const rms = attrsOf(layerForm(x.shape, 2), { ...none, centered: false });
  await expectValues(normalize, [x], rms, [
    [1, 3, 5, 7].map((v) => v / Math.sqrt(21)),
    [0, 21],
  ]);
});

Deno.test("the gradient of four values with variance 5 gives what is worked by hand", async () => {
  const x = host([1, 3, 5, 7], [1, 4, 1]);
  const dy = host([1, 0, 0, 0], [1, 4, 1]);
  const stats = host([4, 5], [1, 2]);
  const none = { eps: 0, weight: false, bias: false };
  const attrs = attrsOf(layerForm(x.shape, 2), none);
  const r = 1 / Math.sqrt(5);
  // xhat = (-3, -1, 1, 3)·r, ⟨dy⟩ = 1/4, ⟨dy·xhat⟩ = -3r/4
  const want = [-3, -1, 1, 3].map((v, i) =>
    r * (Number(i === 0) - 1 / 4 + v * r * 3 * r / 4)
  );
  await expectValues(normalizeBackward, [dy, x, stats], attrs, [want]);
});

Deno.test("every variant agrees with its reference in every form over awkward shapes", async () => {
  const ran = new Set<string>();
  const shapes = [
    [1, 1, 1],
    [5, 7],
    [65, 37],
    [3, 6, 16],
    [67, 12, 1, 1],
    [3, 4, 257],
    [1, 2, 37, 113],
    [2, 18, 6, 6],
    [2, 4, 6, 12],
  ];
  for (const shape of shapes) {
    const half = shape[1] % 2 === 0 ? shape[1] / 2 : 1;
    const forms = [
      batchForm(shape),
      groupForm(shape, shape[1]),
      groupForm(shape, half),
      layerForm(shape, shape.length - 1),
    ];
    for (const form of forms) {
      for (const name of await checkForm(shape, attrsOf(form))) ran.add(name);
    }
  }
  assertEquals([...ran].sort(), [
    "fours",
    "naive",
    "rows",
    "spans",
    "staged",
    "tree",
  ]);
});

Deno.test("weight, bias and the mean may each be left out, in f32 and f16", async () => {
  const shape = [4, 6, 5, 5];
  for (const form of [batchForm(shape), layerForm(shape, 2)]) {
    for (const [weight, bias] of [[true, false], [false, true]]) {
      const attrs = attrsOf(form, { weight, bias });
      await checkForm(shape, { ...attrs, centered: weight });
    }
    await checkForm(shape, attrsOf(form), { dtype: "f16" });
  }
  const even = [3, 6, 4, 7];
  for (const form of [batchForm(even), groupForm(even, 2)]) {
    await checkForm(even, attrsOf(form, { bias: false, centered: false }));
    await checkForm(even, attrsOf(form), { dtype: "f16" });
  }
  const rows = attrsOf(layerForm([64, 35], 1), { bias: false });
  await checkForm([64, 35], rows, { dtype: "f16" });
  await checkForm([64, 35], { ...rows, centered: false });
});

Deno.test("operands over the binding limit and loops over the trip limit are cut", async () => {
  const small = { maxStorageBufferBindingSize: 2 ** 20 };
  await checkForm([2, 3, 100_000], attrsOf(batchForm([2, 3, 100_000])), {
    limits: small,
  });
  await checkForm([2, 300_000], attrsOf(layerForm([2, 300_000], 1)), {
    limits: small,
  });
  const few = { maxLoopTrips: 64 };
  for (const form of [batchForm([3, 2, 9973]), layerForm([700, 150], 1)]) {
    const shape = form.outer > 1 ? [3, 2, 9973] : [700, 150];
    await checkForm(shape, attrsOf(form), { limits: few });
  }
});

Deno.test("a mean far from 0 costs no digits of the variance", async () => {
  const far = (rows: number, length: number) =>
    host(
      Array.from({ length: rows * length }, (_, i) => 10_000 + i % 2),
      [rows, length],
    );
  const none = { weight: false, bias: false };
  const cases: [HostArray, NormAttrs, string[]][] = [
    [far(3000, 1), attrsOf(batchForm([3000, 1]), none), ["staged", "tree"]],
    [far(1, 3000), attrsOf(layerForm([1, 3000], 1), none), ["naive"]],
    [far(2, 1500), attrsOf(batchForm([2, 1, 1500]), none), ["fours"]],
    [far(64, 1500), attrsOf(layerForm([64, 1500], 1), none), ["rows"]],
  ];
  for (const [x, attrs, names] of cases) {
    for (const name of names) {
      const [, { data }] = await runVariant(normalize, name, {
        inputs: [x],
        attrs,
      });
      assertAlmostEquals(data[1], 0.25, 1e-4, name);
    }
  }
});

Deno.test("running statistics move by the momentum, the variance unbiased", async () => {
  const inputs = [
    host([1, 2], [2]),
    host([3, 4], [2]),
    host([5, 8, 0, 1], [2, 2]),
  ];
  const given = { inputs, attrs: { momentum: 0.25, count: 3 } };
  const want = [[2, 1.5], [5.25, 3.375]];
  for (const run of [runReference, runNaive]) {
    const outputs = await run(updateRunning, given);
    assertEquals(outputs.map(({ data }) => Array.from(data)), want);
  }
  const long = [noise([150_001], 1), noise([150_001], 2)];
  await checkOp(updateRunning, {
    ...given,
    inputs: [...long, noise([150_001, 2], 3)],
    limits: { maxStorageBufferBindingSize: 2 ** 20 },
  });
});

Deno.test("the same input gives the same bits", async () => {
  const x = values([3, 4, 501], 1);
  const attrs = attrsOf(batchForm(x.shape), { weight: false, bias: false });
  const once = await runVariant(normalize, "staged", { inputs: [x], attrs });
  for (let i = 0; i < 5; i++) {
    const again = await runVariant(normalize, "staged", { inputs: [x], attrs });
    assertEquals(again.map((y) => y.data), once.map((y) => y.data));
  }
});

Deno.test("tensors that don't fit the form are refused", () => {
  const meta = (shape: number[], dtype: DType = "f32") => ({ shape, dtype });
  const attrs = attrsOf(batchForm([2, 3, 4]));
  const messageOf = (run: () => unknown) => assertThrows(run).message;
  assertThrows(() => normalize.infer([meta([2, 3])], attrs), ShapeError);
  assertThrows(
    () => normalize.infer([meta([2, 3, 4], "i32")], attrs),
    DTypeError,
  );
  assertEquals(
    messageOf(() => normalize.infer([meta([2, 3])], attrs)),
    "Cannot normalise [2, 3] as [2, 1, 3, 1, 4]: expected as many elements, at least one",
  );
  assertEquals(
    messageOf(() => normalize.infer([meta([2, 3, 4], "i32")], attrs)),
    "Cannot normalise i32: expected one of f32, f16, f64",
  );
  assertEquals(
    messageOf(() => normalize.infer([meta([2, 3, 4]), meta([2])], attrs)),
    "Cannot normalise [2, 3, 4] with parameters [2]: expected 3 elements, one a channel",
  );
  assertEquals(
    messageOf(() =>
      normalize.infer([meta([2, 3, 4]), meta([3]), meta([3], "f16")], attrs)
    ),
    "Cannot normalise f32 with parameters of f32 and f16: expected both of one float type, f32 or f16",
  );
  assertEquals(
    messageOf(() => normalizeWith.infer([meta([2, 3, 4]), meta([3])], attrs)),
    "Cannot normalise [2, 3, 4] with statistics [3]: expected [3, 2]",
  );
  assertEquals(
    messageOf(() =>
      normalizeWith.infer([meta([2, 3, 4]), meta([3, 2], "f16")], attrs)
    ),
    "Cannot normalise f32 with statistics of f16: expected f32",
  );
  const update = (...metas: ReturnType<typeof meta>[]) =>
    messageOf(() => updateRunning.infer(metas, { momentum: 0.1, count: 2 }));
  assertEquals(
    update(meta([2]), meta([2]), meta([3, 2])),
    "Cannot update running statistics [2] and [2] with [3, 2]: expected [C], [C] and [C, 2] for one C",
  );
  assertEquals(
    update(meta([2]), meta([2], "f16"), meta([2, 2])),
    "Cannot update running statistics of f32 and f16 with f32: expected both of one float type, f32 or f16",
  );
});
