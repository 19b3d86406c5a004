import { assertEquals } from "@std/assert";
import { matmul } from "../../wgsl/matmul/matmul.ts";
import type { DType, HostArray, Shape, View } from "../../wgsl/op.ts";
import { contiguousView, sizeOf, stridesOf } from "../../wgsl/shape.ts";
import { checkOp, noise, PORTABLE_LIMITS } from "../support/plan.ts";

/** A buffer and the view of it that stands for an operand. */
interface Operand {
  readonly data: HostArray;
  readonly view: View;
}

/** A tensor stored with its axes in another order: `order` are the axes from the outermost stored to the innermost. */
function stored(
  shape: Shape,
  order: readonly number[],
  options: { offset?: number; padding?: number; dtype?: DType; seed?: number } =
    {},
): Operand {
  const { offset = 0, padding = 0, dtype = "f32", seed = 1 } = options;
  const sizes = order.map((axis) => shape[axis]);
  sizes[sizes.length - 1] += padding;
  const steps = stridesOf(sizes);
  const strides = shape.map((_, axis) => steps[order.indexOf(axis)]);
  const data = noise([offset + sizeOf(sizes)], seed, dtype);
  return { data, view: { shape, dtype, strides, offset } };
}

function product(...operands: Operand[]) {
  const [{ view }] = operands;
  return {
    inputs: operands.map(({ data }) => data),
    views: operands.map(({ view }) => view),
    attrs: {},
    length: view.shape[view.shape.length - 1],
    variants: KERNELS,
  };
}

/** The overrides of the only launch of a variant. */
function overridesOf(
  name: string,
  inputs: readonly View[],
): Readonly<Record<string, number>> {
  const outputs = matmul.infer(inputs, {}).map(contiguousView);
  const { launches } = matmul.variants.find((v) => v.name === name)!.plan({
    inputs,
    outputs,
    attrs: {},
    limits: PORTABLE_LIMITS,
  });
  assertEquals(launches.length, 1);
  return launches[0].constants ?? {};
}

/** One variant of each kernel: the sizes of tiles don't change how operands are read. */
const KERNELS = ["tile", "workgroup", "naive"];

const N = [0, 1];
const T = [1, 0];

for (
  const [form, a, b] of [
    ["NN", N, N],
    ["NT", N, T],
    ["TN", T, N],
    ["TT", T, T],
  ] as const
) {
  Deno.test(`matmul of ${form} operands equals the reference in every kernel, whether vec4 loads fit or not`, async () => {
    for (const [m, n, k] of [[20, 12, 8], [16, 24, 10], [18, 13, 7]]) {
      await checkOp(
        matmul,
        product(stored([m, k], a), stored([k, n], b, { seed: 2 })),
      );
    }
  });

  Deno.test(`matmul of ${form} operands of whole fours reads vec4, without a copy`, () => {
    const inputs = [stored([20, 8], a).view, stored([8, 12], b).view];
    const { A_VEC4, A_ALONG_K, B_VEC4, B_ALONG_K, C_VEC4, K_TAIL } =
      overridesOf("tile", inputs);
    assertEquals(
      { A_VEC4, A_ALONG_K, B_VEC4, B_ALONG_K, C_VEC4, K_TAIL },
      {
        A_VEC4: 1,
        A_ALONG_K: Number(a === N),
        B_VEC4: 1,
        B_ALONG_K: Number(b === T),
        C_VEC4: 1,
        K_TAIL: 0,
      },
    );
  });
}

Deno.test("matmul reads operands from any offset, with rows further apart than they are long", async () => {
  for (const [offset, padding] of [[4, 4], [3, 0], [0, 1], [65, 3]]) {
    const a = stored([9, 16], N, { offset, padding });
    const b = stored([16, 12], T, { offset, padding, seed: 2 });
    const bias = stored([12], [0], { seed: 3 });
    await checkOp(matmul, product(a, b, bias));
  }
});

Deno.test("matmul reads element by element where fours aren't aligned", () => {
  const whole = stored([16, 12], N).view;
  const cases = [
    stored([8, 16], N, { offset: 2 }),
    stored([8, 16], N, { padding: 3 }),
  ];
  for (const { view } of cases) {
    const { A_VEC4, B_VEC4 } = overridesOf("tile", [view, whole]);
    assertEquals({ A_VEC4, B_VEC4 }, { A_VEC4: 0, B_VEC4: 1 });
  }
});

Deno.test("matmul reads operands that are repeated by strides of zero", async () => {
  const repeat = ({ data, view }: Operand, axis: number, n: number) => ({
    data,
    view: {
      ...view,
      shape: view.shape.with(axis, n),
      strides: view.strides.with(axis, 0),
    },
  });
  const a = stored([5, 12], N);
  const b = stored([12, 8], N, { seed: 2 });
  await checkOp(matmul, product(repeat(stored([1, 12], N), 0, 5), b));
  await checkOp(matmul, product(a, repeat(stored([12, 1], N), 1, 8)));
  await checkOp(matmul, product(repeat(stored([5, 1], N), 1, 12), b));
});

Deno.test("matmul of batches permuted as attention's heads equals the reference", async () => {
  // [N, T, H, D] seen as [N, H, T, D]: the two batch axes can't be merged.
  const heads = [0, 2, 1, 3];
  const q = stored([2, 3, 5, 8], heads);
  const k = stored([2, 3, 8, 5], [0, 3, 1, 2], { seed: 2 });
  await checkOp(matmul, product(q, k));
});

Deno.test("matmul merges a batch that shares one second operand into rows", () => {
  const b = stored([12, 8], N).view;
  const a = stored([6, 5, 12], [0, 1, 2]).view;
  const single = stored([30, 12], N).view;
  const rows = (view: View) => {
    const outputs = matmul.infer([view, b], {}).map(contiguousView);
    const request = {
      inputs: [view, b],
      outputs,
      attrs: {},
      limits: PORTABLE_LIMITS,
    };
    return matmul.variants.find(({ name }) => name === "tile")!.plan(request);
  };
  assertEquals(rows(a), rows(single));
});

Deno.test("matmul of strided f16 operands equals the reference", async () => {
  const dtype = "f16";
  await checkOp(
    matmul,
    product(
      stored([9, 12], T, { dtype, padding: 3 }),
      stored([12, 16], T, { dtype, offset: 4, seed: 2 }),
      stored([16], [0], { dtype, seed: 3 }),
    ),
  );
});
