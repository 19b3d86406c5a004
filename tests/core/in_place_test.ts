import { assertEquals } from "@std/assert";
import {
  LaunchError,
  ones,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { sgdStep } from "../../wgsl/optim/sgd.ts";
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

/** p ← p - grad. */
function step(p: Tensor, grad: Tensor): void {
  apply(sgdStep(1), [p, grad], { lr: 1, weightDecay: 0 });
}

onBothDevices(
  "an op that works in place changes the tensor and all its views",
  async () => {
    const p = tensor([[1, 2], [3, 4]]);
    const turned = p.transpose();
    await p.read();
    step(p, ones([2, 2]));
    assertEquals(await p.array(), [[0, 1], [2, 3]]);
    assertEquals(await turned.array(), [[0, 2], [1, 3]]);
  },
);

onBothDevices("what an op in place only reads may be a view", async () => {
  const p = zeros([2, 2]);
  step(p, tensor([[1, 2], [3, 4]]).transpose());
  assertEquals(await p.array(), [[-1, -3], [-2, -4]]);
});

onBothDevices(
  "a part of a tensor can be changed in place where it is contiguous",
  async () => {
    const p = zeros([3, 64]);
    step(p.slice(0, 1, 2), ones([1, 64]));
    assertEquals(await p.sum(1).array(), [0, -64, 0]);
  },
);

onBothDevices("a strided view can't be changed in place", () => {
  assertFails(
    () => step(ones([2, 3]).transpose(), ones([3, 2])),
    LaunchError,
    "Cannot run sgdStep in place on a strided view: make input 0 contiguous first",
  );
});
