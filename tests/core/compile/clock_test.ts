/** Programs whose calls are told their attributes, and ops that don't do as they should. */
import { assertEquals } from "@std/assert";
import {
  full,
  noGrad,
  ones,
  randomState,
  setRandomState,
  type Tensor,
} from "../../../mod.ts";
import { build, type Program } from "../../../core/compile/mod.ts";
import { LaunchError } from "../../../core/errors.ts";
import { takeRandom } from "../../../core/runtime.ts";
import { apply } from "../../../core/tensor.ts";
import type { Op } from "../../../wgsl/op.ts";
import { type SgdAttrs, sgdStep } from "../../../wgsl/optim/sgd.ts";
import { dropout, type DropoutAttrs } from "../../../wgsl/random/dropout.ts";
import { onBothDevices, onDevice } from "../../support/devices.ts";
import { assertFails } from "../../support/errors.ts";

/** A program that makes a step of gradient descent of `w` by what it is given. */
function stepOf(w: Tensor, op: Op<SgdAttrs>, lr: number): Program {
  const meta = { shape: w.shape, dtype: w.dtype };
  const body = ([g]: readonly Tensor[]) => {
    apply(op, [w, g], { lr, weightDecay: 0 });
    return g.mul(2);
  };
  return noGrad(() => build([meta], body, (y) => [y])).program;
}

onBothDevices(
  "a program makes the steps that it is told, and those that were traced where it is told nothing",
  async () => {
    const [w, g] = [ones([4]), full([4], 1)];
    const program = stepOf(w, sgdStep(1), 0.5);
    assertEquals(program.told.map(({ op }) => op), [sgdStep(1)]);
    for (let k = 0; k < 3; k++) program.run([g])[0].dispose();
    assertEquals(await w.array(), Array(4).fill(-0.5));
    const attrs = (lr: number) => [{ lr, weightDecay: 0 }];
    // What is foreseen is wrong from the second run on.
    const foresee = (runs: number) =>
      Array.from({ length: runs }, () => attrs(0.25));
    for (const lr of [0.25, 0.125, 0.125, 0.25, 0.0625, 0.125]) {
      program.run([g], { attrs: attrs(lr), foresee })[0].dispose();
    }
    assertEquals(await w.array(), Array(4).fill(-0.5 - 0.9375));
    // Or falls short, or isn't there.
    for (const foreseen of [[], [attrs(0.25)]]) {
      for (let k = 0; k < 4; k++) {
        program.run([g], { attrs: attrs(0.25), foresee: () => foreseen })[0]
          .dispose();
      }
    }
    assertEquals(await w.array(), Array(4).fill(-0.5 - 0.9375 - 2));
    program.dispose();
  },
);

onDevice(
  "webgpu",
  "a run that is told attributes that launch something else is refused, and draws nothing",
  async () => {
    const [w, g] = [ones([4]), full([4], 1)];
    const op: Op<SgdAttrs> = {
      ...sgdStep(1),
      tail: (attrs) => {
        const tail = sgdStep(1).tail!(attrs);
        return attrs.lr > 1 ? new Uint32Array(8) : tail;
      },
    };
    const program = stepOf(w, op, 0.5);
    const run = (lr: number) =>
      program.run([g], {
        attrs: [{ lr, weightDecay: 0 }],
        foresee: () => [],
      })[0].dispose();
    run(0.25);
    const before = randomState();
    assertFails(
      () => run(2),
      LaunchError,
      "Cannot run sgdStep again: other attributes need other launches, compile it anew",
    );
    assertEquals(randomState(), before);
    run(0.25);
    assertEquals(await w.array(), Array(4).fill(0.5));
    program.dispose();
  },
);

onDevice(
  "webgpu",
  "an op that draws and keeps its place elsewhere in its params is refused",
  () => {
    const op: Op<DropoutAttrs> = {
      ...dropout,
      variants: dropout.variants.map(({ name, plan }) => ({
        name,
        plan: (request) => ({
          launches: plan(request).launches.map((launch) => ({
            ...launch,
            params: launch.params!.toReversed(),
          })),
        }),
      })),
    };
    const meta = { shape: [64], dtype: "f32" } as const;
    const start = randomState();
    const key = [1, 2] as const;
    setRandomState({ key, counter: 0 });
    const body = ([x]: readonly Tensor[]) =>
      apply(op, [x], { p: 0.5, ...takeRandom(16) })[0];
    assertFails(
      () => noGrad(() => build([meta], body, (y) => [y])),
      LaunchError,
      "Cannot prepare dropout: its params don't begin with its place in the random stream",
    );
    setRandomState(start);
  },
);
