import { assert, assertEquals } from "@std/assert";
import {
  type FileSource,
  loadNpy,
  loadNpz,
  loadSafetensors,
  loadSafetensorsMetadata,
  loadTensors,
  loadTorch,
  nn,
  saveNpy,
  saveNpz,
  saveSafetensors,
  Tensor,
  tensor,
} from "../../mod.ts";
import { FileFormatError } from "../../core/errors.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFailsLater } from "../support/errors.ts";

const FOLDER = new URL("../fixtures/formats/", import.meta.url);

function fixture(name: string): URL {
  return new URL(name, FOLDER);
}

/** Runs a body with a folder that is removed afterwards. */
async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const MATRIX = [[0, 1, 2], [3, 4, 5]];

onBothDevices("the format of a file is told by its bytes", async () => {
  const cases: [string, string, unknown][] = [
    ["matrix.npy", "array", MATRIX],
    ["deflated.npz", "matrix", MATRIX],
    ["plain.pth", "weight", [[1, 2, 3], [4, 5, 6]]],
    ["plain_legacy.pth", "weight", [[1, 2, 3], [4, 5, 6]]],
    ["lone.pth", "array", [1, 2]],
    ["module.pth", "state_dict.0.bias", [1, 2]],
    ["checkpoint_zip.pth", "types.i8", [-(2 ** 31), 2 ** 31 - 1, 7]],
    ["types.safetensors", "bf16", [1.5, -0, 2 ** 127]],
  ];
  for (const [file, name, want] of cases) {
    const tensors = await loadTensors(fixture(file));
    assertEquals(await tensors.get(name)?.array(), want, file);
  }
});

Deno.test("a file of another format is refused, and so is one that is empty", async () => {
  const pointer = new TextEncoder().encode("version https://git-lfs");
  await assertFailsLater(
    loadTensors(pointer),
    FileFormatError,
    'Cannot read bytes: it starts with "version ", expected safetensors, npy, npz or PyTorch\'s format (byte 0)',
  );
  await assertFailsLater(
    loadTensors(new Uint8Array(0)),
    FileFormatError,
    'Cannot read bytes: it starts with "", expected safetensors, npy, npz or PyTorch\'s format (byte 0)',
  );
});

onDevice(
  "cpu",
  "a file is read from a path, a URL or bytes, and named in errors",
  async () => {
    const bytes = await Deno.readFile(fixture("matrix.npy"));
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      ({ url }) =>
        url.endsWith("/x.npy")
          ? new Response(bytes)
          : new Response("none", { status: 404 }),
    );
    try {
      const origin = `http://127.0.0.1:${server.addr.port}`;
      const sources: FileSource[] = [
        bytes,
        fixture("matrix.npy"),
        decodeURIComponent(fixture("matrix.npy").pathname),
        fixture("matrix.npy").href,
        `${origin}/x.npy`,
        new URL(`${origin}/x.npy`),
      ];
      for (const source of sources) {
        assertEquals(await (await loadNpy(source)).array(), MATRIX);
      }
      await assertFailsLater(
        loadNpy(`${origin}/y.npy`),
        Error,
        `Cannot load ${origin}/y.npy: the server answered 404`,
      );
      await assertFailsLater(
        loadNpz(`${origin}/x.npy`),
        FileFormatError,
        `Cannot read ${origin}/x.npy: the file lacks the record that ends a zip archive (byte ${bytes.length})`,
      );
    } finally {
      await server.shutdown();
    }
  },
);

onBothDevices("what is saved is loaded again", async (device) => {
  await inFolder(async (folder) => {
    const tensors = new Map([
      ["w", tensor([[1.5, -0], [NaN, Infinity]])],
      ["n", tensor([1, -2], { dtype: "i32" })],
      ["mask", tensor([true, false])],
      ["view", tensor(MATRIX).transpose(0, 1)],
    ]);
    const same = async (loaded: ReadonlyMap<string, Tensor>) => {
      assertEquals([...loaded.keys()].sort(), [...tensors.keys()].sort());
      for (const [name, x] of tensors) {
        const back = loaded.get(name)!;
        assertEquals([back.dtype, back.shape], [x.dtype, x.shape], name);
        assertEquals(await back.read(), await x.read(), name);
      }
    };
    await saveSafetensors(`${folder}/x`, tensors, {
      metadata: { __proto__x: "1", epoch: "3" },
    });
    await same(await loadSafetensors(`${folder}/x`));
    assertEquals(
      await loadSafetensorsMetadata(`${folder}/x`),
      new Map([["__proto__x", "1"], ["epoch", "3"]]),
    );
    await saveNpz(new URL(`file://${folder}/x`), tensors, { compress: true });
    await same(await loadNpz(`${folder}/x`));
    await saveNpy(`${folder}/x`, tensors.get("view")!);
    assertEquals(
      await (await loadNpy(`${folder}/x`)).array(),
      [[0, 3], [1, 4], [2, 5]],
      device,
    );
    // What was there before is replaced, and nothing else is left.
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertEquals(names, ["x"]);
  });
});

onDevice(
  "cpu",
  "a file that can't be put in its place leaves nothing behind",
  async () => {
    await inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/x`);
      await Deno.writeTextFile(`${folder}/x/y`, "");
      let failed = false;
      try {
        await saveNpy(`${folder}/x`, tensor([1]));
      } catch {
        failed = true;
      }
      assert(failed);
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assertEquals(names, ["x"]);
    });
  },
);

onDevice(
  "cpu",
  "a safetensors file has the bytes that the format's own rules in Python give it",
  async () => {
    await inFolder(async (folder) => {
      const tensors = new Map([
        ["i", tensor([-1, 2], { dtype: "i32" })],
        ["u", tensor([0, 255], { dtype: "u32" })],
        ["x", tensor([1, -2.5])],
      ]);
      await saveSafetensors(`${folder}/x`, tensors, {
        metadata: { format: "pt" },
        types: { i32: "I64", u32: "U8", f32: "BF16" },
      });
      assertEquals(
        await Deno.readFile(`${folder}/x`),
        await Deno.readFile(fixture("converted.safetensors")),
      );
    });
  },
);

onBothDevices(
  "every type of safetensors is read as the type that holds it",
  async (device) => {
    const tensors = await loadSafetensors(fixture("types.safetensors"));
    const read = [...tensors].map(async ([name, x]) =>
      [name, x.dtype, await x.array()] as const
    );
    const double = device === "cpu";
    assertEquals(await Promise.all(read), [
      [
        "f8",
        double ? "f64" : "f32",
        double
          ? [0.1, -1e300, Infinity]
          : [Math.fround(0.1), -Infinity, Infinity],
      ],
      ["i8", "i32", [-(2 ** 31), 2 ** 31 - 1, 7]],
      ["u8", "u32", [0, 2 ** 32 - 1, 7]],
      ["f4", "f32", [1.5, -0, Infinity]],
      ["i4", "i32", [-(2 ** 31), 2 ** 31 - 1, 7]],
      ["u4", "u32", [0, 2 ** 32 - 1, 7]],
      ["f2", tensors.get("f2")!.dtype, [0.5, 65504, Math.f16round(-6e-8)]],
      ["i2", "i32", [-(2 ** 15), 2 ** 15 - 1, 7]],
      ["u2", "u32", [0, 65535, 7]],
      ["bf16", "f32", [1.5, -0, 2 ** 127]],
      ["i1", "i32", [-128, 127, 7]],
      ["u1", "u32", [0, 255, 7]],
      ["b1", "bool", [true, false, true]],
    ]);
  },
);

onBothDevices(
  "PyTorch's values keep their nesting, and tensors in it are on the device",
  async () => {
    const value = await loadTorch(fixture("checkpoint_legacy.pth"));
    assert(value instanceof Map);
    assertEquals(value.get("__proto__"), "plain");
    assertEquals(
      value.get(7),
      new Map([["ordered", new Map([["a", 1], ["b", 2]])]]),
    );
    const slice = value.get("slice");
    assert(slice instanceof Tensor);
    assertEquals(await slice.array(), [[16, 18], [20, 22]]);
  },
);

onBothDevices(
  "weights are loaded from every format, also from a part of a checkpoint",
  async (device) => {
    const layers = () =>
      new nn.Sequential(new nn.Conv2d(1, 2, 2), new nn.BatchNorm2d(2));
    const net = layers();
    await nn.loadWeights(net, fixture("module.pth"));
    const state = net.stateDict();
    assertEquals(await state.get("0.weight")!.array(), [[[[0, 1], [2, 3]]], [[[
      4,
      5,
    ], [6, 7]]]]);
    assertEquals(await state.get("1.running_var")!.array(), [5, 6]);
    assertEquals(await state.get("1.num_batches_tracked")!.item(), 6);
    await inFolder(async (folder) => {
      await nn.saveWeights(net, `${folder}/x.safetensors`);
      await saveNpz(`${folder}/x.npz`, state);
      for (const name of ["x.safetensors", "x.npz"]) {
        const twin = layers();
        await nn.loadWeights(twin, `${folder}/${name}`);
        for (const [key, value] of twin.stateDict()) {
          assertEquals(
            await value.array(),
            await state.get(key)!.array(),
            `${name} ${key} ${device}`,
          );
        }
        twin.dispose();
      }
    });
    // Half-precision weights go into a module of f32.
    const half = new nn.Linear(2, 1, { bias: false });
    await inFolder(async (folder) => {
      const path = `${folder}/half.safetensors`;
      const weight = tensor([[0.5, 2]]);
      await saveSafetensors(path, new Map([["weight", weight]]), {
        types: { f32: "F16" },
      });
      await nn.loadWeights(half, path);
    });
    assertEquals(await half.weight.array(), [[0.5, 2]]);
    assertEquals(half.weight.dtype, "f32");
    net.dispose();
    half.dispose();
  },
);
