/** Normalisation with a residual and an activation where y is stored: values worked by hand, every variant, form and limit. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { Epilogue } from "../../wgsl/epilogue.ts";
import {
  batchForm,
  type Form,
  groupForm,
  layerForm,
} from "../../wgsl/norm/forms.ts";
import { channelsOf, type NormAttrs } from "../../wgsl/norm/geometry.ts";
import { normalize, normalizeWith } from "../../wgsl/norm/normalize.ts";
import type { DType, Limits } from "../../wgsl/op.ts";
import { savesOf } from "../../wgsl/op.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";

const EPILOGUES: readonly Epilogue[] = [
  { residual: true },
  { activation: { name: "relu" } },
  { residual: true, activation: { name: "relu" } },
  {
    residual: true,
    activation: { name: "leakyRelu", attrs: { alpha: 0.25 } },
  },
];

function attrsOf(form: Form, more: Partial<NormAttrs> = {}): NormAttrs {
  return {
    ...form,
    eps: 0.1,
    centered: true,
    weight: true,
    bias: true,
    ...more,
  };
}

/** Checks both ops with an epilogue. Returns the names of the variants that ran. */
async function checkEnd(
  shape: readonly number[],
  attrs: NormAttrs,
  { dtype = "f32", limits = {} }: {
    readonly dtype?: DType;
    readonly limits?: Partial<Limits>;
  } = {},
): Promise<string[]> {
  const x = noise(shape, 1, dtype);
  const c = [channelsOf(attrs)];
  const parameters = [
    ...(attrs.weight ? [noise(c, 2)] : []),
    ...(attrs.bias ? [noise(c, 3)] : []),
    ...(attrs.epilogue?.residual ? [noise(shape, 4, dtype)] : []),
  ];
  const length = 64;
  const given = { inputs: [x, ...parameters], attrs, limits, length };
  const [, stats] = runReference(normalize, given);
  return [
    ...await checkOp(normalize, given),
    ...await checkOp(normalizeWith, {
      ...given,
      inputs: [x, stats, ...parameters],
    }),
  ];
}

Deno.test("a residual is added to what is normalised, then comes the activation", () => {
  const x = host([1, 3, 5, 7], [2, 2]);
  const attrs = attrsOf(batchForm([2, 2]), {
    eps: 0,
    epilogue: { residual: true, activation: { name: "relu" } },
  });
  const inputs = [
    x,
    host([2, 1], [2]),
    host([1, 0], [2]),
    host([0.5, 0, -4, 2], [2, 2]),
  ];
  const [y, stats] = runReference(normalize, { inputs, attrs });
  const want = [0, 0, 0, 3];
  want.forEach((value, i) => assertAlmostEquals(y.data[i], value, 1e-6));
  const [again] = runReference(normalizeWith, {
    inputs: [x, stats, ...inputs.slice(1)],
    attrs,
  });
  assertEquals(again.data, y.data);
});

Deno.test("every variant ends in a residual and an activation, at sizes around its spans", async () => {
  const forms: [number[], Form][] = [
    [[3, 2, 17], batchForm([3, 2, 17])],
    [[2, 6, 5], groupForm([2, 6, 5], 3)],
    [[70, 33], layerForm([70, 33], 1)],
    [[1, 1, 1], groupForm([1, 1, 1], 1)],
    [[3, 2, 20], batchForm([3, 2, 20])],
  ];
  const ran = new Set<string>();
  for (const [shape, form] of forms) {
    for (const epilogue of EPILOGUES) {
      const names = await checkEnd(shape, attrsOf(form, { epilogue }));
      names.forEach((name) => ran.add(name));
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

Deno.test("an epilogue follows a normalisation with one parameter or none, and without a mean", async () => {
  const epilogue = EPILOGUES[2];
  const shape = [2, 3, 24];
  for (const weight of [true, false]) {
    const more = { weight, bias: !weight, epilogue };
    await checkEnd(shape, attrsOf(batchForm(shape), more));
  }
  const none = { weight: false, bias: false, epilogue };
  await checkEnd(shape, attrsOf(batchForm(shape), none));
  const rms = attrsOf(layerForm(shape, 1), { centered: false, epilogue });
  await checkEnd(shape, rms);
});

Deno.test("the residual may be f16, as x then is, with parameters in f32", async () => {
  const dtype = "f16";
  for (
    const [shape, form] of [
      [[3, 5, 17], batchForm([3, 5, 17])],
      [[3, 5, 28], batchForm([3, 5, 28])],
      [[65, 33], layerForm([65, 33], 1)],
    ] as const
  ) {
    await checkEnd(shape, attrsOf(form, { epilogue: EPILOGUES[3] }), { dtype });
  }
});

Deno.test("each part of a tensor over the binding limit gets its own part of the residual", async () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 20 };
  const epilogue = EPILOGUES[2];
  for (
    const [shape, form] of [
      [[2, 3, 100_000], batchForm([2, 3, 100_000])],
      [[2, 300_001], layerForm([2, 300_001], 1)],
    ] as const
  ) {
    await checkEnd(shape, attrsOf(form, { epilogue }), { limits });
  }
});

Deno.test("what backward keeps depends on the activation", () => {
  const form = attrsOf(batchForm([2, 3, 4]));
  const saved = (epilogue?: Epilogue, more: Partial<NormAttrs> = {}) =>
    [normalize, normalizeWith].map(({ gradient }) =>
      savesOf(gradient, { ...form, ...more, epilogue })
    );
  const given = { inputs: [0, 1], outputs: [1] };
  const givenWith = { inputs: [0, 1, 2], outputs: [] };
  assertEquals(saved(), [given, givenWith]);
  assertEquals(saved({ residual: true }), [given, givenWith]);
  assertEquals(saved({ activation: { name: "relu" } }), [
    { inputs: [0, 1], outputs: [0, 1] },
    { inputs: [0, 1, 2], outputs: [0] },
  ]);
  assertEquals(saved({ residual: true, activation: { name: "gelu" } }), [
    { inputs: [0, 1, 2, 3], outputs: [1] },
    { inputs: [0, 1, 2, 3, 4], outputs: [] },
  ]);
  assertEquals(saved(undefined, { weight: false }), [
    { inputs: [0], outputs: [1] },
    { inputs: [1], outputs: [] },
  ]);
});

Deno.test("epilogues that a normalisation can't end in are refused", () => {
  const meta = (shape: number[], dtype: DType = "f32") => ({ shape, dtype });
  const refused = (epilogue: Epilogue, ...rest: ReturnType<typeof meta>[]) => {
    const attrs = attrsOf(batchForm([2, 3, 4]), {
      weight: false,
      bias: false,
      epilogue,
    });
    const messages = [
      assertThrows(() => normalize.infer([meta([2, 3, 4]), ...rest], attrs)),
      assertThrows(() =>
        normalizeWith.infer(
          [meta([2, 3, 4]), meta([3, 2]), ...rest],
          attrs,
        )
      ),
    ].map((error) => (error as Error).message);
    return messages;
  };
  const both = (message: string) => [message, message];
  assertEquals(
    refused({ bias: true }, meta([3])),
    both(
      "Cannot normalise with a bias in the epilogue: weight and bias are inputs of its own, expected a residual or an activation",
    ),
  );
  assertEquals(
    refused({ affine: true }, meta([3]), meta([3])),
    both(
      "Cannot normalise with a scale and shift in the epilogue: weight and bias are inputs of its own, expected a residual or an activation",
    ),
  );
  assertEquals(
    refused({ slope: true }, meta([2, 3, 4])),
    both(
      "Cannot normalise with a slope in the epilogue: expected a residual or an activation",
    ),
  );
  assertEquals(
    refused({ residual: true }, meta([2, 3, 1])),
    both("Cannot normalise: the residual is [2, 3, 1], expected [2, 3, 4]"),
  );
  assertEquals(
    refused({ residual: true }, meta([2, 3, 4], "f16")),
    both("Cannot normalise: the residual is f16, expected f32"),
  );
  assertEquals(refused({ residual: true }), [
    "Cannot normalise: got 1 inputs, its epilogue needs 2",
    "Cannot normalise: got 2 inputs, its epilogue needs 3",
  ]);
});
