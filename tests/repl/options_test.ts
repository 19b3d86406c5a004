import { assertEquals, assertThrows } from "@std/assert";
import { parseOptions, UsageError } from "../../repl/options.ts";
import { VERSION } from "../../repl/version.ts";
import config from "../../deno.json" with { type: "json" };

Deno.test("without arguments there is a prompt with a banner and colours", () => {
  assertEquals(parseOptions([]), {
    files: [],
    code: undefined,
    interactive: false,
    quiet: false,
    color: true,
    seed: undefined,
    images: undefined,
    help: false,
  });
});

Deno.test("every option can be given", () => {
  assertEquals(
    parseOptions([
      "a.ts",
      "-e",
      "1 + 1",
      "-iq",
      "--no-color",
      "--seed",
      "7",
      "--images",
      "sixel",
      "b.ts",
    ]),
    {
      files: ["a.ts", "b.ts"],
      code: "1 + 1",
      interactive: true,
      quiet: true,
      color: false,
      seed: 7,
      images: "sixel",
      help: false,
    },
  );
});

Deno.test("a seed that is no whole number is refused", () => {
  for (const seed of ["x", "1.5", "9007199254740992"]) {
    const error = assertThrows(
      () => parseOptions(["--seed", seed]),
      UsageError,
    );
    assertEquals(
      error.message,
      `Cannot seed with ${seed}: expected an integer from 0 to 2^53 - 1`,
    );
  }
});

Deno.test("the version is that of deno.json", () => {
  assertEquals(VERSION, config.version);
});
