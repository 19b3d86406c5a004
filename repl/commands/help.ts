/** Help: commands. */
import type { Family } from "./command.ts";

export const helpCommands: Family = () => [];
