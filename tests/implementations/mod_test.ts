import { assertEquals } from "@std/assert";
import { type Entry, parseRecord } from "../support/record.ts";
import { faultsOf, leftOutLines } from "./mod.ts";

const ADAPTER: Entry = { adapter: "SwiftShader Device (Subzero)" };
const FILES = new Map([["wgsl/a.wgsl", "fn a() {}\n"], [
  "wgsl/b.wgsl",
  "fn b() {}\n",
]]);

function ran(source: string): Entry {
  return { kernel: "wgsl/a.wgsl", source };
}

Deno.test("a run in which SwiftShader ran every file of WGSL has no fault", () => {
  const entries = [ADAPTER, ran("fn a() {}\n\nfn b() {}\nalias T = f32;")];
  assertEquals(faultsOf(entries, FILES), []);
});

Deno.test("files that no launch had in it, and other adapters, are faults", () => {
  assertEquals(faultsOf([], FILES), [
    "ran on no adapter",
    "never ran wgsl/a.wgsl",
    "never ran wgsl/b.wgsl",
  ]);
  const entries = [ADAPTER, { adapter: "llvmpipe" }, ran("fn a() {}")];
  assertEquals(faultsOf(entries, FILES), [
    "ran on llvmpipe",
    "never ran wgsl/b.wgsl",
  ]);
});

Deno.test("what was left out is counted by reason", () => {
  const text = `{"adapter":"SwiftShader"}
{"leftOut":"f16","of":"conv2d (naive)"}
{"leftOut":"constants","of":"conv2d (naive)"}
{"leftOut":"f16","of":"conv2d (tiled)"}
`;
  assertEquals(leftOutLines(parseRecord(text)), [
    "1 cases whose kernels ran with other constants",
    "2 cases in f16, which its driver lacks",
  ]);
});
