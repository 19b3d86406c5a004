/** Where files come from and go to. */

/** A file to read: its path, its URL (http, https, file or data), or its bytes. */
export type FileSource = string | URL | Uint8Array;

/** The bytes of a file, and what messages call it. */
export async function readSource(
  source: FileSource,
): Promise<{ readonly bytes: Uint8Array; readonly file: string }> {
  if (source instanceof Uint8Array) return { bytes: source, file: "bytes" };
  const file = String(source);
  // One letter before the colon is a drive.
  if (typeof source === "string" && !/^[a-z][a-z0-9+.-]+:/i.test(source)) {
    return { bytes: await Deno.readFile(source), file };
  }
  const response = await fetch(source);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(
      `Cannot load ${file}: the server answered ${response.status}`,
    );
  }
  return { bytes: await response.bytes(), file };
}

/**
 * Writes a file, in whole or not at all: beside its place first, then, when the disk has it, renamed. What stood there is whole whatever
 * happens.
 */
export async function writeWhole(
  path: string | URL,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = path instanceof URL
    ? new URL(`${path.href}.${crypto.randomUUID()}.part`)
    : `${path}.${crypto.randomUUID()}.part`;
  const file = await Deno.open(temporary, { write: true, createNew: true });
  try {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await file.write(bytes.subarray(at));
      }
      await file.syncData();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary);
    throw error;
  }
}
