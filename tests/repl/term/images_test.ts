import { assertEquals, assertThrows } from "@std/assert";
import {
  imageProtocol,
  imageProtocolNamed,
  setImageProtocol,
} from "../../../repl/term/images.ts";

function detected(env: Record<string, string>): string {
  return imageProtocol((name) => env[name]);
}

Deno.test("the environment tells what a terminal can show; inside of tmux and screen it's half blocks", () => {
  const kitty = { TERM: "xterm-kitty", KITTY_WINDOW_ID: "1" };
  const cases: [Record<string, string>, string][] = [
    [{}, "half"],
    [{ TERM: "xterm-256color" }, "half"],
    [kitty, "kitty"],
    [{ TERM: "xterm-ghostty" }, "kitty"],
    [{ TERM: "xterm-256color", TERM_PROGRAM: "ghostty" }, "kitty"],
    [{ ...kitty, TMUX: "/tmp/tmux" }, "half"],
    [{ ...kitty, TERM: "screen-256color" }, "half"],
    [{ TERM: "tmux-256color", TERM_PROGRAM: "iTerm.app" }, "half"],
    [{ TERM: "xterm-256color", TERM_PROGRAM: "iTerm.app" }, "iterm"],
    [{ TERM: "xterm-256color", TERM_PROGRAM: "WezTerm" }, "iterm"],
    [{ TERM: "xterm-256color", LC_TERMINAL: "iTerm2" }, "iterm"],
    [{ TERM: "foot" }, "sixel"],
    [{ TERM: "mlterm-256color" }, "sixel"],
  ];
  for (const [env, wanted] of cases) {
    assertEquals(detected(env), wanted, JSON.stringify(env));
  }
});

Deno.test("TESSERA_IMAGES stands above what is detected, and a choice above both", () => {
  const env = { TERM: "xterm-kitty", TESSERA_IMAGES: "sixel" };
  assertEquals(detected(env), "sixel");
  setImageProtocol("off");
  try {
    assertEquals(detected(env), "off");
  } finally {
    setImageProtocol(undefined);
  }
  assertEquals(detected(env), "sixel");
});

Deno.test("an unknown protocol is refused with those that there are", () => {
  const message =
    'Cannot show pictures by "jpeg": expected one of half, kitty, iterm, sixel, off';
  assertThrows(() => imageProtocolNamed("jpeg"), RangeError, message);
  assertThrows(
    () => detected({ TESSERA_IMAGES: "jpeg" }),
    RangeError,
    message,
  );
});
