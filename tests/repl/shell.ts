/** A shell for commands that need no session. */
import type { Shell } from "../../repl/commands/command.ts";

export const SHELL: Shell = {
  screen: () => ({ colors: "none", live: false, columns: 80, write() {} }),
  print() {},
  globals: {},
  variables: () => Promise.resolve(new Map()),
  commands: () => [],
  lines: () => [],
  history: () => [],
  lastError: () => undefined,
  collect: () => Promise.resolve(),
  run: () => Promise.resolve(),
  edit: () => Promise.resolve(""),
  reset: () => Promise.resolve(),
  exit() {
    throw new Error("Left");
  },
};
