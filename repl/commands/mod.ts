/** All commands, by family. */
import type { Command, Shell } from "./command.ts";
import { helpCommands } from "./help.ts";
import { inspectCommands } from "./inspect.ts";
import { picturesCommands } from "./pictures.ts";
import { shellCommands } from "./shell.ts";

const FAMILIES = [
  ["Help", helpCommands],
  ["Session", shellCommands],
  ["Looking inside", inspectCommands],
  ["Pictures", picturesCommands],
] as const;

/** The commands of a session. */
export function commandsOf(shell: Shell): Command[] {
  return FAMILIES.flatMap(([family, make]) =>
    make(shell).map((command) => ({ ...command, family }))
  );
}
