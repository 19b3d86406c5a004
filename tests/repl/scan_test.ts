import { assertEquals } from "@std/assert";
import { scan } from "../../repl/scan.ts";

function texts(source: string): string[] {
  return scan(source).tokens.map((token) => token.text);
}

Deno.test("tokens are words, numbers, strings and marks, without blanks and comments", () => {
  assertEquals(
    texts(`const été = 1.5e3 /* a */ + .5 // b\n?.x...y => "a\\"b" 'c'`),
    [
      "const",
      "été",
      "=",
      "1.5e3",
      "+",
      ".5",
      "?.",
      "x",
      "...",
      "y",
      "=>",
      '"a\\"b"',
      "'c'",
    ],
  );
});

Deno.test("a slash divides behind a value and starts a regular expression elsewhere", () => {
  assertEquals(texts("a / b / c"), ["a", "/", "b", "/", "c"]);
  assertEquals(texts("(1) / 2"), ["(", "1", ")", "/", "2"]);
  assertEquals(texts("x = /[/(]\\/{/g"), ["x", "=", "/[/(]\\/{/g"]);
  assertEquals(texts("return /}/"), ["return", "/}/"]);
});

Deno.test("templates nest", () => {
  const { tokens, closed } = scan("`a${ `b${1}` + {} }c`");
  assertEquals(tokens.map(({ text, depth }) => [text, depth]), [
    ["`a${", 0],
    ["`b${", 1],
    ["1", 2],
    ["}`", 1],
    ["+", 1],
    ["{", 1],
    ["}", 1],
    ["}c`", 0],
  ]);
  assertEquals(closed, true);
});

Deno.test("the depth counts the brackets around a token", () => {
  assertEquals(
    scan("a(b[{c}])").tokens.map(({ depth }) => depth),
    [0, 0, 1, 1, 2, 3, 2, 1, 0],
  );
});

Deno.test("text that stops in a template, a comment or a bracket is known", () => {
  assertEquals(scan("`a").unterminated, "template");
  assertEquals(scan("`a${1}").unterminated, "template");
  assertEquals(scan("1 /* a").unterminated, "comment");
  assertEquals(scan("1 /*/").unterminated, "comment");
  assertEquals(scan("f(`${").closed, false);
  assertEquals(scan("f(1").closed, false);
  assertEquals(scan("f('(')").closed, true);
});
