/** Which launches of a plan run once: those of made-up plans. */
import { assertEquals } from "@std/assert";
import { hoist } from "../../../core/gpu/hoist.ts";
import type { Binding, Launch, Slot } from "../../../wgsl/op.ts";

type Window = readonly [
  slot: Slot,
  index: number,
  offset?: number,
  size?: number,
];

function bindings(
  windows: readonly Window[],
  access: Binding["access"],
): Binding[] {
  return windows.map(([slot, index, offset = 0, size = 256]) => ({
    slot,
    index,
    access,
    offset,
    size,
  }));
}

function launch(
  label: string,
  reads: readonly Window[],
  writes: readonly Window[],
  appended: readonly Window[] = [],
): Launch {
  return {
    kernel: { label, code: "" },
    bindings: [...bindings(reads, "read"), ...bindings(writes, "write")],
    ...(appended.length > 0 ? { appended: bindings(appended, "read") } : {}),
    workgroups: [1, 1, 1],
    trips: 0,
    flops: 0,
    bytes: 0,
  };
}

/** Labels of what runs once, what runs always, and the scratch buffers that are kept. */
function parts(
  launches: readonly Launch[],
  scratch: number,
  constant: readonly boolean[],
) {
  const plan = { launches, scratch: new Array<number>(scratch).fill(1024) };
  const { once, launches: always, kept } = hoist(plan, constant);
  const names = (list: readonly Launch[]) =>
    list.map(({ kernel }) => kernel.label).join(" ");
  return [names(once), names(always), [...kept]];
}

const X = ["input", 0] as const;
const W = ["input", 1] as const;
const Y = ["output", 0] as const;
const scratch = (i: number, offset = 0, size = 256): Window => [
  "scratch",
  i,
  offset,
  size,
];

/** Winograd's launches: weights, pictures, products, results. */
const WINOGRAD = [
  launch("weights", [W], [scratch(0)]),
  launch("pictures", [X], [scratch(1)]),
  launch("products", [scratch(0), scratch(1)], [scratch(2)]),
  launch("results", [scratch(2)], [Y]),
];

Deno.test("the transform of constant weights runs once", () => {
  assertEquals(parts(WINOGRAD, 3, [false, true]), [
    "weights",
    "pictures products results",
    [0],
  ]);
});

Deno.test("nothing runs once where nothing is constant, or the wrong input is", () => {
  const all = "weights pictures products results";
  assertEquals(parts(WINOGRAD, 3, [false, false]), ["", all, []]);
  assertEquals(parts(WINOGRAD, 3, [true, false]), [
    "pictures",
    "weights products results",
    [1],
  ]);
});

Deno.test("what is computed of constants alone runs once up to the result, which is new each time", () => {
  assertEquals(parts(WINOGRAD, 3, [true, true]), [
    "weights pictures products",
    "results",
    [0, 1, 2],
  ]);
  assertEquals(parts([launch("copy", [W], [Y])], 0, [false, true]), [
    "",
    "copy",
    [],
  ]);
});

Deno.test("rounds that fill the same scratch memory anew run each time", () => {
  const rounds = [
    launch("pack 1", [W], [scratch(0)]),
    launch("products 1", [X, scratch(0)], [Y]),
    launch("pack 2", [W], [scratch(0)]),
    launch("products 2", [X, scratch(0)], [Y]),
  ];
  assertEquals(parts(rounds, 1, [false, true]), [
    "",
    "pack 1 products 1 pack 2 products 2",
    [],
  ]);
});

Deno.test("launches that each fill a part of their own run once", () => {
  const pieces = [
    launch("pack 2", [W], [scratch(0, 256)]),
    launch("pack 1", [W], [scratch(0)]),
    launch("products", [X, scratch(0, 0, 512)], [Y]),
  ];
  assertEquals(parts(pieces, 1, [false, true]), [
    "pack 2 pack 1",
    "products",
    [0],
  ]);
  const overlapping = [
    launch("pack 1", [W], [scratch(0, 0, 512)]),
    launch("pack 2", [W], [scratch(0, 256)]),
    launch("products", [X, scratch(0, 0, 512)], [Y]),
  ];
  assertEquals(parts(overlapping, 1, [false, true])[0], "");
});

Deno.test("scratch memory that something else writes too takes those with it that read it", () => {
  const shared = [
    launch("pack", [W], [scratch(0)]),
    launch("transform", [scratch(0)], [scratch(1)]),
    launch("pictures", [X], [scratch(0, 256)]),
    launch("products", [scratch(0), scratch(1)], [Y]),
  ];
  assertEquals(parts(shared, 2, [false, true]), [
    "",
    "pack transform pictures products",
    [],
  ]);
});

Deno.test("a chain of transforms runs once as a whole", () => {
  const chain = [
    launch("flip", [W], [scratch(0)]),
    launch("pack", [scratch(0)], [scratch(1)]),
    launch("products", [X, scratch(1)], [Y]),
  ];
  assertEquals(parts(chain, 2, [false, true]), [
    "flip pack",
    "products",
    [0, 1],
  ]);
});

Deno.test("what an epilogue reads counts too", () => {
  const plan = [
    launch("pack", [W], [scratch(0)], [X]),
    launch("products", [X, scratch(0)], [Y]),
  ];
  assertEquals(parts(plan, 1, [false, true])[0], "");
  assertEquals(parts(plan, 1, [true, true])[0], "pack");
});

Deno.test("a launch that writes its constant input runs each time", () => {
  const step = [
    {
      ...launch("update", [], [scratch(0)]),
      bindings: [
        ...bindings([W], "write"),
        ...bindings([scratch(0)], "write"),
      ],
    },
  ];
  assertEquals(parts(step, 1, [false, true]), ["", "update", []]);
});
