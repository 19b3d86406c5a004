/** Inspection: commands. */
import type { Family } from "./command.ts";

export const inspectCommands: Family = () => [];
