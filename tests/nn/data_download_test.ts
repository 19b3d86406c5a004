import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  defaultCache,
  download,
  DownloadError,
  type DownloadPlan,
  type RemoteFile,
} from "../../nn/data/download.ts";
import {
  cut,
  randomBytes,
  ranged,
  sha256,
  withFolder,
  withServer,
} from "../support/data_files.ts";
import { dice } from "../support/mutate.ts";
import type { Screen } from "../../nn/term/screen.ts";

const BYTES = randomBytes(100_000, dice(1));

const BAR = "a.bin ━━━━━━━━━━━━━━━━━━━━━━━━ 100/100 kB";

async function remote(...servers: string[]): Promise<RemoteFile> {
  return {
    name: "a.bin",
    urls: servers.map((server) => `${server}/a.bin`),
    bytes: BYTES.length,
    sha256: await sha256(BYTES),
  };
}

function planFor(cache: string, more: Partial<DownloadPlan> = {}) {
  return {
    cache,
    folder: "set",
    instead: "pass set({ path: FOLDER })",
    onProgress() {},
    ...more,
  };
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
}

/** Downloads into a folder, expects the file there and nothing else, and gives the requests. */
async function fetched(
  answer: Parameters<typeof withServer>[0],
  before?: Uint8Array,
): Promise<string[]> {
  let asked: string[] = [];
  await withFolder(async (cache) => {
    if (before) {
      await Deno.mkdir(`${cache}/set`);
      await Deno.writeFile(`${cache}/set/a.bin.part`, before);
    }
    await withServer(answer, async (base, requests) => {
      const path = await download(await remote(base), planFor(cache));
      assertEquals(path, `${cache}/set/a.bin`);
      assertEquals(await Deno.readFile(path), BYTES);
      assertEquals(await names(`${cache}/set`), ["a.bin"]);
      asked = requests;
    });
  });
  return asked;
}

/** Downloads from servers that don't give the file, and gives the error's message with what differs between runs replaced. */
async function refused(
  answer: Parameters<typeof withServer>[0],
  more: Partial<DownloadPlan> = {},
): Promise<string> {
  let message = "";
  await withFolder(async (cache) => {
    await withServer(answer, async (base) => {
      const file = await remote(base);
      const error = await assertRejects(
        () => download(file, planFor(cache, more)),
        DownloadError,
      );
      assertEquals(error.file, "a.bin");
      assertEquals(error.urls, [`${base}/a.bin`]);
      assertEquals(error.reasons.length, 1);
      const left = await names(`${cache}/set`);
      assert(!left.includes("a.bin"));
      message = error.message.replaceAll(base, "SERVER")
        .replaceAll(cache, "CACHE").replaceAll(file.sha256, "SUM");
    });
  });
  return message;
}

function refusal(reason: string): string {
  return `Cannot download a.bin: no server gave it
  SERVER/a.bin: ${reason}
Get it by other means and pass set({ path: FOLDER }), or put it into CACHE/set`;
}

Deno.test("a file is downloaded once, and then read from the cache", async () => {
  await withFolder(async (cache) => {
    await withServer(() => new Response(BYTES), async (base, requests) => {
      const file = await remote(base);
      const done: number[] = [];
      const plan = planFor(cache, { onProgress: (p) => done.push(p.done) });
      const path = await download(file, plan);
      assertEquals(await Deno.readFile(path), BYTES);
      assertEquals(done.at(-1), BYTES.length);
      assertEquals(await download(file, plan), path);
      assertEquals(requests, ["/a.bin"]);
    });
  });
});

Deno.test("progress is a line each tenth without a terminal, and a bar on one", async () => {
  for (const live of [false, true]) {
    let text = "";
    const screen: Screen = {
      live,
      colors: "none",
      columns: 60,
      write(more) {
        text += more;
      },
    };
    await withFolder(async (cache) => {
      await withServer(() => new Response(BYTES), async (base) => {
        const plan = planFor(cache, { screen, onProgress: undefined });
        await download(await remote(base), plan);
      });
    });
    const rows = text.trimEnd().split("\n");
    if (live) {
      assertEquals(rows.at(-1)!.replace("\x1b[1A\r\x1b[K", ""), BAR);
    } else {
      assert(rows.length <= 10);
      assertEquals(rows.at(-1), "a.bin 100/100 kB");
    }
  }
});

Deno.test("a connection that is cut is taken up where it ended", async () => {
  const requests = await fetched((request, number) =>
    number === 0 ? cut(BYTES.subarray(0, 30_000)) : ranged(request, BYTES)
  );
  assertEquals(requests, ["/a.bin", "/a.bin bytes=30000-"]);
});

Deno.test("what an earlier run left is taken up", async () => {
  const requests = await fetched(
    (request) => ranged(request, BYTES),
    BYTES.subarray(0, 99_999),
  );
  assertEquals(requests, ["/a.bin bytes=99999-"]);
});

Deno.test("a whole file that an earlier run didn't rename isn't fetched again", async () => {
  assertEquals(await fetched(() => new Response(BYTES), BYTES), []);
});

Deno.test("a server that knows no ranges sends all of it", async () => {
  const requests = await fetched(
    () => new Response(BYTES),
    BYTES.subarray(0, 30_000),
  );
  assertEquals(requests, ["/a.bin bytes=30000-"]);
});

Deno.test("remains of another file are found out by the sum, and the file is fetched from its beginning", async () => {
  const requests = await fetched(
    (request) => ranged(request, BYTES),
    new Uint8Array(500),
  );
  assertEquals(requests, ["/a.bin bytes=500-", "/a.bin"]);
  assertEquals(
    await fetched(() => new Response(BYTES), new Uint8Array(100_001)),
    ["/a.bin"],
  );
});

Deno.test("a range that isn't the one asked for is refused", async () => {
  const answer = (_: Request, number: number) =>
    number === 0 ? cut(BYTES.subarray(0, 30_000)) : new Response("x", {
      status: 206,
      headers: { "content-range": "bytes 0-0/100000" },
    });
  assertEquals(await refused(answer), refusal("the server answered 206"));
});

Deno.test("a wrong sum is refused with both sums, and nothing stays", async () => {
  const wrong = BYTES.slice();
  wrong[7] ^= 1;
  assertEquals(
    await refused(() => new Response(wrong)),
    refusal(
      `the file's SHA-256 is ${await sha256(wrong)}, where SUM belongs`,
    ),
  );
});

Deno.test("a file that isn't there, is too long or too short, or never comes is refused", async () => {
  assertEquals(
    await refused(() => new Response("gone", { status: 404 })),
    refusal("the server answered 404"),
  );
  assertEquals(
    await refused(() => new Response(new Uint8Array(100_001))),
    refusal("the file is longer than 100000 bytes"),
  );
  assertEquals(
    await refused((request) =>
      request.headers.has("range")
        ? new Response(null, { status: 416 })
        : new Response(BYTES.slice(0, 10))
    ),
    refusal("the server answered 416"),
  );
  assertEquals(
    await refused(() => new Response(BYTES.slice(0, 10))),
    refusal("the connection ended after 10 of 100000 bytes"),
  );
  const { promise, resolve } = Promise.withResolvers<Response>();
  const message = await refused(() => {
    setTimeout(() => resolve(new Response()), 200);
    return promise;
  }, { patience: 50 });
  assertEquals(message, refusal("no byte for 50 ms"));
});

Deno.test("the next server goes on with what the one before gave", async () => {
  await withFolder(async (cache) => {
    await withServer(
      (_, number) =>
        number === 0
          ? cut(BYTES.subarray(0, 40_000))
          : new Response(null, { status: 503 }),
      async (first) => {
        await withServer(
          (request) => ranged(request, BYTES),
          async (second, requests) => {
            const file = await remote(first, second);
            const path = await download(file, planFor(cache));
            assertEquals(await Deno.readFile(path), BYTES);
            assertEquals(requests, ["/a.bin bytes=40000-"]);
          },
        );
      },
    );
  });
});

Deno.test("offline, the error names the file, its addresses and what to do instead", async () => {
  await withFolder(async (cache) => {
    // A port that was free a moment ago.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const base = `http://127.0.0.1:${listener.addr.port}`;
    listener.close();
    const file = await remote(base, `${base}/mirror`);
    const error = await assertRejects(
      () => download(file, planFor(cache)),
      DownloadError,
    );
    const lines = error.message.split("\n");
    assertEquals(lines.length, 4);
    assertEquals(lines[0], "Cannot download a.bin: no server gave it");
    assertMatch(lines[1], /^ {2}http:\S+\/a\.bin: .*onnect/);
    assertMatch(lines[2], /^ {2}http:\S+\/mirror\/a\.bin: .*onnect/);
    assertEquals(
      lines[3],
      `Get it by other means and pass set({ path: FOLDER }), or put it into ${cache}/set`,
    );
    assertEquals(await names(`${cache}/set`), []);
  });
});

Deno.test("mirrors take the place of a data set's own servers", async () => {
  await withFolder(async (cache) => {
    await withServer(() => new Response(BYTES), async (base, requests) => {
      const file = await remote("http://127.0.0.1:1");
      await download(file, planFor(cache, { mirrors: [`${base}/pub/`] }));
      assertEquals(requests, ["/pub/a.bin"]);
    });
  });
});

Deno.test("two downloads of a file at once fetch it once", async () => {
  await withFolder(async (cache) => {
    await withServer(() => new Response(BYTES), async (base, requests) => {
      const file = await remote(base);
      const both = [1, 2].map(() => download(file, planFor(cache)));
      const paths = await Promise.all(both);
      assertEquals(paths[0], paths[1]);
      assertEquals(await Deno.readFile(paths[0]), BYTES);
      assertEquals(requests, ["/a.bin"]);
      assertEquals(await names(`${cache}/set`), ["a.bin"]);
    });
  });
});

Deno.test("the cache is where XDG says, or in the home folder", () => {
  const { XDG_CACHE_HOME, HOME, LOCALAPPDATA } = Deno.env.toObject();
  try {
    Deno.env.set("XDG_CACHE_HOME", "/x");
    assertEquals(defaultCache(), "/x/tessera/datasets");
    Deno.env.delete("XDG_CACHE_HOME");
    Deno.env.set("HOME", "/h");
    assertEquals(defaultCache(), "/h/.cache/tessera/datasets");
    Deno.env.delete("HOME");
    Deno.env.delete("LOCALAPPDATA");
    assertThrows(
      defaultCache,
      Error,
      "Cannot find a folder for downloads: neither XDG_CACHE_HOME nor HOME is set or may be read, pass { cache: FOLDER } or { path: FOLDER }",
    );
  } finally {
    const all = { XDG_CACHE_HOME, HOME, LOCALAPPDATA };
    for (const [name, value] of Object.entries(all)) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
});
