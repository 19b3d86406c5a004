/** The loop trips that plans state are those that their kernels run: too few would pass a driver's limit, too many would cut work for nothing. */
import { assert, assertEquals } from "@std/assert";
import { gather, indexSelect, scatterAdd } from "../../wgsl/move/gather.ts";
import type { Op } from "../../wgsl/op.ts";
import {
  adaptiveAvgPool2d,
  adaptiveAvgPool2dBackward,
} from "../../wgsl/pool/adaptive_avg_pool2d.ts";
import {
  adaptiveMaxPool2d,
  adaptiveMaxPool2dBackward,
} from "../../wgsl/pool/adaptive_max_pool2d.ts";
import { avgPool2d, avgPool2dBackward } from "../../wgsl/pool/avg_pool2d.ts";
import { maxPool2d, maxPool2dBackward } from "../../wgsl/pool/max_pool2d.ts";
import { maxPool2dValues } from "../../wgsl/pool/max_pool2d_values.ts";
import { cumsum } from "../../wgsl/reduce/cumsum.ts";
import { max, mean, sum } from "../../wgsl/reduce/reduce.ts";
import { sort } from "../../wgsl/reduce/sort.ts";
import {
  logSoftmaxBackward,
  softmax,
  softmaxBackward,
} from "../../wgsl/softmax/softmax.ts";
import { fold, unfold } from "../../wgsl/unfold/unfold.ts";
import {
  applicable,
  type Case,
  host,
  noise,
  runReference,
} from "../support/plan.ts";
import { countTrips, withCounter } from "../support/trips.ts";

/** The most trips that a variant may state for those that ran. */
function mostFor(name: string, counted: number): number {
  // Tiled kernels of pooling also state the loops that are known when they are compiled.
  if (name === "tiled" || name === "even") return Infinity;
  // Others state the longest window and whole turns, which not every shape has.
  return 4 * counted + 16;
}

/** Counts what every variant does that applies, or that is named. */
async function check<Attrs>(op: Op<Attrs>, given: Case<Attrs>): Promise<void> {
  for (const name of given.variants ?? applicable(op, given)) {
    for (
      const { label, stated, counted } of await countTrips(op, name, given)
    ) {
      const what = `${op.name} (${name}) ${label}: ${stated}, ran ${counted}`;
      assert(counted <= stated, what);
      assert(stated <= mostFor(name, counted), what);
    }
  }
}

Deno.test("a kernel's counter counts loops whose bounds vary from call to call, and no others", () => {
  const code = `override ROWS: u32; // for (a < b) {
@group(0) @binding(1) var<uniform> params: Params;
fn main() {
  for (var i = 0u; i < params.n; i++) {
  }
  for (var i = 0u; i < ROWS; i++) {
  }
  for (var half = SIZE / 2u; half > 0u; half /= 2u) {
  }
  while (more(x[i])) {
  }
}`;
  const count = " own_trips += 1u; atomicMax(&most_trips, own_trips);";
  assertEquals(
    withCounter(code, 1),
    `override ROWS: u32; 
@group(0) @binding(2) var<uniform> params: Params;
fn main() {
  for (var i = 0u; i < params.n; i++) {${count}
  }
  for (var i = 0u; i < ROWS; i++) {${count}
  }
  for (var half = SIZE / 2u; half > 0u; half /= 2u) {
  }
  while (more(x[i])) {${count}
  }
}
var<private> own_trips: u32;
@group(0) @binding(1) var<storage, read_write> most_trips: atomic<u32>;
`,
  );
});

Deno.test("reductions, running sums and sorting state the trips that they run", async () => {
  for (const n of [70, 1031]) {
    const inputs = [noise([6, n, 4])];
    for (const axes of [[0, 1], [1], [2], [0, 2]]) {
      await check(sum, { inputs, attrs: { axes, keepDims: false } });
    }
    await check(max, { inputs, attrs: { axes: [1], keepDims: true } });
    await check(mean, { inputs, attrs: { axes: [0], keepDims: true } });
    await check(sort, { inputs, attrs: { axis: 1, descending: false } });
    await check(cumsum, { inputs, attrs: { axis: 1, reverse: true } });
  }
  const short = { maxLoopTrips: 100 };
  const inputs = [noise([3, 5000])];
  const attrs = { axes: [1], keepDims: false };
  await check(sum, { inputs, attrs, limits: short });
});

Deno.test("softmax and its gradients state the trips that they run", async () => {
  for (const n of [5, 70, 1031]) {
    const given = {
      inputs: [noise([6, n]), noise([6, n])],
      attrs: { axis: 1 },
    };
    await check(softmax, { ...given, inputs: [noise([6, n])] });
    await check(softmaxBackward, given);
    await check(logSoftmaxBackward, given);
  }
});

Deno.test("pooling, unfolding and folding state the trips that they run", async () => {
  const x = noise([2, 3, 9, 13]);
  const inputSize = [9, 13] as const;
  for (const kernel of [[3, 2], [2, 5]] as const) {
    const attrs = {
      kernel,
      stride: [2, 1],
      padding: [1, 0],
      dilation: [1, 1],
      ceilMode: false,
    } as const;
    const average = { ...attrs, countIncludePad: true };
    const few = { limits: { maxLoopTrips: 6 }, variants: ["naive"] };
    for (const limited of [{}, few]) {
      const forward = { inputs: [x], ...limited };
      await check(maxPool2dValues, { ...forward, attrs });
      await check(maxPool2d, { ...forward, attrs });
      await check(avgPool2d, { ...forward, attrs: average });
      await check(unfold, { ...forward, attrs, limits: {} });
      const [y, indices] = runReference(maxPool2d, { inputs: [x], attrs });
      await check(maxPool2dBackward, {
        inputs: [y, indices],
        attrs: { ...attrs, inputSize },
        ...limited,
      });
      await check(avgPool2dBackward, {
        inputs: [y],
        attrs: { ...average, inputSize },
        ...limited,
      });
      await check(fold, {
        inputs: runReference(unfold, { inputs: [x], attrs }),
        attrs: { ...attrs, size: inputSize },
        ...limited,
      });
    }
  }
});

Deno.test("adaptive pooling states the trips that it runs", async () => {
  const x = noise([2, 3, 9, 14]);
  const inputSize = [9, 14] as const;
  for (const size of [[2, 5], [4, 3], [3, 7], [11, 4]] as const) {
    const attrs = { size };
    await check(adaptiveAvgPool2d, { inputs: [x], attrs });
    await check(adaptiveMaxPool2d, { inputs: [x], attrs });
    const [y, indices] = runReference(adaptiveMaxPool2d, {
      inputs: [x],
      attrs,
    });
    await check(adaptiveAvgPool2dBackward, {
      inputs: [y],
      attrs: { inputSize },
    });
    await check(adaptiveMaxPool2dBackward, {
      inputs: [y, indices],
      attrs: { inputSize },
    });
  }
});

Deno.test("gathering and scattering state the trips that they run", async () => {
  const index = host(Array(45).fill(3), [9, 5], "i32");
  await check(gather, {
    inputs: [noise([9, 17]), index],
    attrs: { axis: 1 },
  });
  await check(indexSelect, {
    inputs: [noise([9, 17]), host([3, 1, 0], [3], "i32")],
    attrs: { axis: 1 },
  });
  for (const size of [2, 17]) {
    await check(scatterAdd, {
      inputs: [noise([9, 5]), host(Array(45).fill(1), [9, 5], "i32")],
      attrs: { axis: 1, size },
    });
  }
});
