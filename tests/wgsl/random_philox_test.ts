import { assert, assertEquals } from "@std/assert";
import { bindWhole } from "../../wgsl/launch.ts";
import type { Op } from "../../wgsl/op.ts";
import {
  type Block,
  type Key,
  permutation,
  philox4x32,
} from "../../wgsl/random/philox.ts";
import philoxCode from "../../wgsl/random/philox.wgsl" with { type: "text" };
import { host, runVariant } from "../support/plan.ts";

const KEY: Key = [0xa4093822, 0x299f31d0];

/** Random123's known answers for philox4x32 with 10 rounds: counter, key, result. */
const KNOWN: readonly [Block, Key, Block][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

Deno.test("philox4x32 gives Random123's known answers", () => {
  for (const [counter, key, words] of KNOWN) {
    assertEquals(philox4x32(counter, key), words);
  }
});

/** Runs the WGSL generator on [counter, key] pairs, six words each. */
const knownAnswers: Op<Record<string, never>> = {
  name: "knownAnswers",
  infer: ([x]) => [{ shape: [x.shape[0], 4], dtype: "u32" }],
  variants: [{
    name: "naive",
    plan: ({ inputs: [x], outputs: [y] }) => ({
      launches: [{
        kernel: {
          label: "tests/wgsl/random_philox_test.ts",
          code: `@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u) {
  let i = 6u * group.x;
  let words = philox(
    vec4u(x[i], x[i + 1u], x[i + 2u], x[i + 3u]),
    vec2u(x[i + 4u], x[i + 5u]),
  );
  for (var n = 0u; n < 4u; n++) {
    y[4u * group.x + n] = words[n];
  }
}`,
        },
        declarations: philoxCode,
        bindings: [
          bindWhole("input", 0, "read", x),
          bindWhole("output", 0, "write", y),
        ],
        workgroups: [x.shape[0], 1, 1],
        trips: 14,
        flops: 0,
        bytes: 0,
      }],
    }),
  }],
  reference([x], [y]) {
    for (let i = 0; i < x.shape[0]; i++) {
      const [a, b, c, d, k0, k1] = x.data.subarray(6 * i, 6 * i + 6);
      y.data.set(philox4x32([a, b, c, d], [k0, k1]), 4 * i);
    }
  },
};

Deno.test("the kernels' philox gives Random123's known answers", async () => {
  const x = host(KNOWN.flatMap(([counter, key]) => [...counter, ...key]), [
    3,
    6,
  ], "u32");
  const given = { inputs: [x], attrs: {} };
  const [y] = await runVariant(knownAnswers, "naive", given);
  assertEquals([...y.data], KNOWN.flatMap(([, , words]) => [...words]));
});

Deno.test("permutation gives each order alike, and the same one for the same stream", () => {
  for (const n of [0, 1, 2, 5, 1009]) {
    const order = permutation(n, { key: KEY, counter: 1 });
    assertEquals([...order].sort((a, b) => a - b), [...Array(n).keys()]);
    assertEquals(order, permutation(n, { key: KEY, counter: 1 }));
  }
  const counts = new Map<string, number>();
  for (let counter = 0; counter < 6000; counter++) {
    const order = permutation(3, { key: KEY, counter }).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const count of counts.values()) assert(Math.abs(count - 1000) < 150);
});
