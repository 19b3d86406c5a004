/**
 * Published weights at their full size, as far as they can be had without the network: for each of torchvision's networks Debian's PyTorch writes a file with
 * random weights and batch-norm statistics, a server on this machine gives it and breaks off in the middle, and the network is built from it as with
 * `weights: "imagenet"`: taken up where it broke off, checked by the first digits of its SHA-256, renamed by the entry's rules. Then again from the copy in
 * safetensors, after the first source has given a wrong file. Logits must be PyTorch's within 5e-6 of the largest, in float64.
 *
 *     deno run --allow-all tests/full_size.ts              all networks
 *     deno run --allow-all tests/full_size.ts resnet18     some of them
 *
 * Needs Debian's python3-torchvision. Files of a network are removed when it is done: the largest are 1.2 GB.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { init, nn, noGrad, scope, zoo } from "../mod.ts";
import type { WeightsSource } from "../zoo/weights_entry.ts";
import { IMAGENET } from "../zoo/weights_imagenet.ts";
import { loadEntry } from "../zoo/weights_load.ts";
import {
  cut,
  ranged,
  sha256,
  withFolder,
  withServer,
} from "./support/data_files.ts";
import { assertLogits, picture, type WantedLogits } from "./support/made_up.ts";

/** Width and height of the pictures, where the network needs other than 64. */
const SIZES: Readonly<Record<string, number>> = { inception_v3: 107 };

async function writeFiles(folder: string, name: string, size: number) {
  const script = new URL("fixtures/full_size.py", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command("/usr/bin/python3", {
    args: ["-B", script, folder, name, `${size}`],
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot write ${name}: ${new TextDecoder().decode(stderr)}`,
    );
  }
}

/** Builds a network from these sources, and compares its logits. */
async function assertLoads(
  name: string,
  sources: readonly WeightsSource[],
  cache: string,
  size: number,
  want: WantedLogits,
): Promise<void> {
  using _ = scope();
  const entry = { ...IMAGENET[name], sources };
  const net = nn.init.skipInit(() => zoo.create(name, entry.options));
  await loadEntry(net, name, entry, { cache, onProgress() {} });
  const x = picture([2, 3, size, size], 5);
  await assertLogits(noGrad(() => net.eval()(x)), want);
  net.dispose();
}

/** The table itself, on a mirror: it must refuse a file of another sum than torchvision's, and take the copy, whose sum isn't published. */
async function assertTable(
  name: string,
  kind: string,
  bytes: Uint8Array<ArrayBuffer>,
  cache: string,
  size: number,
  want: WantedLogits,
): Promise<void> {
  const [first, copy] = IMAGENET[name].sources;
  const file = kind === "pth" ? first.file : copy?.file;
  await withServer(
    ({ url }) =>
      decodeURIComponent(url).endsWith(`/${file}`)
        ? new Response(bytes)
        : new Response(null, { status: 404 }),
    async (base) => {
      const options = {
        weights: "imagenet",
        cache,
        mirrors: [base],
        onProgress() {},
      };
      if (kind === "pth" || !copy) {
        await assertRejects(() => zoo.create(name, options), nn.DownloadError);
        return;
      }
      using _ = scope();
      const net = (await zoo.create(name, options)).eval();
      const x = picture([2, 3, size, size], 5);
      await assertLogits(noGrad(() => net(x)), want);
      net.dispose();
    },
  );
}

async function check(name: string): Promise<void> {
  const size = SIZES[name] ?? 64;
  await withFolder(async (folder) => {
    await writeFiles(folder, name, size);
    const want = JSON.parse(await Deno.readTextFile(`${folder}/${name}.json`));
    for (const kind of ["pth", "safetensors"]) {
      const path = `${folder}/${name}.${kind}`;
      const bytes = await Deno.readFile(path);
      await Deno.remove(path);
      const digits = (await sha256(bytes)).slice(0, 8);
      const file = `${name}-${digits}.${kind}`;
      const half = bytes.length >> 1;
      await withServer(
        (request, number) =>
          request.url.endsWith("wrong")
            ? new Response("not it")
            : number === 1
            ? cut(bytes.subarray(0, half))
            : ranged(request, bytes),
        async (base, requests) => {
          const wrong = {
            file: "wrong",
            urls: [`${base}/wrong`],
            sha256: digits,
          };
          const right = { file, urls: [`${base}/${file}`], sha256: digits };
          const cache = `${folder}/${kind}`;
          await assertLoads(name, [wrong, right], cache, size, want);
          // From the cache.
          await assertLoads(name, [wrong, right], cache, size, want);
          assertEquals(requests, [
            "/wrong",
            `/${file}`,
            `/${file} bytes=${half}-`,
          ]);
        },
      );
      await assertTable(name, kind, bytes, `${folder}/table`, size, want);
      await Deno.remove(`${folder}/${kind}`, { recursive: true });
    }
  });
}

await init({ seed: 0 });
const published = Object.keys(IMAGENET)
  .filter((name) => IMAGENET[name].sources[0].file.endsWith(".pth"));
for (const name of Deno.args.length > 0 ? Deno.args : published) {
  const start = performance.now();
  await check(name);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${name}: as .pth and safetensors, ${seconds} s`);
}
