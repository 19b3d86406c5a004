import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import { readTar, type TarOptions } from "../../nn/data/tar.ts";
import {
  concat,
  randomBytes,
  tar,
  type TarEntry,
  tarHeader,
} from "../support/data_files.ts";
import { dice, mutate, survive } from "../support/mutate.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const A = randomBytes(1000, dice(1));
const B = randomBytes(512, dice(2));

const ENTRIES: readonly TarEntry[] = [
  { name: "set/", type: "5" },
  { name: "set/readme.html", data: randomBytes(3, dice(3)) },
  { name: "set/a.bin", data: A },
  { name: "set/empty.bin" },
  { name: "set/b.bin", data: B },
];

const OPTIONS: TarOptions = { names: ["b.bin", "a.bin"], maxBytes: 2000 };

/** Reads an archive that comes in pieces of `step` bytes. */
function read(
  bytes: Bytes,
  { step = 700, ...options }: Partial<TarOptions> & { step?: number } = {},
): Promise<Map<string, Bytes>> {
  let at = 0;
  const stream = new ReadableStream<Bytes>({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at += step));
      else controller.close();
    },
  });
  return readTar(stream, "x.tar", { ...OPTIONS, ...options });
}

async function assertBroken(
  bytes: Bytes,
  offset: number,
  rule: string,
  state: string,
): Promise<void> {
  const error = await assertRejects(() => read(bytes), FileFormatError);
  assertEquals(error.message, `Cannot read x.tar at byte ${offset}: ${state}`);
  assertEquals([error.file, error.offset, error.rule], ["x.tar", offset, rule]);
}

Deno.test("the files that are asked for come out of an archive, however it arrives", async () => {
  for (const step of [1, 511, 512, 513, 10_000]) {
    const found = await read(tar(ENTRIES), { step });
    assertEquals(found, new Map([["a.bin", A], ["b.bin", B]]));
  }
  const empty = await read(tar(ENTRIES), { names: ["empty.bin"] });
  assertEquals(empty.get("empty.bin"), new Uint8Array());
});

Deno.test("an archive of GNU tar is read, pax headers passed over", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/a.bin`, A);
    await Deno.writeFile(`${folder}/b.bin`, B);
    for (const format of ["gnu", "ustar", "pax"]) {
      const { stdout, success } = await new Deno.Command("tar", {
        args: ["-c", `--format=${format}`, "-C", folder, "."],
      }).output();
      assert(success);
      const found = await read(Uint8Array.from(stdout));
      assertEquals([found.get("a.bin"), found.get("b.bin")], [A, B]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a header that breaks a rule is refused with the byte", async () => {
  const changed = (at: number, byte: number) => {
    const bytes = tar(ENTRIES);
    bytes[at] = byte;
    return bytes;
  };
  await assertBroken(
    changed(0, 65),
    148,
    "checksum",
    "the header's checksum is wrong",
  );
  await assertBroken(
    changed(148, 57),
    148,
    "checksum",
    `"907032", where an octal number belongs`.replace(
      "907032",
      `9${String.fromCharCode(...tarHeader(ENTRIES[0]).subarray(149, 154))}`,
    ),
  );
  await assertBroken(
    tar([{ name: "link", type: "2" }, ...ENTRIES]),
    156,
    "type",
    'an entry of type "2", where files and folders are read',
  );
  const old = tarHeader(ENTRIES[2]);
  old.fill(0, 257, 265);
  const sum = old.reduce((a, b, i) => a + (i >= 148 && i < 156 ? 32 : b), 0);
  old.set(
    new TextEncoder().encode(sum.toString(8).padStart(6, "0")),
    148,
  );
  await assertBroken(
    concat(old, A),
    257,
    "magic",
    'a header of tar says "ustar" here',
  );
});

Deno.test("a file twice, too large or missing is refused", async () => {
  await assertBroken(
    tar([...ENTRIES, { name: "b.bin", data: B }]),
    4608,
    "duplicate",
    "a second b.bin",
  );
  await assertBroken(
    tar([{ name: "a.bin", data: new Uint8Array(2001) }]),
    124,
    "size",
    "a.bin of 2001 bytes, where 2000 fit",
  );
  await assertBroken(
    tar([{ name: "h", type: "x", data: new Uint8Array(2 ** 20 + 1) }]),
    124,
    "size",
    "a pax header of 1048577 bytes",
  );
  await assertBroken(
    tar(ENTRIES.slice(0, 4)),
    4608,
    "files",
    "the archive lacks b.bin",
  );
});

Deno.test("an archive that is cut anywhere is refused", async () => {
  const whole = tar(ENTRIES);
  for (let length = 0; length < whole.length - 512; length += 97) {
    const error = await assertRejects(
      () => read(whole.slice(0, length)),
      FileFormatError,
    );
    assertEquals(
      error.message,
      `Cannot read x.tar at byte ${length}: the archive ends too early`,
    );
  }
  await assertBroken(
    whole.slice(0, whole.length - 513),
    whole.length - 513,
    "length",
    "the archive ends too early",
  );
  await assertBroken(
    whole.slice(0, whole.length - 1),
    whole.length - 1,
    "end",
    "the archive ends in its last blocks",
  );
});

Deno.test("bytes after the end are refused", async () => {
  const whole = tar(ENTRIES);
  await assertBroken(
    concat(whole, [0, 7]),
    whole.length + 1,
    "end",
    "bytes after the end of the archive",
  );
});

Deno.test("a header that asks for what isn't there costs no memory", async () => {
  const header = tarHeader({ name: "a.bin", data: new Uint8Array(2000) });
  await assertBroken(
    concat(header, A),
    1512,
    "length",
    "the archive ends too early",
  );
});

Deno.test("2,000 archives with faults are read rightly or refused", async () => {
  const accepted = await survive(2000, {
    seed: 7,
    make: (roll) => mutate(tar(ENTRIES), roll, ["ustar", "\0\0\0", "7777"]),
    read: (bytes) => read(bytes, { step: 5000 }),
    check(found) {
      assertEquals([...found.keys()].sort(), ["a.bin", "b.bin"]);
      // The sum covers headers only: contents may have changed, sizes may not.
      assertEquals(found.get("a.bin")!.length, 1000);
      assertEquals(found.get("b.bin")!.length, 512);
    },
  });
  assert(accepted > 0 && accepted < 2000, `${accepted}`);
});
