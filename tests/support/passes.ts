/** One pass at a time: what it makes of a function's calls, and that the values stay. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import {
  compile,
  device,
  noGrad,
  randn,
  randomState,
  setRandomState,
  type Tensor,
} from "../../mod.ts";
import { PASSES, type PassName } from "../../core/compile/mod.ts";
import type { DType, Shape } from "../../wgsl/op.ts";
import { onBothDevices } from "./devices.ts";

/** Makes a weight, the same at each run. */
export type Weight = (...shape: number[]) => Tensor;

/** A function of inputs and of weights of its own. */
export type Body = (
  inputs: readonly Tensor[],
  weight: Weight,
) => Tensor | Tensor[];

/** A function that a pass is tried on. */
export interface PassCase {
  readonly pass: PassName;
  readonly shapes: readonly Shape[];
  readonly body: Body;
  /** The calls of each run afterwards, with what was put into them. */
  readonly calls: readonly string[];
  /** Further passes that are run, as the case needs them. */
  readonly after?: readonly PassName[];
}

/** Registers tests on both devices: in float64 on the CPU, in float32 on the GPU. */
export function onPass(title: string, given: PassCase): void {
  onBothDevices(title, () => assertPass(given));
}

async function assertPass(
  { pass, shapes, body, calls, after = [] }: PassCase,
): Promise<void> {
  const dtype: DType = device().backend === "cpu" ? "f64" : "f32";
  const weights: Tensor[] = [];
  const f = (...inputs: Tensor[]): Tensor[] => {
    let used = 0;
    return [
      body(
        inputs,
        (...shape) =>
          weights[used++] ??= noGrad(() => randn(shape, { dtype, std: 0.5 })),
      ),
    ].flat();
  };
  const inputs = () => shapes.map((shape) => randn(shape, { dtype }));
  noGrad(() => f(...inputs())); // makes the weights
  const on = new Set([pass, ...after]);
  const passes = Object.fromEntries(
    PASSES.map(({ name }) => [name, on.has(name)]),
  );
  using run = await compile(f, inputs(), { passes });
  const names = run.explain().calls.map(({ op, fused }) =>
    [op, ...fused].join(" + ")
  );
  assertEquals(names, calls);
  for (let k = 0; k < 2; k++) {
    const given = inputs();
    const state = randomState();
    const want = noGrad(() => f(...given));
    setRandomState(state);
    const got = run(...given);
    for (const [i, y] of want.entries()) {
      assertEquals(got[i].shape, y.shape);
      const [a, b] = [await got[i].read(), await y.read()];
      const scale = Math.max(1e-3, ...Array.from(b, Math.abs));
      const worst = Math.max(0, ...Array.from(b, (v, j) => Math.abs(v - a[j])));
      const allowed = dtype === "f64" ? 1e-12 : 2e-6;
      assertLessOrEqual(worst / scale, allowed, `Result ${i}`);
    }
  }
}
