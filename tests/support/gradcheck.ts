/**
 * Checks gradients against central differences of the function itself, in float64 on the CPU device, by the rules of PyTorch's
 * `torch.autograd.gradcheck` and `gradgradcheck`.
 */
import { AssertionError } from "@std/assert";
import {
  device,
  gradients,
  scope,
  type Shape,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { sizeOf } from "../../wgsl/shape.ts";
import { onDevice } from "./devices.ts";
import { noise } from "./plan.ts";

/** A function of tensors that gives one tensor or several. */
export type Differentiable = (
  ...inputs: Tensor[]
) => Tensor | readonly Tensor[];

/** Options of {@linkcode gradcheck}; the defaults are PyTorch's. */
export interface GradcheckOptions {
  /** Step to both sides. @default 1e-6 */
  readonly eps?: number;
  /** Absolute error that is allowed. @default 1e-5 */
  readonly atol?: number;
  /** Error that is allowed relative to the numerical value. @default 1e-3 */
  readonly rtol?: number;
}

/** An input on the host: float64 values and their shape. */
export interface Sample {
  readonly shape: Shape;
  readonly values: Float64Array<ArrayBuffer>;
}

/** The derivatives of all elements of an output with respect to all of an input, `[output][element of output][input][element of input]`. */
type Jacobian = number[][][][];

/**
 * Asserts that backward, started with each unit vector, gives the function's full Jacobian for every float output.
 *
 * The inputs are f64 samples, each of which gets a gradient. Must run on the CPU device.
 */
export async function gradcheck(
  f: Differentiable,
  inputs: readonly Sample[],
  options: GradcheckOptions = {},
): Promise<void> {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  if (device().backend !== "cpu") {
    throw new Error('Cannot check gradients: call init({ device: "cpu" })');
  }
  const numerical = await numericalJacobian(f, inputs, eps);
  const analytical = await analyticalJacobian(f, inputs);
  numerical.forEach((rows, k) =>
    rows.forEach((row, o) =>
      row.forEach((values, i) =>
        values.forEach((want, j) => {
          const got = analytical[k][o][i][j];
          if (Math.abs(got - want) <= atol + rtol * Math.abs(want)) return;
          throw new AssertionError(
            `Expected ∂output ${k}[${o}] / ∂input ${i}[${j}] to be ${want} by differences but backward gives ${got}`,
          );
        })
      )
    )
  );
}

/** Asserts the same of the gradients themselves, as functions of the inputs and of the gradients that backward starts from. */
export async function gradgradcheck(
  f: Differentiable,
  inputs: readonly Sample[],
  options: GradcheckOptions = {},
): Promise<void> {
  const { shapes, used } = probe(f, inputs);
  const starts = shapes.map((shape, k) => sample(shape, 100 + k));
  const gradient: Differentiable = (...all) => {
    const xs = all.slice(0, inputs.length);
    const weights = all.slice(inputs.length);
    let total: Tensor | undefined;
    outputsOf(f, xs).forEach((y, k) => {
      const part = y.mul(weights[k]).sum();
      total = total ? total.add(part) : part;
    });
    const targets = xs.filter((_, i) => used[i]);
    return total ? gradients(total, targets, { createGraph: true }) : [];
  };
  await gradcheck(gradient, [...inputs, ...starts], options);
}

/** Registers a test that checks a function's gradients, and the gradients of those. */
export function testGradients(
  title: string,
  f: Differentiable,
  inputs: readonly Sample[],
): void {
  onDevice("cpu", title, async () => {
    await gradcheck(f, inputs);
    await gradgradcheck(f, inputs);
  });
}

/** Pseudo-random values around 0, the same for the same seed, through `map`. */
export function sample(
  shape: Shape,
  seed = 1,
  map: (value: number) => number = (value) => value,
): Sample {
  const { data } = noise(shape, seed, "f64");
  return { shape, values: Float64Array.from(data, map) };
}

function outputsOf(f: Differentiable, inputs: readonly Tensor[]): Tensor[] {
  const result = f(...inputs);
  return Array.isArray(result) ? result : [result as Tensor];
}

function toTensor(
  { shape, values }: Sample,
  requiresGrad = false,
): Tensor {
  return tensor(values, { shape, dtype: "f64", requiresGrad });
}

/** The shapes of a function's outputs, and which inputs they depend on. */
function probe(
  f: Differentiable,
  inputs: readonly Sample[],
): { readonly shapes: Shape[]; readonly used: boolean[] } {
  using _ = scope();
  const leaves = inputs.map((x) => toTensor(x, true));
  const outputs = outputsOf(f, leaves);
  for (const y of outputs) {
    if (y.requiresGrad) y.backward(y.onesLike(), { retainGraph: true });
  }
  return {
    shapes: outputs.map(({ shape }) => shape),
    used: leaves.map(({ grad }) => grad !== null),
  };
}

async function evaluate(
  f: Differentiable,
  inputs: readonly Sample[],
): Promise<ArrayLike<number>[]> {
  using _ = scope();
  // Leaves here too, as f may itself take gradients.
  const outputs = outputsOf(f, inputs.map((x) => toTensor(x, true)));
  return await Promise.all(outputs.map((y) => y.read()));
}

async function numericalJacobian(
  f: Differentiable,
  inputs: readonly Sample[],
  eps: number,
): Promise<Jacobian> {
  const jacobian: Jacobian = (await evaluate(f, inputs)).map((y) =>
    Array.from(y, () => inputs.map(({ values }) => new Array(values.length)))
  );
  for (let i = 0; i < inputs.length; i++) {
    for (let j = 0; j < inputs[i].values.length; j++) {
      const [above, below] = await Promise.all([eps, -eps].map((step) => {
        const values = inputs[i].values.slice();
        values[j] += step;
        return evaluate(f, inputs.with(i, { ...inputs[i], values }));
      }));
      jacobian.forEach((rows, k) =>
        rows.forEach((row, o) => {
          row[i][j] = (above[k][o] - below[k][o]) / (2 * eps);
        })
      );
    }
  }
  return jacobian;
}

async function analyticalJacobian(
  f: Differentiable,
  inputs: readonly Sample[],
): Promise<Jacobian> {
  using _ = scope();
  const leaves = inputs.map((x) => toTensor(x, true));
  const outputs = outputsOf(f, leaves);
  return await Promise.all(
    outputs.map((y) =>
      Promise.all(Array.from({ length: y.size }, async (_, o) => {
        if (y.requiresGrad) {
          const values = new Float64Array(y.size);
          values[o] = 1;
          using unit = toTensor({ shape: y.shape, values });
          y.backward(unit, { retainGraph: true });
        }
        // Each row is copied on the host before the next one is computed.
        const row = leaves.map(({ grad, size }) =>
          grad?.read() ?? Promise.resolve(new Float64Array(size))
        );
        for (const leaf of leaves) leaf.grad = null;
        return (await Promise.all(row)).map((values) => Array.from(values));
      }))
    ),
  );
}

/** Elements of a shape, for samples made by hand. */
export function sampleOf(shape: Shape, ...values: number[]): Sample {
  if (values.length !== sizeOf(shape)) {
    throw new Error(`${values.length} values for ${sizeOf(shape)} elements`);
  }
  return { shape, values: Float64Array.from(values) };
}
