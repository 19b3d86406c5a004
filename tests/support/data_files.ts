/** Files of data sets, made up: IDX, CIFAR's binary records, tar archives, PNG pictures; and a server that gives them. */
import { encodePng } from "../../repl/term/png.ts";
import type { Roll } from "./mutate.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** All of these bytes in a row. */
export function concat(...parts: (Uint8Array | readonly number[])[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Bytes from a generator of random numbers. */
export function randomBytes(count: number, roll: Roll): Bytes {
  return Uint8Array.from({ length: count }, () => roll(256));
}

/** A number as big-endian 32-bit word. */
export function word(n: number): number[] {
  return [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
}

/** An IDX file of unsigned bytes. */
export function idxFile(
  sizes: readonly number[],
  data: ArrayLike<number>,
): Bytes {
  const header = [0, 0, 8, sizes.length, ...sizes.flatMap(word)];
  return concat(header, Array.from(data));
}

export function gzip(bytes: Bytes): Promise<Bytes> {
  return through(bytes, new CompressionStream("gzip"));
}

async function through(
  bytes: Bytes,
  stream: CompressionStream,
): Promise<Bytes> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(stream))
    .bytes();
}

/** Records of CIFAR's binary version: the labels of each picture, then its pixels. */
export function cifarFile(
  labels: readonly (readonly number[])[],
  roll: Roll,
): Bytes {
  return concat(
    ...labels.flatMap((own) => [own, randomBytes(3072, roll)]),
  );
}

/** What may be changed in an entry of {@linkcode tar}. */
export interface TarEntry {
  readonly name: string;
  readonly data?: Uint8Array;
  readonly type?: string;
}

/** The header of a tar entry, in GNU's form. */
export function tarHeader(
  { name, data = new Uint8Array(), type = "0" }: TarEntry,
): Bytes {
  const block = new Uint8Array(512);
  const put = (at: number, text: string) =>
    block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, "0000644\0");
  put(124, `${data.length.toString(8).padStart(11, "0")}\0`);
  put(148, "        ");
  put(156, type);
  put(257, "ustar  \0");
  const sum = block.reduce((a, b) => a + b, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** A tar archive. */
export function tar(entries: readonly TarEntry[]): Bytes {
  const parts = entries.flatMap((entry) => {
    const data = entry.data ?? new Uint8Array();
    const filler = new Uint8Array((512 - data.length % 512) % 512);
    return [tarHeader(entry), data, filler];
  });
  return concat(...parts, new Uint8Array(1024));
}

/** A PNG file of RGB pixels. */
export function png(
  width: number,
  height: number,
  rgb: ArrayLike<number>,
): Bytes {
  return encodePng({ width, height, channels: 3, data: Uint8Array.from(rgb) });
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

/** Runs a test body with a folder of its own, which is removed afterwards. */
export async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a test body with a server on this machine; gives it the server's address and the requests as they were asked. */
export async function withServer(
  answer: (request: Request, number: number) => Response | Promise<Response>,
  body: (base: string, requests: string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => cut([]) },
    (request) => {
      const range = request.headers.get("range");
      const { pathname } = new URL(request.url);
      requests.push(range ? `${pathname} ${range}` : pathname);
      return answer(request, requests.length - 1);
    },
  );
  try {
    await body(`http://127.0.0.1:${server.addr.port}`, requests);
  } finally {
    await server.shutdown();
  }
}

/** A response that breaks off after these bytes. */
export function cut(bytes: ArrayLike<number>, init?: ResponseInit): Response {
  let sent = false;
  const body = new ReadableStream({
    async pull(controller) {
      if (!sent) controller.enqueue(Uint8Array.from(bytes));
      sent = true;
      // The bytes must have left before the connection breaks.
      await new Promise((done) => setTimeout(done, 30));
      controller.error(new Error("cut"));
    },
  }, { highWaterMark: 0 });
  return new Response(body, init);
}

/** The answer of a server that gives the part of a file that is asked for. */
export function ranged(request: Request, bytes: Bytes): Response {
  const start = Number(
    request.headers.get("range")?.match(/^bytes=(\d+)-$/)?.[1] ?? 0,
  );
  if (start === 0) return new Response(bytes);
  return new Response(bytes.slice(start), {
    status: 206,
    headers: {
      "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
    },
  });
}
