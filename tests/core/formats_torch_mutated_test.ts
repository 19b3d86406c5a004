import { assert, assertEquals } from "@std/assert";
import { refuser } from "../../core/formats/refuse.ts";
import { decodeTorch, type TorchTree } from "../../core/formats/torch.ts";
import { readZip, unpack } from "../../core/formats/zip.ts";
import { writeZip } from "../../core/formats/zip_write.ts";
import type { HostArray } from "../../wgsl/op.ts";
import { mutate, type Roll, survive } from "../support/mutate.ts";

/** Opcodes, names and pieces of both. */
const TOKENS = [
  ..."().]}NabeldhjqrstuQR0I",
  "\x80\x02",
  "K\x01",
  "K\x02\x85",
  "M\xff\xff",
  "J\xff\xff\xff\xff",
  "cos\nsystem\n",
  "ctorch\nLongStorage\n",
  "ctorch\nBoolStorage\n",
  "ctorch\nSize\n",
  "ccollections\nOrderedDict\n",
  "X\x01\x00\x00\x000",
];

async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../fixtures/formats/${name}`, import.meta.url);
  return await Deno.readFile(url);
}

/** Every tensor of a value, each once. Asserts that there is nothing else but plain values. */
function tensorsOf(root: TorchTree<HostArray>): HostArray[] {
  const seen = new Set<unknown>();
  const found: HostArray[] = [];
  const visit = (value: TorchTree<HostArray>): void => {
    if (value === null || typeof value !== "object") {
      assert(typeof value !== "undefined" && typeof value !== "function");
    } else if (!seen.has(value)) {
      seen.add(value);
      if (value instanceof Map) {
        for (const [key, item] of value) {
          assert(["string", "number", "boolean"].includes(typeof key));
          visit(item);
        }
      } else if (Array.isArray(value)) value.forEach(visit);
      else found.push(value);
    }
  };
  visit(root);
  return found;
}

/** The tensors of the files without faults. */
const known = new Set<string>();

async function remember(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (const { dtype, data } of tensorsOf(await decodeTorch(bytes))) {
    known.add(`${dtype} ${data}`);
  }
}

/** Asserts that tensors are whole and that the values of those that have changed are the file's, as their type reads them at some place. */
function checkTensors(
  root: TorchTree<HostArray>,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  /** Each way to read a number of a dtype, with its bytes. */
  const readers: Record<
    string,
    readonly (readonly [number, (at: number) => number])[]
  > = {
    f64: [[8, (at) => view.getFloat64(at, true)]],
    f32: [
      [4, (at) => view.getFloat32(at, true)],
      [
        2,
        (at) =>
          new Float32Array(
            Uint16Array.of(0, view.getUint16(at, true)).buffer,
          )[0],
      ],
    ],
    f16: [[2, (at) => view.getFloat16(at, true)]],
    i32: [
      [8, (at) => Number(view.getBigInt64(at, true))],
      [4, (at) => view.getInt32(at, true)],
      [2, (at) => view.getInt16(at, true)],
      [1, (at) => view.getInt8(at)],
    ],
    u32: [[1, (at) => view.getUint8(at)]],
    bool: [[1, (at) => view.getUint8(at)]],
  };
  for (const { shape, dtype, data } of tensorsOf(root)) {
    assertEquals(shape.reduce((product, n) => product * n, 1), data.length);
    if (known.has(`${dtype} ${data}`)) continue;
    const sources = readers[dtype].map(([size, read]) =>
      new Set(
        Array.from({ length: Math.max(0, bytes.length - size + 1) }, (_, at) =>
          read(at)),
      )
    );
    assert(
      sources.some((source) => data.every((value) => source.has(value))),
      `${dtype} [${shape}] of ${data}`,
    );
  }
}

/** The files of an archive. */
async function contents(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const refuse = refuser("fixture");
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, entry] of readZip(bytes, refuse)) {
    files.set(name, new Uint8Array(await unpack(bytes, entry, refuse)));
  }
  return files;
}

Deno.test("20,000 damaged PyTorch archives are read rightly or refused, and nothing else happens", async () => {
  const archives = await Promise.all(
    ["plain.pth", "module.pth", "checkpoint_protocol4.pth"].map(fixture),
  );
  await Promise.all(archives.map(remember));
  const files = await Promise.all(archives.map(contents));
  const pick = (roll: Roll) => Math.max(0, roll(8) - 5);
  const read = await survive(20_000, {
    seed: 24,
    async make(roll) {
      const which = pick(roll);
      if (roll(4) === 0) return mutate(archives[which], roll, ["PK\x01\x02"]);
      // With right checksums, so that the faults reach the pickle and the storages.
      const damaged = new Map(files[which]);
      const names = [...damaged.keys()];
      const name = names[
        roll(3) > 0
          ? names.findIndex((name) => name.endsWith(".pkl"))
          : roll(names.length)
      ];
      damaged.set(name, mutate(damaged.get(name)!, roll, TOKENS));
      return await writeZip(damaged);
    },
    read: (bytes) => decodeTorch(bytes),
    check: checkTensors,
  });
  assert(read > 500 && read < 8000, `${read} of 20,000 were read`);
});

Deno.test("20,000 damaged PyTorch files of before version 1.6 are read rightly or refused, and nothing else happens", async () => {
  const sources = await Promise.all(
    ["plain_legacy.pth", "checkpoint_legacy.pth"].map(fixture),
  );
  await Promise.all(sources.map(remember));
  const read = await survive(20_000, {
    seed: 25,
    make: (roll) => mutate(sources[roll(4) > 0 ? 0 : 1], roll, TOKENS),
    read: (bytes) => decodeTorch(bytes),
    check: checkTensors,
  });
  assert(read > 500 && read < 8000, `${read} of 20,000 were read`);
});

Deno.test("a damaged storage changes its own elements only", async () => {
  const files = await contents(await fixture("plain.pth"));
  const name = "plain/data/0";
  await survive(500, {
    seed: 26,
    make(roll) {
      const bytes = new Uint8Array(files.get(name)!);
      bytes[roll(bytes.length)] ^= 1 << roll(8);
      return writeZip(new Map(files).set(name, bytes));
    },
    read: async (bytes) =>
      [await decodeTorch(bytes), (await contents(bytes)).get(name)!] as const,
    check([tree, storage]) {
      assert(tree instanceof Map);
      assertEquals(tree.get("epoch"), 3);
      const { data } = tree.get("weight") as HostArray;
      assertEquals(data, new Float32Array(storage.slice().buffer));
    },
  });
});
