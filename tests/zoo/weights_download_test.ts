/** Published weights on their way from the network, and from the cache. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { init, nn, type Tensor, tensor, zoo } from "../../mod.ts";
import { readArrays, saveSafetensors } from "../../core/formats/files.ts";
import { IMAGENET, IMAGENET_V2 } from "../../zoo/weights_imagenet.ts";
import type { WeightsEntry } from "../../zoo/weights_entry.ts";
import { loadEntry } from "../../zoo/weights_load.ts";
import {
  cut,
  ranged,
  sha256,
  withFolder,
  withServer,
} from "../support/data_files.ts";

await init({ seed: 0 });

const range = (...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: size }, (_, i) => i), { shape });
};

/** A network whose names are VGG's, as small as can be. */
class Tiny extends nn.Module {
  readonly classifier = new nn.Sequential(
    new nn.Linear(8, 3),
    new nn.BatchNorm1d(3),
  );

  override forward(x: Tensor): Tensor {
    return this.classifier(x);
  }
}

/** A file for {@linkcode Tiny} under other names: a convolution in the place of the linear layer, a head more, no counter of batches. */
async function fileOf(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = `${folder}/made-up`;
  await saveSafetensors(
    path,
    new Map([
      ["pre_logits.fc1.weight", range(3, 2, 2, 2)],
      ["pre_logits.fc1.bias", range(3)],
      ["classifier.1.weight", range(3)],
      ["classifier.1.bias", range(3)],
      ["classifier.1.running_mean", range(3)],
      ["classifier.1.running_var", range(3)],
      ["aux1.fc.weight", range(2, 2)],
    ]),
  );
  return await Deno.readFile(path);
}

/** What is known of weights for {@linkcode Tiny}. */
function entry(...sources: WeightsEntry["sources"]): WeightsEntry {
  return {
    ...IMAGENET.vgg11,
    sources,
    rules: [...IMAGENET.vgg11.rules!, ...IMAGENET.googlenet.rules!],
  };
}

async function load(cache: string, weights: WeightsEntry): Promise<Tiny> {
  const net = new Tiny();
  await loadEntry(net, "tiny", weights, { cache, onProgress() {} });
  return net;
}

async function assertLoaded(net: Tiny): Promise<void> {
  const state = net.stateDict();
  const weight = await state.get("classifier.0.weight")!.read();
  assertEquals([...weight].map(Number), [...Array(24).keys()]);
  const seen = state.get("classifier.1.num_batches_tracked")!;
  assertEquals(await seen.item(), 0);
}

Deno.test("a file of unknown size is taken up where it was cut, checked by the digits in its name, renamed by rule, and kept", async () => {
  await withFolder(async (cache) => {
    const bytes = await fileOf(cache);
    const digits = (await sha256(bytes)).slice(0, 8);
    const file = `tiny-${digits}.pth`;
    const half = bytes.length >> 1;
    await withServer(
      (request, number) =>
        number === 0 ? cut(bytes.slice(0, half)) : ranged(request, bytes),
      async (base, requests) => {
        const urls = [`${base}/${file}`];
        const weights = entry({ file, urls, sha256: digits });
        await assertLoaded(await load(cache, weights));
        await assertLoaded(await load(cache, weights));
        assertEquals(requests, [`/${file}`, `/${file} bytes=${half}-`]);
      },
    );
    assertEquals(await Deno.readFile(`${cache}/${file}`), bytes);
  });
});

Deno.test("a whole file of unknown size that wasn't renamed is fetched again", async () => {
  await withFolder(async (cache) => {
    const bytes = await fileOf(cache);
    await Deno.writeFile(`${cache}/tiny.part`, bytes);
    await withServer(
      (request) =>
        request.headers.has("range")
          ? new Response(null, { status: 416 })
          : new Response(bytes),
      async (base, requests) => {
        const weights = entry({ file: "tiny", urls: [`${base}/tiny`] });
        await assertLoaded(await load(cache, weights));
        assertEquals(requests, [`/tiny bytes=${bytes.length}-`, "/tiny"]);
      },
    );
  });
});

Deno.test("where one source has a wrong file the next is asked, and one that is in the cache is taken first", async () => {
  await withFolder(async (cache) => {
    const bytes = await fileOf(cache);
    await withServer(
      ({ url }) => new Response(url.endsWith("b") ? bytes : bytes.slice(1)),
      async (base, requests) => {
        const weights = entry(
          { file: "a", urls: [`${base}/a`], sha256: "00000000" },
          { file: "b", urls: [`${base}/b`] },
        );
        await assertLoaded(await load(cache, weights));
        await assertLoaded(await load(cache, weights));
        assertEquals(requests, ["/a", "/b"]);
      },
    );
  });
});

Deno.test("offline, the error names each file, its addresses and the option to pass a path", async () => {
  await withFolder(async (cache) => {
    // A port that was free a moment ago.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const base = `http://127.0.0.1:${listener.addr.port}`;
    listener.close();
    const error = await assertRejects(
      () =>
        zoo.resnet18({
          weights: "imagenet",
          cache,
          mirrors: [base],
        }),
      nn.DownloadError,
    );
    const lines = error.message.split("\n");
    assertEquals(lines.length, 6);
    const instead =
      `Get it by other means and pass zoo.create("resnet18", { weights: PATH }), or put it into ${cache}`;
    for (
      const [i, file] of [
        "resnet18-f37072fd.pth",
        "resnet18.tv_in1k.safetensors",
      ].entries()
    ) {
      const [first, second, third] = lines.slice(3 * i);
      assertEquals(first, `Cannot download ${file}: no server gave it`);
      assert(second.startsWith(`  ${base}/${file}: `), second);
      assertMatch(second, /onnect/);
      assertEquals(third, instead);
    }
    assertEquals(await Array.fromAsync(Deno.readDir(cache)), []);
  });
});

Deno.test("a wrong file is refused with its sum and the digits that were published", async () => {
  await withFolder(async (cache) => {
    await withServer(() => new Response("not it"), async (base) => {
      const urls = [`${base}/a.pth`];
      const weights = entry({ file: "a.pth", urls, sha256: "f37072fd" });
      const sum = await sha256(new TextEncoder().encode("not it"));
      await assertRejects(
        () => load(cache, weights),
        nn.DownloadError,
        [
          "Cannot download a.pth: no server gave it",
          `  ${base}/a.pth: the file's SHA-256 is ${sum}, where one that begins with f37072fd belongs`,
          `Get it by other means and pass zoo.create("tiny", { weights: PATH }), or put it into ${cache}`,
        ].join("\n"),
      );
    });
  });
});

Deno.test("files in the cache are read under the names of the table, by every network that has weights", async () => {
  for (const [weights, table] of Object.entries({ IMAGENET, IMAGENET_V2 })) {
    for (const [name, { sources, options, classes }] of Object.entries(table)) {
      assert(zoo.list().includes(name), `${weights} ${name}`);
      assertEquals(classes().length, options.classes, name);
      for (const { urls, sha256 } of sources) {
        assert(urls.every((url) => URL.canParse(url)), name);
        assertMatch(sha256 ?? "00000000", /^[0-9a-f]{8}$/);
      }
    }
  }
  await withFolder(async (cache) => {
    const net = nn.init.skipInit(() => zoo.resnet18());
    nn.init.constant_(net.fc.weight, 0);
    const bias = new Float32Array(1000);
    bias[207] = 5;
    net.fc.bias!.assign(tensor(bias));
    const path = `${cache}/resnet18-f37072fd.pth`;
    await nn.saveWeights(net, path);
    net.dispose();
    const image = { width: 40, height: 32, data: new Uint8Array(3840) };
    // Small pictures, to save time.
    const { preprocessing: usual } = IMAGENET.resnet18;
    const preprocessing = { ...usual, resize: 32, crop: 32 };
    for (const weights of ["imagenet", path]) {
      const loaded = await zoo.resnet18({ weights, cache });
      const [best] = await zoo.classify(loaded, image, { preprocessing });
      assertEquals([best.index, best.name], [207, "golden retriever"]);
      loaded.dispose();
    }
    assertEquals((await readArrays(path)).size, 122);
  });
});
