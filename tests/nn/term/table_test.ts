import { assertEquals } from "@std/assert";
import { tableRows } from "../../../nn/term/table.ts";
import {
  grouped,
  humanBytes,
  humanTime,
  threeDigits,
  withPrefix,
} from "../../../nn/term/units.ts";

const HEADS = [
  { head: "kernel", cut: true },
  { head: "calls", align: "right" },
  { head: "note" },
] as const;

Deno.test("a table's columns line up, numbers to the right, with the foot under a rule", () => {
  const lines = [["conv/naive.wgsl", "2", "slow"], ["pool", "12", ""]];
  assertEquals(tableRows(HEADS, lines, { foot: [["", "14", ""]] }), [
    "kernel           calls  note",
    "────────────────────────────",
    "conv/naive.wgsl      2  slow",
    "pool                12",
    "────────────────────────────",
    "                    14",
  ]);
});

Deno.test("a table that is too wide cuts the texts that may be cut, and no further than can be read", () => {
  const lines = [["conv/naive.wgsl", "2", "slow"]];
  assertEquals(tableRows(HEADS, lines, { columns: 24 }), [
    "kernel       calls  note",
    "────────────────────────",
    "conv/naive…      2  slow",
  ]);
  assertEquals(
    tableRows(HEADS, lines, { columns: 10 })[2],
    "conv/na…      2  slow",
  );
});

Deno.test("colours take no room in a table", () => {
  const lines = [["\x1b[31mred\x1b[0m", "1", "x"], ["plain", "2", "y"]];
  assertEquals(tableRows(HEADS, lines).slice(2), [
    "\x1b[31mred\x1b[0m         1  x",
    "plain       2  y",
  ]);
});

Deno.test("numbers get the unit that leaves few digits", () => {
  assertEquals([0, 999, 1000, 246_824, 3e9].map(humanBytes), [
    "0 B",
    "999 B",
    "1.00 kB",
    "246.82 kB",
    "3.00 GB",
  ]);
  assertEquals([5e-5, 0.0123, 1.9, 12.34, 123.4, 4070].map(humanTime), [
    "50.0 ns",
    "12.3 µs",
    "1.90 ms",
    "12.3 ms",
    "123 ms",
    "4.07 s",
  ]);
  assertEquals([12, 846_076, 43.21e9].map((n) => withPrefix(n, "FLOP")), [
    "12 FLOP",
    "846 kFLOP",
    "43.2 GFLOP",
  ]);
  assertEquals([0, 9.996, 99.96].map(threeDigits), ["0.00", "10.0", "100"]);
  assertEquals(grouped(61_706), "61,706");
});
