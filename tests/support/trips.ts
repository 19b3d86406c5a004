/** Counts the iterations that kernels run, to hold them against the trips that plans state. */
import { assert } from "@std/assert";
import type { Launch, Op, Request } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { type Case, PORTABLE_LIMITS, runVariant } from "./plan.ts";

/** Most launches of a plan whose iterations are counted. */
const MOST_LAUNCHES = 64;
/** Bytes between two counters: a binding starts at a multiple of it. */
const STEP = 256;

const CLEAR = `// Sets the counters to 0.
@group(0) @binding(0) var<storage, read_write> counters: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  counters[id.x] = 0u;
}
`;

/** A text without comments in which each iteration is counted. Loops whose bounds are known when a kernel is compiled aren't: drivers unroll them. */
function countLoops(code: string): string {
  const text = code.replaceAll(/\/\/[^\n]*/g, "");
  const overrides = [...text.matchAll(/override (\w+)/g)].map(([, name]) =>
    name
  );
  return text.replaceAll(
    /\b(for|while) \(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\) \{/g,
    (loop, _, header: string) => {
      const condition = header.split(";")[1] ?? header;
      const index = header.match(/var (\w+)/)?.[1];
      const varies = [...condition.matchAll(/(?<![\w.])[A-Za-z_]\w*/g)].some((
        [name],
      ) =>
        name !== index &&
        (overrides.includes(name) || !/^([A-Z][A-Z\d_]*|[iu]32)$/.test(name))
      );
      return varies
        ? `${loop} own_trips += 1u; atomicMax(&most_trips, own_trips);`
        : loop;
    },
  );
}

/**
 * A kernel that keeps the most iterations of one of its invocations in a storage buffer, bound where the `params` uniform was, which moves on by
 * one.
 */
export function withCounter(code: string, binding: number): string {
  const moved = countLoops(code).replace(
    /@binding\(\d+\)(\s+var<uniform>)/,
    `@binding(${binding + 1})$1`,
  );
  return `${moved}
var<private> own_trips: u32;
@group(0) @binding(${binding}) var<storage, read_write> most_trips: atomic<u32>;
`;
}

/** The op with another output: its launches' counters. */
function counting<Attrs>(op: Op<Attrs>): Op<Attrs> {
  const withCounters = (launch: Launch, i: number, slot: number): Launch => ({
    ...launch,
    kernel: {
      label: launch.kernel.label,
      code: withCounter(launch.kernel.code, launch.bindings.length),
    },
    ...(launch.declarations &&
      { declarations: countLoops(launch.declarations) }),
    bindings: [...launch.bindings, {
      slot: "output",
      index: slot,
      access: "write",
      offset: i * STEP,
      size: 4,
    }],
  });
  return {
    ...op,
    infer: (inputs, attrs) => [
      ...op.infer(inputs, attrs),
      { shape: [MOST_LAUNCHES * STEP / 4], dtype: "u32" },
    ],
    variants: op.variants.map((variant) => ({
      ...variant,
      plan(request) {
        const slot = request.outputs.length - 1;
        const outputs = request.outputs.slice(0, slot);
        const plan = variant.plan({ ...request, outputs });
        assert(plan.launches.length <= MOST_LAUNCHES, op.name);
        const clear: Launch = {
          kernel: { label: "tests/support/trips.ts", code: CLEAR },
          bindings: [{
            slot: "output",
            index: slot,
            access: "write",
            offset: 0,
            size: MOST_LAUNCHES * STEP,
          }],
          workgroups: [MOST_LAUNCHES * STEP / 256, 1, 1],
          trips: 0,
          flops: 0,
          bytes: 0,
        };
        const launches = plan.launches.map((launch, i) =>
          withCounters(launch, i, slot)
        );
        return { ...plan, launches: [clear, ...launches] };
      },
    })),
  };
}

/** What a launch states and what its busiest invocation did. */
export interface Trips {
  readonly label: string;
  readonly stated: number;
  readonly counted: number;
}

/** Runs a variant and counts. */
export async function countTrips<Attrs>(
  op: Op<Attrs>,
  name: string,
  given: Case<Attrs>,
): Promise<Trips[]> {
  const inputs = given.inputs.map((x, i) =>
    given.views?.[i] ?? contiguousView(x)
  );
  const request: Request<Attrs> = {
    inputs,
    outputs: op.infer(inputs, given.attrs).map(contiguousView),
    attrs: given.attrs,
    limits: { ...PORTABLE_LIMITS, ...given.limits },
  };
  const variant = op.variants.find((v) => v.name === name)!;
  const outputs = await runVariant(counting(op), name, given);
  const counters = outputs[outputs.length - 1].data;
  return variant.plan(request).launches.map(({ kernel, trips }, i) => ({
    label: kernel.label,
    stated: trips,
    counted: counters[i * STEP / 4],
  }));
}
