/**
 * Zip archives, as numpy's npz and PyTorch's files are: the directory at the end is read, and each entry is unpacked when asked for.
 *
 * Entries are stored or deflated, with the 64-bit extension. What the directory says is held against the entries' own headers and against the
 * file's length before memory is taken: no entry overlaps another, none claims to be smaller than deflate can make it, and all of them
 * together may not unpack to more than 100 times the file and 64 MiB. Deflated bytes are unpacked in small pieces, so that an entry which isn't
 * what it seems costs no more than its start.
 *
 * Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", version 6.3.10, sections 4.3 to 4.5.
 */
import { crc32 } from "./crc32.ts";
import { type Refuse, viewOf } from "./refuse.ts";

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly deflated: boolean;
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes when unpacked. */
  readonly size: number;
  /** Where its header starts. */
  readonly at: number;
  /** Where its packed bytes start. */
  readonly start: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;

/** Bytes of each record without its texts. */
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR64_BYTES = 20;

/** Most that deflate can shrink: 258 bytes take 2 bits. */
const DEFLATE_RATIO = 1032;

const FREE_BYTES = 2 ** 26;
const TOTAL_RATIO = 100;

/** Deflated bytes that are unpacked at a time: 1 MiB comes of the first at most, so that a false start is soon found. */
const FIRST_PIECE = 2 ** 10;
const PIECE = 2 ** 14;

const ENCRYPTED = 1;
const SIZES_FOLLOW = 8;
const METHOD_DEFLATE = 8;

/** Reads an archive's directory: its files by name, in the order of the directory. */
export function readZip(
  bytes: Uint8Array,
  refuse: Refuse,
): Map<string, ZipEntry> {
  const view = viewOf(bytes);
  const directory = findDirectory(view, refuse);
  const entries = new Map<string, ZipEntry>();
  let at = directory.start;
  for (let i = 0; i < directory.count; i++) {
    if (at + CENTRAL_BYTES > directory.end || word(view, at) !== CENTRAL) {
      refuse(
        at,
        `the directory lacks entry ${i} of the ${directory.count} that it counts`,
      );
    }
    const [name, extra, comment] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true)
    );
    const next = at + CENTRAL_BYTES + name + extra + comment;
    if (next > directory.end) {
      refuse(at, `entry ${i} of the directory reaches beyond its end`);
    }
    const entry = readEntry(view, at, directory.start, refuse);
    if (entries.has(entry.name)) {
      refuse(at, `${JSON.stringify(entry.name)} is there twice`);
    }
    if (!entry.name.endsWith("/")) entries.set(entry.name, entry);
    at = next;
  }
  if (at !== directory.end) {
    refuse(at, "the directory has more than the entries that it counts");
  }
  checkBounds([...entries.values()], directory.start, bytes.length, refuse);
  return entries;
}

interface Directory {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/** Finds the directory from the record at the end of the file, after which only a comment may come. */
function findDirectory(view: DataView, refuse: Refuse): Directory {
  const length = view.byteLength;
  let at = length - END_BYTES;
  const least = Math.max(0, at - 0xffff);
  while (
    at >= least &&
    (word(view, at) !== END ||
      view.getUint16(at + 20, true) !== length - at - END_BYTES)
  ) at--;
  if (at < least) {
    return refuse(length, "the file lacks the record that ends a zip archive");
  }
  let count = view.getUint16(at + 10, true);
  let bytes = word(view, at + 12);
  let start = word(view, at + 16);
  let end = at;
  const disks = [4, 6].map((field) => view.getUint16(at + field, true));
  const locator = at - LOCATOR64_BYTES;
  if (locator >= 0 && word(view, locator) === LOCATOR64) {
    end = Number(view.getBigUint64(locator + 8, true));
    if (end + END64_BYTES > locator || word(view, end) !== END64) {
      refuse(locator, "the 64-bit record that ends the archive isn't there");
    }
    disks.push(word(view, end + 16), word(view, end + 20));
    count = Number(view.getBigUint64(end + 32, true));
    bytes = Number(view.getBigUint64(end + 40, true));
    start = Number(view.getBigUint64(end + 48, true));
  }
  if (disks.some((disk) => disk !== 0)) {
    refuse(at, "the archive is one of several parts");
  }
  if (start + bytes !== end) {
    refuse(
      at,
      `the directory of ${bytes} bytes at ${start} doesn't end at ${end}, where the archive's last record starts`,
    );
  }
  if (count * CENTRAL_BYTES > bytes) {
    refuse(at, `a directory of ${bytes} bytes can't have ${count} entries`);
  }
  return { start, end, count };
}

/** Reads an entry of the directory at `at`, and its own header. */
function readEntry(
  view: DataView,
  at: number,
  limit: number,
  refuse: Refuse,
): ZipEntry {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const nameBytes = slice(
    view,
    at + CENTRAL_BYTES,
    view.getUint16(at + 28, true),
  );
  const name = decodeName(nameBytes, at, refuse);
  const label = JSON.stringify(name);
  if (flags & ENCRYPTED) refuse(at, `${label} is encrypted`);
  if (method !== 0 && method !== METHOD_DEFLATE) {
    refuse(
      at,
      `${label} is packed by method ${method}, expected 0 (stored) or 8 (deflate)`,
    );
  }
  const extraAt = at + CENTRAL_BYTES + nameBytes.length;
  const wide = wideFields(view, extraAt, view.getUint16(at + 30, true));
  const widened = (narrow: number): number => {
    if (narrow !== 0xffffffff) return narrow;
    const value = wide.shift();
    return value ?? refuse(at, `${label} lacks its 64-bit sizes`);
  };
  const size = widened(word(view, at + 24));
  const packed = widened(word(view, at + 20));
  const local = widened(word(view, at + 42));
  const crc = word(view, at + 16);
  if (local + LOCAL_BYTES > limit || word(view, local) !== LOCAL) {
    refuse(
      at,
      `${label} has no header at ${local}, where the directory has it`,
    );
  }
  const localName = slice(view, local + LOCAL_BYTES, nameBytes.length);
  const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) +
    view.getUint16(local + 28, true);
  const localFlags = view.getUint16(local + 6, true);
  const same = view.getUint16(local + 8, true) === method &&
    view.getUint16(local + 26, true) === nameBytes.length &&
    localName.every((byte, i) => byte === nameBytes[i]) &&
    localFlags % 2 === 0 &&
    (localFlags & SIZES_FOLLOW || word(view, local + 14) === crc) &&
    (localFlags & SIZES_FOLLOW ||
      [0xffffffff, packed].includes(word(view, local + 18))) &&
    (localFlags & SIZES_FOLLOW ||
      [0xffffffff, size].includes(word(view, local + 22)));
  if (!same) {
    refuse(local, `${label} is described differently in the directory`);
  }
  return { name, deflated: method !== 0, crc, packed, size, at: local, start };
}

/** The values of the 64-bit extension: those of the size, packed size and place that the entry itself has no room for. */
function wideFields(view: DataView, start: number, length: number): number[] {
  for (let at = start; at + 4 <= start + length;) {
    const bytes = view.getUint16(at + 2, true);
    const end = at + 4 + bytes;
    if (view.getUint16(at, true) === 1 && end <= start + length) {
      return Array.from(
        { length: Math.min(3, Math.floor(bytes / 8)) },
        (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)),
      );
    }
    at = end;
  }
  return [];
}

/** Checks the entries' places and sizes against each other and the file. */
function checkBounds(
  entries: readonly ZipEntry[],
  limit: number,
  length: number,
  refuse: Refuse,
): void {
  let end = 0;
  let total = 0;
  for (const entry of entries.toSorted((a, b) => a.at - b.at)) {
    const { name, at, start, packed, size, deflated } = entry;
    const label = JSON.stringify(name);
    if (at < end) refuse(at, `${label} overlaps the entry before it`);
    end = start + packed;
    if (end > limit) {
      refuse(at, `${label} of ${packed} bytes reaches into the directory`);
    }
    if (deflated ? size > packed * DEFLATE_RATIO : size !== packed) {
      refuse(
        at,
        `${label} can't have ${size} bytes in the ${packed} that it takes`,
      );
    }
    total += size;
  }
  const most = FREE_BYTES + TOTAL_RATIO * length;
  if (total > most) {
    refuse(
      limit,
      `the archive unpacks to ${total} bytes, expected at most ${most} for a file of ${length}`,
    );
  }
}

/** A look at the start of an entry before the rest of it is unpacked and its checksum taken. */
export interface Peek {
  /** How much of it is wanted. Shorter entries are not looked at. */
  readonly bytes: number;
  /** Refuses an entry whose start is wrong. */
  check(start: Uint8Array): void;
}

/** The bytes of an entry, whose checksum must be right. A view of the archive's where they are stored. */
export async function unpack(
  bytes: Uint8Array,
  entry: ZipEntry,
  refuse: Refuse,
  peek?: Peek,
): Promise<Uint8Array> {
  const { name, start, packed, deflated, crc } = entry;
  const from = bytes.subarray(start, start + packed);
  if (!deflated && peek && packed >= peek.bytes) peek.check(from);
  const content = deflated ? await inflate(from, entry, refuse, peek) : from;
  if (crc32(content) !== crc) {
    refuse(start, `${JSON.stringify(name)} has a wrong checksum`);
  }
  return content;
}

/** Unpacks what arrives, and stops at a wrong start and at the first piece too many. */
async function inflate(
  from: Uint8Array,
  { name, start, size }: ZipEntry,
  refuse: Refuse,
  peek?: Peek,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = pieces(from)
    .pipeThrough(new DecompressionStream("deflate-raw"))
    .getReader();
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      return (await reader.read()).value;
    } catch {
      return refuse(
        start,
        `the deflate data of ${JSON.stringify(name)} is damaged`,
      );
    }
  };
  try {
    let unseen = peek;
    for (let chunk; length <= size && (chunk = await next());) {
      chunks.push(chunk);
      length += chunk.length;
      if (unseen && length >= unseen.bytes && length <= size) {
        unseen.check(join(chunks, length));
        unseen = undefined;
      }
    }
  } finally {
    // Rejects when the data is damaged, which has been said.
    await reader.cancel().catch(() => {});
  }
  if (length !== size) {
    const got = length > size ? "more" : `${length}`;
    refuse(
      start,
      `${JSON.stringify(name)} should unpack to ${size} bytes, not to ${got}`,
    );
  }
  return join(chunks, length);
}

/** Bytes piece by piece, each when asked for. */
function pieces(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const end = at + (at === 0 ? FIRST_PIECE : PIECE);
      controller.enqueue(bytes.slice(at, end) as Uint8Array<ArrayBuffer>);
      at = end;
    },
  }, { highWaterMark: 0 });
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function decodeName(bytes: Uint8Array, at: number, refuse: Refuse): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    return refuse(at, "the name of an entry is not UTF-8");
  }
}

function slice(view: DataView, start: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, length);
}

function word(view: DataView, at: number): number {
  return view.getUint32(at, true);
}
