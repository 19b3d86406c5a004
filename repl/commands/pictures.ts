/** Pictures: commands. */
import type { Family } from "./command.ts";

export const picturesCommands: Family = () => [];
