/** Writing zip archives, as Python's zipfile does for numpy: the same bytes where entries are stored. */
import { crc32 } from "./crc32.ts";
import { viewOf } from "./refuse.ts";

/** Version 2.0 of the format; written on Unix. */
const VERSION = 20;
const MADE_BY = (3 << 8) | VERSION;

/** 1 January 1980, the first day of the format: so that the same arrays give the same bytes. */
const DATE = (1 << 5) | 1;

/** Tells that a name is UTF-8, for those that aren't ASCII. */
const UTF8 = 0x800;

/** Readable and writable by its owner, in the upper half where Unix looks. */
const OWNERS = 0o600 << 16;

/** The 64-bit extension's name, its length, and the two sizes. */
const EXTRA_BYTES = 20;

const MAX_BYTES = 2 ** 32 - 1;
const MAX_FILES = 2 ** 16 - 1;

/** Something that knows where it goes and what its directory entry is. */
interface Part {
  readonly local: Uint8Array;
  readonly content: Uint8Array;
  readonly central: Uint8Array;
}

/**
 * An archive of files, in their order.
 *
 * @throws {RangeError} when it would have more than 65,535 files or 4 GiB
 */
export async function writeZip(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  options: { readonly compress?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Part[] = [];
  let length = 0;
  for (const [name, bytes] of files) {
    const content = options.compress ? await deflate(bytes) : bytes;
    const part = describe(name, bytes, content, length);
    parts.push(part);
    length += part.local.length + content.length;
  }
  const directory = parts.reduce((sum, { central }) => sum + central.length, 0);
  const total = length + directory + 22;
  if (total > MAX_BYTES || parts.length > MAX_FILES) {
    throw new RangeError(
      `Cannot write an archive of ${parts.length} arrays and ${total} bytes: ${MAX_FILES} arrays and ${MAX_BYTES} bytes are the most`,
    );
  }
  const end = new Uint8Array(22);
  const view = viewOf(end);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, parts.length, true);
  view.setUint16(10, parts.length, true);
  view.setUint32(12, directory, true);
  view.setUint32(16, length, true);
  const archive = new Uint8Array(total);
  let at = 0;
  const append = (bytes: Uint8Array) => {
    archive.set(bytes, at);
    at += bytes.length;
  };
  for (const { local, content } of parts) {
    append(local);
    append(content);
  }
  for (const { central } of parts) append(central);
  append(end);
  return archive;
}

/** A file's own header and its entry in the directory. */
function describe(
  name: string,
  bytes: Uint8Array,
  content: Uint8Array,
  at: number,
): Part {
  const text = new TextEncoder().encode(name);
  const common = new Uint8Array(26);
  const view = viewOf(common);
  view.setUint16(0, VERSION, true);
  view.setUint16(2, text.length === name.length ? 0 : UTF8, true);
  view.setUint16(4, content === bytes ? 0 : 8, true);
  view.setUint16(8, DATE, true);
  view.setUint32(10, crc32(bytes), true);
  view.setUint32(14, content.length, true);
  view.setUint32(18, bytes.length, true);
  view.setUint16(22, text.length, true);

  const local = new Uint8Array(30 + text.length + EXTRA_BYTES);
  const localView = viewOf(local);
  localView.setUint32(0, 0x04034b50, true);
  local.set(common, 4);
  localView.setUint16(28, EXTRA_BYTES, true);
  local.set(text, 30);
  const extra = 30 + text.length;
  localView.setUint16(extra, 1, true);
  localView.setUint16(extra + 2, EXTRA_BYTES - 4, true);
  localView.setBigUint64(extra + 4, BigInt(bytes.length), true);
  localView.setBigUint64(extra + 12, BigInt(content.length), true);

  const central = new Uint8Array(46 + text.length);
  const centralView = viewOf(central);
  centralView.setUint32(0, 0x02014b50, true);
  centralView.setUint16(4, MADE_BY, true);
  central.set(common, 6);
  centralView.setUint32(38, OWNERS, true);
  centralView.setUint32(42, at, true);
  central.set(text, 46);
  return { local, content, central };
}

async function deflate(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream("deflate-raw"));
  return await new Response(stream).bytes();
}
