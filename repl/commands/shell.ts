/** Session: commands. */
import type { Family } from "./command.ts";

export const shellCommands: Family = () => [];
