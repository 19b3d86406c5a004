import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  device,
  init,
  InterruptedError,
  memory,
  ones,
  seed,
  ShapeError,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { currentBackend, onInterrupt } from "../../core/runtime.ts";
import { onBothDevices } from "../support/devices.ts";
import { assertFails, assertFailsLater } from "../support/errors.ts";

/** What a script without types can pass. */
// deno-lint-ignore no-explicit-any -- the point is to get past the types
function untyped(value: unknown): any {
  return value;
}

onBothDevices("an operand that isn't a tensor is named", () => {
  const x = tensor([1, 2]);
  const cases: readonly (readonly [unknown, string])[] = [
    ["3", 'the string "3"'],
    [[1, 2], "an array (make it a tensor first)"],
    [x.read(), "a promise (await it first)"],
    [Float32Array.of(1), "a Float32Array"],
    [null, "null"],
    [undefined, "undefined"],
    [{}, "an Object"],
  ];
  for (const [value, name] of cases) {
    assertFails(
      () => x.add(untyped(value)),
      TypeError,
      `Cannot run add: operand 1 is ${name}, expected a tensor`,
    );
  }
});

onBothDevices(
  "sizes and axes that aren't in an array are named with what would work",
  () => {
    const x = ones([2, 3]);
    assertFails(
      () => untyped(x).reshape(3, 2),
      ShapeError,
      "Cannot reshape: expected an array, such as [2, -1], but found 3",
    );
    assertFails(
      () => untyped(x).permute(1, 0),
      ShapeError,
      "Cannot permute: expected an array, such as [0, 2, 1], but found 1",
    );
    assertFails(
      () => untyped(x).expand("4"),
      ShapeError,
      'Cannot expand: expected an array, such as [4, -1], but found the string "4"',
    );
  },
);

onBothDevices("operators don't take a tensor for a number", () => {
  const x = untyped(tensor([1, 2]));
  const message =
    "Cannot use a tensor as a number: call its methods, such as x.mul(2) and x.gt(0), or await x.item()";
  for (
    const use of [() => x * 2, () => x > 0, () => -x, () => Math.max(x, 0)]
  ) {
    assertFails(use, TypeError, message);
  }
  const place = device().backend === "cpu" ? "cpu" : "gpu";
  const text = `Tensor f32[2] ${place} (not read yet: await t.read())`;
  assertEquals(`${x}`, text);
  assertEquals("x: " + x, `x: ${text}`);
});

onBothDevices(
  "an interrupt stops the next call, and leaves all as it was",
  async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.square().sum();
    const before = memory();
    onInterrupt(() => true);
    try {
      for (
        const call of [
          () => x.add(1),
          () => ones([2]),
          () => y.backward(),
        ]
      ) {
        assertFails(call, InterruptedError, "Interrupted");
      }
      await assertFailsLater(x.read(), InterruptedError, "Interrupted");
    } finally {
      onInterrupt(undefined);
    }
    assertEquals([memory().tensors, x.grad], [before.tensors, null]);
    y.backward();
    assertEquals(await x.grad?.array(), [2, 4]);
  },
);

Deno.test("calls of init that overlap share one device", async () => {
  await init();
  currentBackend().destroy();
  const [a, b] = await Promise.all([init({ seed: 1 }), init({ seed: 1 })]);
  assertStrictEquals(a, b);
  assert(!currentBackend().lost);
  const x: Tensor = ones([1]);
  assertEquals(await x.array(), [1]);
  x.dispose();
});

Deno.test("init and seed refuse what they can't take", async () => {
  await assertFailsLater(
    init({ device: untyped("cuda") }),
    RangeError,
    'Cannot open the device "cuda": expected "webgpu" or "cpu"',
  );
  assertFails(
    () => seed(-1),
    RangeError,
    "Cannot seed with -1: expected an integer from 0 to 2^53 - 1",
  );
});
