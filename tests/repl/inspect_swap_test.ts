/** Kernels that are swapped: refused where they are wrong, used where they are right, undone. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  KernelError,
  ones,
  randn,
  type Tensor,
  tensor,
} from "../../core/mod.ts";
import { currentGpu } from "../../core/runtime.ts";
import { avgPool2d, compile, Linear, SGD } from "../../nn/mod.ts";
import { explain } from "../../repl/inspect/explain.ts";
import { swap, type Swapped, type Swaps } from "../../repl/inspect/swap.ts";
import { wgsl } from "../../repl/inspect/wgsl.ts";
import { onDevice } from "../support/devices.ts";
import { assertFailsLater } from "../support/errors.ts";
import { readText } from "../support/tree.ts";

const KERNEL = "pointwise/unary_vec4.wgsl";
const POOL = "pool/avg_pool2d_tiled.wgsl";

/** The library's kernel with one part changed, in a file. */
async function edited(
  kernel: string,
  from: string,
  to: string,
): Promise<{ readonly file: string } & AsyncDisposable> {
  const code = await readText(`wgsl/${kernel}`);
  assert(code.includes(from));
  const file = await Deno.makeTempFile({ suffix: ".wgsl" });
  await Deno.writeTextFile(file, code.replaceAll(from, to));
  return {
    file,
    [Symbol.asyncDispose]: () => Deno.remove(file),
  };
}

/** Further from 1 than the rounding of one operation, and within its tolerance. */
const NEARLY_ONE = 1 + 2 ** -22;

function nearly() {
  return edited(KERNEL, "Y(op(a_four.x))", "Y(op(a_four.x) * (1.0 + 0x1p-22))");
}

/** Runs `body` and swaps the kernel back. */
async function undone(kernel: string, body: () => Promise<void>) {
  try {
    await body();
  } finally {
    const label = `wgsl/${kernel}`;
    if (currentGpu()!.workbench.pipelines.swaps.has(label)) await swap(kernel);
  }
}

onDevice(
  "webgpu",
  "a right kernel takes effect, is listed by explain and wgsl, and undone",
  () =>
    undone(KERNEL, async () => {
      const x = ones([8]);
      assertEquals(await x.relu().array(), Array(8).fill(1));
      await using mine = await nearly();
      const swapped = await swap(KERNEL, mine.file) as Swapped;
      assertEquals(swapped.kernel, KERNEL);
      assert(swapped.checks.length > 0);
      assert(
        swapped.checks.every(({ ok, against }) =>
          ok && against === "reference"
        ),
      );
      assertEquals(
        swapped.rows()[0],
        `${mine.file} runs in place of ${KERNEL}`,
      );
      const changed = [NEARLY_ONE, 1, 1, 1, NEARLY_ONE, 1, 1, 1];
      assertEquals(await x.relu().array(), changed);
      // Another call of the kernel, for another op and shape.
      assertEquals((await ones([4]).sqrt().array() as number[])[0], NEARLY_ONE);
      const { ops: [relu] } = await explain(() => x.relu());
      assertEquals(relu.launches[0].swappedFor, mine.file);
      const { shaders: [shader] } = await wgsl(() => x.relu());
      assertEquals(shader.swappedFor, mine.file);
      assert(shader.code.includes("0x1p-22"));
      assertEquals((await swap() as Swaps).files, { [KERNEL]: mine.file });
      const none = await swap(`wgsl/${KERNEL}`) as Swaps;
      assertEquals(none.rows(), ["All kernels are the library's own"]);
      assertEquals(await x.relu().array(), Array(8).fill(1));
    }),
);

onDevice(
  "webgpu",
  "a wrong kernel is refused with its largest error and where it is, and nothing changes",
  () =>
    undone(KERNEL, async () => {
      const x = tensor([1, 2, 3, 4]);
      x.relu();
      await using mine = await edited(
        KERNEL,
        "Y(op(a_four.z))",
        "Y(op(a_four.w))",
      );
      const error = await swap(KERNEL, mine.file).catch((e) => e);
      assert(error instanceof KernelError);
      assertEquals(error.file, mine.file);
      assertMatch(
        error.message.replace(mine.file, "FILE"),
        /^Cannot run FILE for wgsl\/pointwise\/unary_vec4\.wgsl: in \w+ of \[[\d, ]+\], element \[[\d, ]+\] is \S+ where the reference has \S+ \(largest error \S+, allowed \S+\)$/,
      );
      assertEquals(await x.relu().array(), [1, 2, 3, 4]);
      assertEquals((await swap() as Swaps).files, {});
    }),
);

onDevice(
  "webgpu",
  "a kernel that doesn't compile is refused with its file, line and column",
  () =>
    undone(KERNEL, async () => {
      const x = ones([4]);
      x.relu();
      await using mine = await edited(
        KERNEL,
        "Y(op(a_four.z))",
        "Y(op(a_fuor.z))",
      );
      const error = await swap(KERNEL, mine.file).catch((e) => e);
      assert(error instanceof KernelError);
      const rows = (await Deno.readTextFile(mine.file)).split("\n");
      const line = rows.findIndex((row) => row.includes("a_fuor")) + 1;
      const column = rows[line - 1].indexOf("a_fuor") + 1;
      assertEquals([error.file, error.line, error.column], [
        mine.file,
        line,
        column,
      ]);
      assertEquals(await x.relu().array(), [1, 1, 1, 1]);
    }),
);

onDevice(
  "webgpu",
  "a call that comes after the swap is compared at its first run: reads that depend on a wrong one reject, others don't",
  () =>
    undone(KERNEL, async () => {
      await using mine = await edited(
        KERNEL,
        "Y(op(a_four.y))",
        "Y(op(a_four.y) + X(params.count == 7u))",
      );
      const small = ones([4]);
      small.relu();
      // Right for all calls so far.
      await swap(KERNEL, mine.file);
      assertEquals(await small.relu().array(), [1, 1, 1, 1]);
      const x = ones([28]);
      const before = x.mul(x);
      const bad = x.relu();
      const error = await bad.array().catch((e) => e);
      assert(error instanceof KernelError, `${error}`);
      assertEquals(
        error.message,
        `Cannot run ${mine.file} for wgsl/${KERNEL}: in relu of [28], element [1] is 2 where the reference has 1 (largest error 1.0, allowed 0.0000019)`,
      );
      assertEquals(await before.array(), Array(28).fill(1));
      await assertFailsLater(bad.mul(x).array(), KernelError, error.message);
      await swap(KERNEL);
      assertEquals(await x.relu().array(), Array(28).fill(1));
    }),
);

onDevice(
  "webgpu",
  "a kernel that no call has used can be swapped, and is compared at its first run",
  () =>
    undone(POOL, async () => {
      await using mine = await edited(POOL, "@compute", "// edited\n@compute");
      const x = randn([1, 3, 10, 14]);
      const before = await avgPool2d(x, 2).array();
      const { workbench } = currentGpu()!;
      const used = workbench.plans.usesOf(`wgsl/${POOL}`).length;
      const { checks } = await swap(POOL, mine.file) as Swapped;
      assertEquals(checks.length, used);
      assertEquals(await avgPool2d(x, 2).array(), before);
      const other = randn([1, 2, 6, 6]);
      assertEquals(avgPool2d(other, 3).shape, [1, 2, 2, 2]);
      await avgPool2d(other, 3).array();
    }),
);

onDevice(
  "webgpu",
  "a compiled network follows a swap and the way back, and one that is compiled later is compared as well",
  () =>
    undone(KERNEL, async () => {
      const x = ones([8]);
      const plan = await compile((x: Tensor) => x.relu(), x);
      const value = async (f: (x: Tensor) => Tensor) =>
        (await f(x).array() as number[])[0];
      assertEquals(await value(plan), 1);
      await using mine = await nearly();
      await swap(KERNEL, mine.file);
      assertEquals(await value(plan), NEARLY_ONE);
      await swap(KERNEL);
      assertEquals(await value(plan), 1);
      plan.dispose();
      await using wrong = await edited(
        KERNEL,
        "Y(op(a_four.y))",
        "Y(op(a_four.y) + X(params.count == 9u))",
      );
      await swap(KERNEL, wrong.file);
      const z = ones([36]);
      // The plan computes what it can at once, and so may fail where it is made.
      const error = await compile((z: Tensor) => z.sin(), z)
        .then((later) => later(z).array())
        .catch((e: unknown) => e);
      assert(error instanceof KernelError, `${error}`);
      assertMatch(error.message, /in sin of \[36\], element \[\d+\]/);
    }),
);

onDevice(
  "webgpu",
  "kernels of ops that work in place are compared too",
  () =>
    undone("optim/sgd.wgsl", async () => {
      const layer = new Linear(4, 4);
      const optimizer = new SGD(layer.parameters(), { lr: 0.1 });
      const step = () => {
        optimizer.zeroGrad();
        layer(ones([1, 4])).sum().backward();
        optimizer.step();
      };
      step();
      const { shaders } = await wgsl(() => step());
      const kernel = shaders.map(({ kernel }) => kernel)
        .find((label) => label.startsWith("wgsl/optim/"))!;
      await undone(kernel.slice("wgsl/".length), async () => {
        await using mine = await edited(
          kernel.slice("wgsl/".length),
          "@compute",
          "// edited\n@compute",
        );
        const { checks } = await swap(kernel, mine.file) as Swapped;
        assert(checks.length > 0 && checks.every(({ ok }) => ok));
        step();
        assert(Number.isFinite(await layer.weight.sum().item()));
      });
      optimizer.dispose?.();
      layer.dispose();
    }),
);

onDevice("webgpu", "names are checked before anything is read", async () => {
  await assertFailsLater(
    swap("pointwise/unary_vec.wgsl", "none.wgsl"),
    Error,
    'Cannot swap pointwise/unary_vec.wgsl: the library has no such kernel, did you mean "pointwise/unary_vec4.wgsl"?',
  );
  await assertFailsLater(
    swap("optim/adam.wgsl", "none.wgsl"),
    Error,
    "Cannot swap optim/adam.wgsl: it is no kernel but a part of several",
  );
  await assertFailsLater(
    swap(KERNEL),
    Error,
    `Cannot go back to ${KERNEL}: it hasn't been swapped`,
  );
});

onDevice("cpu", "there is nothing to swap on the CPU device", async () => {
  await assertFailsLater(
    swap(KERNEL, "none.wgsl"),
    Error,
    "Cannot swap kernels: the CPU device runs float64 references and no kernels, await init() opens the GPU",
  );
});
