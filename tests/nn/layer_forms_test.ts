/** Forms of layers that the fixtures can't show: what functions share with them, messages, and states that can't be taken. */
import { assertEquals } from "@std/assert";
import {
  conv1d,
  conv2d,
  instanceNorm,
  nn,
  ones,
  randn,
  ShapeError,
  tensor,
  zeros,
} from "../../mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

onBothDevices(
  'convolutions as functions take padding "same" too, the odd zero last',
  async () => {
    const x = tensor([[[1, 2, 4]]]);
    const w = tensor([[[1, 10]]]);
    const y = conv1d(x, w, { padding: "same" });
    assertEquals(await y.array(), [[[21, 42, 4]]]);
    const options = { padding: "same", dilation: [2, 1] } as const;
    assertEquals(
      conv2d(randn([1, 1, 7, 8]), randn([2, 1, 3, 4]), options).shape,
      [1, 2, 7, 8],
    );
  },
);

onDevice("cpu", 'padding "same" refuses steps', () => {
  const message = (stride: number) =>
    `Cannot give an output the size of its input: padding "same" needs stride 1 but the stride is ${stride}`;
  assertFails(
    () =>
      conv1d(zeros([1, 1, 3]), zeros([1, 1, 2]), {
        padding: "same",
        stride: 2,
      }),
    RangeError,
    message(2),
  );
  assertFails(
    () => new nn.Conv1d(1, 1, 3, { padding: "same", stride: 3 }),
    RangeError,
    message(3),
  );
});

onDevice("cpu", "flattening backwards is refused", () => {
  assertFails(
    () => new nn.Flatten(2, 1)(zeros([2, 3, 4])),
    ShapeError,
    "Cannot flatten [2, 3, 4] from axis 2 to 1: expected the first to come first, in Flatten(2, 1)",
  );
  assertEquals(String(new nn.Flatten(1, 2)), "Flatten(1, 2)");
});

onBothDevices(
  "instance norm keeps running statistics under PyTorch's names, if asked",
  async () => {
    const norm = new nn.InstanceNorm2d(1, {
      trackRunningStats: true,
      momentum: 0.5,
    });
    assertEquals([...norm.stateDict().keys()], [
      "running_mean",
      "running_var",
      "num_batches_tracked",
    ]);
    norm(tensor([[[[1, 3]]], [[[5, 9]]]])); // means 2 and 7, unbiased variances 2 and 8
    assertEquals(await norm.running_mean?.array(), [2.25]);
    assertEquals(await norm.running_var?.array(), [3]);
    norm(zeros([0, 1, 2, 2]));
    assertEquals(await norm.running_mean?.array(), [2.25]);
    assertEquals(
      String(norm),
      "InstanceNorm2d(1, eps=0.00001, affine=false, momentum=0.5, trackRunningStats=true)",
    );
    norm.dispose();
    assertFails(
      () => instanceNorm(ones([1, 2, 3]), { useInputStats: false }),
      ShapeError,
      "Cannot apply instance norm to [1, 2, 3] by running statistics: there are none",
    );
  },
);

onBothDevices("a state with a freed tensor changes nothing", async () => {
  const layer = new nn.Linear(1, 2);
  layer.loadStateDict(
    new Map([["weight", ones([2, 1])], ["bias", ones([2])]]),
  );
  const state = new Map([["weight", zeros([2, 1])], ["bias", zeros([2])]]);
  state.get("bias")?.dispose();
  assertFails(
    () => layer.loadStateDict(state),
    Error,
    "Cannot load the state, nothing was changed:\n  freed       bias [2]",
  );
  assertEquals(await layer.weight.array(), [[1], [1]]);
  layer.dispose();
});
