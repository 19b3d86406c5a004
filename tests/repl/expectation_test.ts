import { assertEquals } from "@std/assert";
import { expecting, meets } from "../../repl/expectation.ts";

Deno.test("an expectation stands behind the semicolon of a statement that gives something", () => {
  const cases = [
    ["x.shape; // [ 1, 2 ]", "x.shape", "[ 1, 2 ]"],
    ["x.shape;", "x.shape", undefined],
    ["f(\n  a, // first\n);  // 3 ", "f(\n  a, // first\n)", "3"],
    ["f(a)", "f(a)", undefined],
    ["const x = 1; // [N]", "const x = 1; // [N]", undefined],
    ["for (;;) f(); // often", "for (;;) f(); // often", undefined],
    ["constant; // 4", "constant", "4"],
  ] as const;
  for (const [statement, text, expected] of cases) {
    assertEquals(expecting(statement), { text, expected });
  }
});

Deno.test("what is shown is held against an expectation, but for colours and the breaking of rows", () => {
  const met = [
    ["[ 1, 6 ]", "[ 1, 6 ]"],
    ["[\n  1,\n  6\n]", "[ 1, 6 ]"],
    ["[ \x1b[33m1\x1b[39m, 6 ]", "[ 1, 6 ]"],
    ["a\nTotal params: 61,706\nb", "… Total params: 61,706 …"],
    ["abc", "a…c"],
    ["[ 0.99, -1.01 ]", "≈ [ 1, -1 ] ± 0.02"],
    ["3.4e-7", "≈ 0 ± 0.001"],
    ["61,800 of 2", "≈ 61,706 of 2 ± 100"],
    ["0.4", "< 0.5"],
    ["6e-5", "< 1e-4"],
    ["0.6", "> 0.5"],
  ];
  const unmet = [
    ["[ 1, 7 ]", "[ 1, 6 ]"],
    ["[ 1, 6 ] ", "[ 1, 6"],
    ["Total params: 61,707", "… Total params: 61,706 …"],
    ["ab", "ab…b"],
    ["xa", "a…"],
    ["[ 0.9, -1 ]", "≈ [ 1, -1 ] ± 0.02"],
    ["[ 1 ]", "≈ [ 1, -1 ] ± 0.02"],
    ["NaN", "≈ 0 ± 1"],
    ["0.5", "≈ 0.5 ± much"],
    ["0.5", "< 0.5"],
    ["NaN", "< 0.5"],
    ["NaN", "> 0.5"],
  ];
  for (const [shown, expected] of met) {
    assertEquals([shown, expected, meets(shown, expected)], [
      shown,
      expected,
      true,
    ]);
  }
  for (const [shown, expected] of unmet) {
    assertEquals([shown, expected, meets(shown, expected)], [
      shown,
      expected,
      false,
    ]);
  }
});
