/** How the readers of files end when a file breaks a rule. */
import { FileFormatError } from "../errors.ts";

/** Ends the reading with an error: the byte of the file, and the rule that it breaks. */
export type Refuse = (offset: number, rule: string) => never;

/** The refusals of one file, which they name. */
export function refuser(file: string): Refuse {
  return (offset, rule) => {
    throw new FileFormatError(
      `Cannot read ${file}: ${rule} (byte ${offset})`,
      file,
      offset,
      rule,
    );
  };
}

/** A view of bytes, wherever in their buffer they stand. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
