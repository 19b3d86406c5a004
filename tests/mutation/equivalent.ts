/** Faults that provably change no result, with the reasons, from `equivalent.json`. */
import { readText } from "../support/tree.ts";
import { type Fault, withFault } from "./faults.ts";
import known from "./equivalent.json" with { type: "json" };

/** A change that makes no difference, and why. */
interface Entry {
  readonly file: string;
  readonly was: string;
  readonly becomes: string;
  readonly reason: string;
}

const entries: readonly Entry[] = known;

/** A change as a reader sees it. */
export interface Change {
  /** Number of the first line that changes, from 1. */
  readonly line: number;
  /** The lines that change, trimmed and joined by a space, before and after. */
  readonly was: string;
  readonly becomes: string;
}

/** The lines that a fault changes. */
export function changeOf(text: string, fault: Fault): Change {
  const first = text.lastIndexOf("\n", fault.start - 1) + 1;
  const rest = text.indexOf("\n", fault.end);
  const after = rest < 0 ? text.length : rest;
  const changed = withFault(text, fault);
  const end = after + changed.length - text.length;
  return {
    line: text.slice(0, first).split("\n").length,
    was: joined(text.slice(first, after)),
    becomes: joined(changed.slice(first, end)),
  };
}

function joined(lines: string): string {
  return lines.trim().replaceAll(/\s+/g, " ");
}

/** Why a change in a file makes no difference, if it is known not to. Bound to the text of the lines: another text needs another reason. */
export function reasonFor(
  file: string,
  { was, becomes }: Change,
): string | undefined {
  return entries.find((entry) =>
    entry.file === file && entry.was === was && entry.becomes === becomes
  )?.reason;
}

/** Complaints about entries whose line is no longer in their file. */
export async function stale(): Promise<string[]> {
  const complaints: string[] = [];
  for (const { file, was } of entries) {
    const text = await readText(file).catch(() => "");
    if (!joined(text).includes(was)) {
      complaints.push(`equivalent.json: ${file} has no line ${was}`);
    }
  }
  return complaints;
}
