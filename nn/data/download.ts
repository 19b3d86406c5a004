/**
 * Files of data sets and weights from the network, kept in a cache folder.
 *
 * A file is there whole or not at all: it arrives under another name, is compared with its published SHA-256, and renamed. What has arrived
 * of a file stays when a download is cut, and the next one asks the server for the rest (RFC 9110, section 14: Range). Whether the pieces
 * fit is for the sum to say; if they don't, the file is fetched once more from its beginning.
 */
import { ProgressLine } from "../term/progress.ts";
import type { Screen } from "../term/screen.ts";

/** A file on the network. */
export interface RemoteFile {
  readonly name: string;
  /** Where it may be, in the order to ask. */
  readonly urls: readonly string[];
  /** SHA-256 in hexadecimal, or its first digits, as many as are published. */
  readonly sha256: string;
  /** Its size, where that is known: more is never accepted. Else the server's word is taken. */
  readonly bytes?: number;
}

/** Options of everything that downloads. */
export interface DownloadOptions {
  /** Folder of the downloaded files. @default `$XDG_CACHE_HOME/tessera/datasets`, of weights `…/tessera/weights`; `~/.cache` where that isn't set */
  readonly cache?: string;
  /** Where to look instead of the files' own servers: addresses of folders, without the file's name. */
  readonly mirrors?: readonly string[];
  /** Called as bytes arrive, instead of showing a bar or, without a terminal, a line each tenth. */
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** How far a download is. */
export interface DownloadProgress {
  readonly name: string;
  /** Bytes that are here, those of earlier attempts included. */
  readonly done: number;
  /** Where nobody knows it, as many as are here. */
  readonly total: number;
}

/**
 * A file that no server gave. The message names it, each address with its answer, and what to do instead.
 *
 * @example
 * ```ts
 * import { assertEquals, assertRejects } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const cache = await Deno.makeTempDir();
 * const error = await assertRejects(() => nn.mnist({ cache, mirrors: [] }), nn.DownloadError);
 * assertEquals(error.file, "train-images-idx3-ubyte.gz");
 * await Deno.remove(cache, { recursive: true });
 * ```
 */
export class DownloadError extends Error {
  override readonly name = "DownloadError";

  constructor(
    message: string,
    readonly file: string,
    readonly urls: readonly string[],
    /** What each of the URLs answered. */
    readonly reasons: readonly string[],
  ) {
    super(message);
  }
}

/** What caches are kept of. */
export type CacheKind = "datasets" | "weights";

/** What {@linkcode download} is told by those who call it. */
export interface DownloadPlan extends DownloadOptions {
  /** What the cache is of, where it isn't of data sets. */
  readonly kind?: CacheKind;
  /** Folder within the cache, one a data set. @default the cache itself */
  readonly folder?: string;
  /** What to do instead: the end of the message when no server gives the file. */
  readonly instead: string;
  readonly screen?: Screen;
  /** Milliseconds without a byte after which a connection is given up. @default 30000 */
  readonly patience?: number;
}

/** The path of a file in the cache, downloaded first unless it is there. Throws a DownloadError when no server gives it. */
export async function download(
  file: RemoteFile,
  plan: DownloadPlan,
): Promise<string> {
  const folder = folderOf(plan);
  const path = `${folder}/${file.name}`;
  if (await exists(path)) return path;
  await Deno.mkdir(folder, { recursive: true });
  const part = `${path}.part`;
  using target = await Deno.open(part, {
    read: true,
    write: true,
    create: true,
  });
  // Another process may be downloading it: wait, and see.
  await target.lock(true);
  if (await exists(path)) {
    await removeIfThere(part);
    return path;
  }
  const urls =
    plan.mirrors?.map((base) => `${base.replace(/\/$/, "")}/${file.name}`) ??
      file.urls;
  const reasons: string[] = [];
  for (const url of urls) {
    try {
      await fetchWhole(file, url, target, reportOf(file, plan), plan.patience);
      await target.syncData();
      await Deno.rename(part, path);
      return path;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reasons.push(error.message);
    }
  }
  if ((await target.stat()).size === 0) await removeIfThere(part);
  throw new DownloadError(
    [
      `Cannot download ${file.name}: no server gave it`,
      ...urls.map((url, i) => `  ${url}: ${reasons[i]}`),
      `Get it by other means and ${plan.instead}, or put it into ${folder}`,
    ].join("\n"),
    file.name,
    urls,
    reasons,
  );
}

/** The path of a file, if it is in the cache. */
export async function isDownloaded(
  name: string,
  plan: DownloadPlan,
): Promise<string | undefined> {
  const path = `${folderOf(plan)}/${name}`;
  return await exists(path) ? path : undefined;
}

function folderOf({ cache, kind, folder }: DownloadPlan): string {
  const base = cache ?? defaultCache(kind);
  return folder === undefined ? base : `${base}/${folder}`;
}

/** The folder of downloaded files. Throws unless the environment names one. */
export function defaultCache(kind: CacheKind = "datasets"): string {
  const base = variable("XDG_CACHE_HOME") ??
    (variable("HOME") && `${variable("HOME")}/.cache`) ??
    variable("LOCALAPPDATA");
  if (!base) {
    throw new Error(
      "Cannot find a folder for downloads: neither XDG_CACHE_HOME nor HOME is set or may be read, pass { cache: FOLDER } or { path: FOLDER }",
    );
  }
  return `${base}/tessera/${kind}`;
}

/** An environment variable, if it is set, not empty, and may be read without asking. */
function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}

/** Why a server didn't give a file. */
class Refusal extends Error {}

/** Told how many bytes are here. */
type Report = (done: number, total: number) => void;

function reportOf(
  { name }: RemoteFile,
  { onProgress, screen }: DownloadPlan,
): Report {
  if (onProgress) return (done, total) => onProgress({ name, done, total });
  const line = new ProgressLine({ screen });
  return (done, total) => {
    // Powers of ten, as disks and networks count, to one digit.
    const [size, unit] = total < 1e6 ? [1e3, "kB"] : [1e6, "MB"];
    const scaled = (n: number) => Math.round(10 * n / size) / 10;
    line.update({
      label: name,
      done: scaled(done),
      total: scaled(total),
      fraction: done / total,
      facts: unit,
    });
  };
}

/** Fetches what is missing of a file and compares the sum. A file in pieces that don't fit is fetched again, once. */
async function fetchWhole(
  file: RemoteFile,
  url: string,
  target: Deno.FsFile,
  report: Report,
  patience = 30_000,
): Promise<void> {
  const here = (await target.stat()).size;
  // More than there can be is no part of this file.
  const most = file.bytes ?? Infinity;
  if (here > most) await target.truncate(0);
  let pieces = here > 0 && here <= most;
  for (;;) {
    await fetchRest(file, url, target, report, patience);
    const sum = await sha256Of(target);
    if (sum.startsWith(file.sha256)) return;
    await target.truncate(0);
    if (!pieces) {
      throw new Refusal(
        file.sha256.length < sum.length
          ? `the file's SHA-256 is ${sum}, where one that begins with ${file.sha256} belongs`
          : `the file's SHA-256 is ${sum}, where ${file.sha256} belongs`,
      );
    }
    pieces = false;
  }
}

/** Appends to a file until it is whole, connecting again as long as that brings bytes. */
async function fetchRest(
  { bytes }: RemoteFile,
  url: string,
  target: Deno.FsFile,
  report: Report,
  patience: number,
): Promise<void> {
  let total = bytes;
  for (;;) {
    const before = (await target.stat()).size;
    if (before === total) return;
    const end = await fetchOnce(url, total, target, report, patience);
    total ??= end.total;
    const after = (await target.stat()).size;
    if (after === total) return;
    if (after <= before) throw new Refusal(end.reason);
  }
}

/** Why a connection ended, and the file's size as far as it is known then. */
interface End {
  readonly reason: string;
  readonly total?: number;
}

/** One connection: appends what it brings, up to `bytes` in all, or what the server says where these aren't known. */
async function fetchOnce(
  url: string,
  bytes: number | undefined,
  target: Deno.FsFile,
  report: Report,
  patience: number,
): Promise<End> {
  let done = (await target.stat()).size;
  const controller = new AbortController();
  const stall = () => controller.abort(new Error(`no byte for ${patience} ms`));
  let timer = setTimeout(stall, patience);
  try {
    let response: Response;
    try {
      response = await fetch(url, {
        signal: controller.signal,
        headers: {
          // Packed once more on the way, a file's bytes couldn't be counted.
          "accept-encoding": "identity",
          ...(done > 0 ? { range: `bytes=${done}-` } : {}),
        },
      });
    } catch (error) {
      return { reason: messageOf(error), total: bytes };
    }
    if (response.status === 416 && done > 0 && bytes === undefined) {
      // Nothing stands where we go on: all of it is here, or it is another file.
      await response.body?.cancel();
      await target.truncate(0);
      return await fetchOnce(url, bytes, target, report, patience);
    }
    const rest = response.status === 206 &&
      response.headers.get("content-range")?.startsWith(`bytes ${done}-`);
    if (response.status !== 200 && !rest) {
      await response.body?.cancel();
      throw new Refusal(`the server answered ${response.status}`);
    }
    if (!rest) {
      // The server sends all of it, asked or not.
      await target.truncate(0);
      done = 0;
    }
    const total = bytes ?? sizeOf(response, done);
    await target.seek(done, Deno.SeekMode.Start);
    const reader = (response.body ?? new Blob().stream()).getReader();
    for (;;) {
      let chunk: Uint8Array | undefined;
      try {
        chunk = (await reader.read()).value;
      } catch (error) {
        return { reason: messageOf(error), total };
      }
      if (!chunk) {
        const reason = `the connection ended after ${done} of ${total} bytes`;
        return { reason, total: total ?? done };
      }
      clearTimeout(timer);
      timer = setTimeout(stall, patience);
      if (done + chunk.length > (total ?? Infinity)) {
        await reader.cancel();
        await target.truncate(0);
        throw new Refusal(`the file is longer than ${total} bytes`);
      }
      for (let at = 0; at < chunk.length;) {
        at += await target.write(chunk.subarray(at));
      }
      done += chunk.length;
      report(done, total ?? done);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** A file's size, as the answer to a request for what comes after `done` bytes tells it. */
function sizeOf(response: Response, done: number): number | undefined {
  const length = response.headers.get("content-length");
  return length === null ? undefined : done + Number(length);
}

async function sha256Of(file: Deno.FsFile): Promise<string> {
  await file.seek(0, Deno.SeekMode.Start);
  const bytes = new Uint8Array((await file.stat()).size);
  for (let at = 0; at < bytes.length;) {
    at += await file.read(bytes.subarray(at)) ?? bytes.length;
  }
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

/** An error's message. What `fetch` throws says only that it failed, and why stands in its cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
