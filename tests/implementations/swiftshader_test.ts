import { assertEquals } from "@std/assert";
import {
  ensureSwiftShader,
  type Host,
  type SwiftShader,
} from "./swiftshader.ts";

interface Scene extends Partial<Omit<Host, "exists" | "run">> {
  readonly files?: readonly string[];
  /** What the download writes; it fails without. */
  readonly output?: string;
  readonly ok?: boolean;
}

/** Looks for SwiftShader on a machine that is made up. */
async function play(
  { files = [], output = "", ok = true, ...scene }: Scene,
): Promise<{ result: SwiftShader; lines: string[]; downloads: number }> {
  const lines: string[] = [];
  let downloads = 0;
  const result = await ensureSwiftShader((line) => lines.push(line), {
    system: "debian",
    folder: "/cache/swiftshader",
    ...scene,
    exists: (path) => files.includes(path),
    run() {
      downloads++;
      return Promise.resolve({ ok, output });
    },
  });
  return { result, lines, downloads };
}

const BOTH = ["vk_swiftshader_icd.json", "libvk_swiftshader.so"];
const GETTING =
  "Getting SwiftShader from Debian's chromium-common into /cache/swiftshader";

Deno.test("SwiftShader is downloaded once", async () => {
  const manifest = "/cache/swiftshader/vk_swiftshader_icd.json";
  const result = { manifest, reason: "", required: true };
  assertEquals(await play({}), { result, lines: [GETTING], downloads: 1 });
  const files = BOTH.map((name) => `/cache/swiftshader/${name}`);
  assertEquals(await play({ files }), { result, lines: [], downloads: 0 });
});

Deno.test("a browser's SwiftShader is taken on any system, if it is whole", async () => {
  const files = BOTH.map((name) => `/opt/google/chrome/${name}`);
  assertEquals(await play({ system: "ubuntu", files }), {
    result: { manifest: files[0], reason: "", required: false },
    lines: [],
    downloads: 0,
  });
  assertEquals(await play({ system: "", files: [files[0]] }), {
    result: {
      reason: "SwiftShader isn't installed, and comes from Debian only",
      required: false,
    },
    lines: [],
    downloads: 0,
  });
});

Deno.test("a download that fails is told with its last line", async () => {
  assertEquals(await play({ ok: false, output: "first\nE: offline\n" }), {
    result: { reason: "no SwiftShader: E: offline", required: true },
    lines: [GETTING],
    downloads: 1,
  });
});
