import { assertEquals } from "@std/assert";
import {
  arange,
  device,
  full,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";

/** The device as headings name it. */
function here(): string {
  return device().backend === "cpu" ? "cpu" : "gpu";
}

/** What is shown once the values have been read, without the heading. */
async function body(x: Tensor): Promise<string> {
  await x.read();
  const [, ...lines] = Deno.inspect(x).split("\n");
  return lines.join("\n");
}

onBothDevices(
  "a tensor shows its dtype and shape, and its values once they have been read",
  async () => {
    const x = tensor([[1, 2], [3, 4]]);
    const heading = `Tensor f32[2, 2] ${here()}`;
    assertEquals(Deno.inspect(x), `${heading} (not read yet: await t.read())`);
    assertEquals(`${x}`, Deno.inspect(x));
    await x.read();
    assertEquals(Deno.inspect(x), `${heading}\n[[1. 2.]\n [3. 4.]]`);
    assertEquals(`${x}`, Deno.inspect(x));
    x.assign(tensor([[5, 6], [7, 8]]));
    assertEquals(Deno.inspect(x), `${heading} (not read yet: await t.read())`);
    x.dispose();
    assertEquals(Deno.inspect(x), "Tensor f32[2, 2] (freed)");
  },
);

onBothDevices(
  "reading a view shows the view, not what it was made from",
  async () => {
    const x = tensor([[1, 2], [3, 4]]);
    const y = x.transpose();
    await y.read();
    assertEquals(
      Deno.inspect(y),
      `Tensor f32[2, 2] ${here()}, view\n[[1. 3.]\n [2. 4.]]`,
    );
    assertEquals(
      Deno.inspect(x),
      `Tensor f32[2, 2] ${here()} (not read yet: await t.read())`,
    );
  },
);

onBothDevices("scalars and empty tensors stay on one line", async () => {
  const show = async (x: Tensor) => {
    await x.read();
    return Deno.inspect(x);
  };
  assertEquals(await show(tensor(1.5)), `Tensor f32[] ${here()} 1.5`);
  assertEquals(
    await show(tensor(-3, { dtype: "i32" })),
    `Tensor i32[] ${here()} -3`,
  );
  assertEquals(await show(tensor(true)), `Tensor bool[] ${here()} true`);
  assertEquals(await show(zeros([0])), `Tensor f32[0] ${here()} []`);
  assertEquals(
    await show(zeros([2, 0, 1e9])),
    `Tensor f32[2, 0, 1000000000] ${here()} []`,
  );
});

onBothDevices("columns are aligned at the point", async () => {
  assertEquals(
    await body(tensor([[0.89031, 0.672], [0.5, -0.25]])),
    "[[ 0.8903  0.672 ]\n [ 0.5    -0.25  ]]",
  );
  assertEquals(await body(tensor([0.99999, 1])), "[1. 1.]");
  assertEquals(await body(tensor([-0, 0, 1])), "[-0.  0.  1.]");
});

onBothDevices("planes are apart by a line, cubes by two", async () => {
  assertEquals(
    await body(arange(12, undefined, 1, { dtype: "f32" }).reshape([2, 2, 3])),
    `
[[[ 0.  1.  2.]
  [ 3.  4.  5.]]

 [[ 6.  7.  8.]
  [ 9. 10. 11.]]]`.trimStart(),
  );
  assertEquals(
    await body(tensor([[[[1, 2]]], [[[3, 4]]]])),
    "[[[[1. 2.]]]\n\n\n [[[3. 4.]]]]",
  );
});

onBothDevices(
  "integers are aligned to the right, booleans are words",
  async () => {
    assertEquals(
      await body(tensor([1, -2, 300], { dtype: "i32" })),
      "[  1  -2 300]",
    );
    assertEquals(
      await body(tensor([[true, false], [false, true]])),
      "[[ true false]\n [false  true]]",
    );
  },
);

onBothDevices("nan and the infinities have their names", async () => {
  assertEquals(
    await body(tensor([NaN, 1.5, -Infinity, Infinity])),
    "[ nan  1.5 -inf  inf]",
  );
  assertEquals(await body(tensor([NaN, NaN])), "[nan nan]");
});

onBothDevices(
  "numbers that are far apart, large or small take the scientific form",
  async () => {
    const cases: readonly (readonly [number[], string])[] = [
      [[1e-5, 1, 2], "[1.e-05 1.e+00 2.e+00]"],
      [[1e8, 1], "[1.e+08 1.e+00]"],
      [[0.00012345, 12345.678], "[1.2345e-04 1.2346e+04]"],
      [[1e20, 1.5e-20], "[1.0e+20 1.5e-20]"],
      [[1e10, NaN], "[1.e+10    nan]"],
      [[-1e-5, 1e5], "[-1.e-05  1.e+05]"],
      [[0, 0], "[0. 0.]"],
      [[0.001, 12.5], "[ 0.001 12.5  ]"],
    ];
    for (const [values, text] of cases) {
      assertEquals(await body(tensor(values)), text);
    }
  },
);

onBothDevices("lines are broken at 80 columns", async () => {
  assertEquals(
    await body(arange(30).mul(1000000)),
    `
[       0  1000000  2000000  3000000  4000000  5000000  6000000  7000000
  8000000  9000000 10000000 11000000 12000000 13000000 14000000 15000000
 16000000 17000000 18000000 19000000 20000000 21000000 22000000 23000000
 24000000 25000000 26000000 27000000 28000000 29000000]`.trimStart(),
  );
});

onBothDevices(
  "above 1,000 elements the ends of long axes stand for all",
  async () => {
    assertEquals(await body(arange(1000).slice(0, 0, 2)), "[0 1]");
    assertEquals(
      await body(arange(2000)),
      "[   0    1    2 … 1997 1998 1999]",
    );
    assertEquals(
      await body(arange(2000).reshape([500, 4])),
      `
[[   0    1    2    3]
 [   4    5    6    7]
 [   8    9   10   11]
 …
 [1988 1989 1990 1991]
 [1992 1993 1994 1995]
 [1996 1997 1998 1999]]`.trimStart(),
    );
    assertEquals(
      await body(full([7, 1, 200], 1)),
      `
[[[1. 1. 1. … 1. 1. 1.]]

 [[1. 1. 1. … 1. 1. 1.]]

 [[1. 1. 1. … 1. 1. 1.]]

 …

 [[1. 1. 1. … 1. 1. 1.]]

 [[1. 1. 1. … 1. 1. 1.]]

 [[1. 1. 1. … 1. 1. 1.]]]`.trimStart(),
    );
  },
);

onBothDevices(
  "outer axes show less where the inner ones would fill the screen",
  async () => {
    const rows = (await body(full([8, 64, 9, 9], 1))).split("\n");
    assertEquals(rows.length, 4 * 7 + 2 * 3 + 5);
    assertEquals(rows.filter((row) => row.includes("1.")).length, 24);
    const maps = (await body(full([1, 6, 28, 28], 1))).split("\n");
    assertEquals(maps.filter((row) => row.includes("1.")).length, 36);
  },
);

onBothDevices(
  "a tensor of a million elements shows its ends once read",
  async () => {
    assertEquals(
      await body(arange(1000000)),
      "[     0      1      2 … 999997 999998 999999]",
    );
  },
);

onDevice("cpu", "f64 shows as many digits as f32", async () => {
  const x = tensor([1 / 3], { dtype: "f64" });
  await x.read();
  assertEquals(Deno.inspect(x), "Tensor f64[1] cpu\n[0.3333]");
});
