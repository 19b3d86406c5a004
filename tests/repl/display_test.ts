import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  arange,
  device,
  full,
  init,
  memory,
  nn,
  ones,
  randn,
  synchronize,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { watchOps } from "../../core/watch.ts";
import { display, libraryHost } from "../../repl/library.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertTranscript } from "./transcript.ts";

const PLAIN = { colors: "none", columns: 80 } as const;

function here(): string {
  return device().backend === "cpu" ? "cpu" : "gpu";
}

/** What is shown of a tensor, which is freed then. */
async function shown(x: Tensor): Promise<string> {
  const text = await display(x, PLAIN);
  x.dispose();
  return text;
}

onBothDevices(
  "a large tensor shows its ends and its statistics",
  async () => {
    assertEquals(
      await shown(arange(2000).reshape([2, 1000])),
      `Tensor i32[2, 1000] ${here()}
[[   0    1    2 …  997  998  999]
 [1000 1001 1002 … 1997 1998 1999]]
min 0, max 1999, mean 999.5, std 577.49`,
    );
    assertEquals(
      await shown(full([7, 1, 200], 0.25)),
      `Tensor f32[7, 1, 200] ${here()}
[[[0.25 0.25 0.25 … 0.25 0.25 0.25]]

 [[0.25 0.25 0.25 … 0.25 0.25 0.25]]

 [[0.25 0.25 0.25 … 0.25 0.25 0.25]]

 …

 [[0.25 0.25 0.25 … 0.25 0.25 0.25]]

 [[0.25 0.25 0.25 … 0.25 0.25 0.25]]

 [[0.25 0.25 0.25 … 0.25 0.25 0.25]]]
min 0.25, max 0.25, mean 0.25, std 0`,
    );
  },
);

onBothDevices(
  "statistics are of the finite values, and the others are counted",
  async () => {
    const values = Array.from({ length: 1200 }, (_, i) => i);
    values[3] = NaN;
    values[500] = Infinity;
    values[1199] = -Infinity;
    assertEquals(
      await shown(tensor(values)),
      `Tensor f32[1200] ${here()}
[   0.    1.    2. … 1197. 1198.  -inf]
min 0, max 1198, mean 599.58, std 346.11, 1 nan, 2 inf`,
    );
    assertEquals(
      await shown(full([1001], NaN)),
      `Tensor f32[1001] ${here()}\n[nan nan nan … nan nan nan]\n1,001 nan`,
    );
    assertEquals(
      await shown(arange(2000).remainder(4).eq(0)),
      `Tensor bool[2000] ${here()}
[ true false false … false false false]
500 of 2,000 true (25 %)`,
    );
  },
);

onBothDevices(
  "scalars, empty tensors, views, gradients and freed tensors are told in the heading",
  async () => {
    assertEquals(await shown(tensor(1.5)), `Tensor f32[] ${here()} 1.5`);
    assertEquals(await shown(zeros([0, 3])), `Tensor f32[0, 3] ${here()} []`);
    assertEquals(
      await shown(tensor([[1, 2], [3, 4]]).transpose()),
      `Tensor f32[2, 2] ${here()}, view\n[[1. 3.]\n [2. 4.]]`,
    );
    const w = tensor([2], { requiresGrad: true });
    assertEquals(
      await display(w, PLAIN),
      `Tensor f32[1] ${here()}, requiresGrad\n[2.]`,
    );
    assertEquals(
      await shown(w.square()),
      `Tensor f32[1] ${here()}, requiresGrad by square\n[4.]`,
    );
    const layer = new nn.Linear(1, 1);
    assertEquals(
      (await display(layer.bias, PLAIN)).split("\n")[0],
      `Parameter f32[1] ${here()}, requiresGrad`,
    );
    layer.dispose();
    w.dispose();
    assertEquals(await display(w, PLAIN), "Tensor f32[1] (freed)");
  },
);

onDevice(
  "webgpu",
  "f16 is shown as f32 is, with statistics in f32",
  async () => {
    if (!device().features.includes("shader-f16")) return;
    assertEquals(
      await shown(full([2000], 100, { dtype: "f16" })),
      `Tensor f16[2000] gpu
[100. 100. 100. … 100. 100. 100.]
min 100, max 100, mean 100, std 0`,
    );
  },
);

onBothDevices(
  "a text keeps to the width of its screen, and what is no number is red",
  async () => {
    const text = await display(arange(12), { colors: "none", columns: 24 });
    assertEquals(
      text,
      `Tensor i32[12] ${here()}\n[ 0  1  2  3  4  5  6\n  7  8  9 10 11]`,
    );
    const red = (word: string) => `\x1b[31m${word}\x1b[0m`;
    assertEquals(
      await display(tensor([NaN, 1, -Infinity]), {
        colors: "full",
        columns: 80,
      }),
      `Tensor f32[3] ${here()}\n[${red(" nan")}   1. ${red("-inf")}]`,
    );
  },
);

onBothDevices(
  "tensors inside a value are read together, three levels deep and sixteen at most",
  async () => {
    const value = { a: [ones([2])], b: new Map([["c", zeros([2, 2])]]) };
    assertEquals(
      await display(value, PLAIN),
      `{
  a: [
    Tensor f32[2] ${here()}
    [1. 1.]
  ],
  b: Map(1) {
    "c" => Tensor f32[2, 2] ${here()}
    [[0. 0.]
     [0. 0.]]
  }
}`,
    );
    assertEquals(
      await display([arange(500)], PLAIN),
      `[\n  Tensor i32[500] ${here()}\n  [  0   1   2 … 497 498 499]\n]`,
    );
    const many = Array.from({ length: 20 }, () => tensor(1));
    const unread = (await display(many, PLAIN)).match(/not read yet/g) ?? [];
    assertEquals(unread.length, 4);
    const deep = await display({ a: { b: { c: { d: tensor(1) } } } }, PLAIN);
    assertStringIncludes(deep, "not read yet");
  },
);

onDevice("webgpu", "display frees what it makes", async () => {
  const x = randn([300, 40]);
  const hole = tensor(Array.from({ length: 1500 }, () => NaN));
  await synchronize();
  const { tensors, bytes } = memory();
  await display([x, x.view, hole, hole], PLAIN);
  const after = memory();
  assertEquals([after.tensors, after.bytes], [tensors, bytes]);
});

onDevice(
  "webgpu",
  "what was read once is not read again until it changes",
  async () => {
    const x = ones([2000]);
    const first = await display(x, PLAIN);
    const ops: string[] = [];
    const stop = watchOps((op) => ops.push(op));
    assertEquals(await display(x, PLAIN), first);
    stop();
    assertEquals(ops, []);
    x.assign(zeros([2000]));
    assertStringIncludes(await display(x, PLAIN), "[0. 0. 0. … 0. 0. 0.]");
  },
);

onDevice(
  "webgpu",
  "4096 × 4096 values are shown without reading them all",
  async () => {
    const x = randn([4096, 4096]);
    await synchronize();
    const start = performance.now();
    const text = await display(x, PLAIN);
    const took = performance.now() - start;
    assert(took < 20_000, `took ${took} ms`);
    assertEquals(text.split("\n").length, 9);
    const [, mean, std] = text.match(/mean (\S+), std (\S+)$/)!.map(Number);
    assert(Math.abs(mean) < 0.01 && Math.abs(std - 1) < 0.01, text);
  },
);

Deno.test("the session shows large tensors, nested ones and promises of them", async () => {
  await init({ seed: 0 });
  await assertTranscript(
    `
    > const x = arange(4000)
    > x.reshape([4, 1000])
    Tensor i32[4, 1000] gpu
    [[   0    1    2 …  997  998  999]
     [1000 1001 1002 … 1997 1998 1999]
     [2000 2001 2002 … 2997 2998 2999]
     [3000 3001 3002 … 3997 3998 3999]]
    min 0, max 3999, mean 1999.5, std 1154.8
    > Promise.resolve(tensor([1, 2]))
    Tensor f32[2] gpu
    [1. 2.]
    > ({ loss: tensor(0.5), steps: 3 })
    { loss: Tensor f32[] gpu 0.5, steps: 3 }
    `,
    libraryHost("none"),
  );
});
