import { assert, assertEquals } from "@std/assert";
import { ones, type Tensor } from "../../core/mod.ts";
import { clockOf } from "../../core/gpu/peaks.ts";
import { timeLaunches } from "../../core/gpu/profile.ts";
import type { Workbench } from "../../core/gpu/tuner.ts";
import { currentGpu } from "../../core/runtime.ts";
import { onDevice } from "../support/devices.ts";

function workbench(): Workbench {
  return currentGpu()!.workbench;
}

for (const clock of ["gpu", "wall"] as const) {
  onDevice(
    "webgpu",
    `each launch of a call is timed, in order, by the clock "${clock}"`,
    async () => {
      const x = ones([3, 4]);
      const made: Tensor[] = [];
      const body = () => {
        made.push(x.add(1));
        made.push(made[0].matmul(made[0].transpose(0, 1)));
      };
      const { features } = currentGpu()!.info;
      if (clock === "gpu" && !features.includes("timestamp-query")) return;
      let calls = 0;
      const timed = await timeLaunches(workbench(), clock, body, () => calls++);
      assertEquals(timed.map(({ op, tag }) => [op, tag]), [
        ["add", 0],
        ["matmul", 1],
      ]);
      assert(timed.every(({ ms }) => ms >= 0 && ms < 60_000));
      assertEquals(timed[1].launch.flops, 2 * 3 * 4 * 3);
      assertEquals(await made[1].array(), Array(3).fill(Array(3).fill(16)));
    },
  );
}

onDevice(
  "webgpu",
  "an observer sees calls with their plans, and nothing after it is taken away",
  () => {
    const seen: string[] = [];
    const x = ones([2, 2]);
    workbench().observe({
      called: ({ op }, { launches }) =>
        seen.push(`${op.name} in ${launches.length}`),
      before: ({ variant, launch }) => {
        seen.push(`${variant} of ${launch.kernel.label}`);
      },
    });
    try {
      x.relu();
    } finally {
      workbench().observe(undefined);
    }
    x.relu();
    assertEquals(seen, [
      "relu in 1",
      "vec4 of wgsl/pointwise/unary_vec4.wgsl",
    ]);
  },
);

onDevice(
  "webgpu",
  "more launches than one set of queries holds are timed as well",
  async () => {
    if (!currentGpu()!.info.features.includes("timestamp-query")) return;
    const x = ones([4]);
    const body = () => {
      for (let i = 0; i < 2100; i++) x.relu().dispose();
    };
    const timed = await timeLaunches(workbench(), "gpu", body, () => 0);
    assertEquals(timed.length, 2100);
    assert(timed.every(({ ms }) => ms >= 0 && ms < 60_000));
  },
);

onDevice(
  "webgpu",
  "a body that throws after it has launched something leaves the queue in order",
  async () => {
    const x = ones([4]);
    for (const clock of ["gpu", "wall"] as const) {
      if (clock === "gpu" && await clockOf(workbench()) !== "gpu") continue;
      const made: Tensor[] = [];
      const error = new Error("no");
      const heard = await timeLaunches(workbench(), clock, () => {
        made.push(x.add(1));
        throw error;
      }, () => 0).catch((e) => e);
      assertEquals(heard, error);
      assertEquals(await made[0].mul(x).array(), [2, 2, 2, 2]);
    }
  },
);
