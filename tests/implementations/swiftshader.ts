/**
 * Gets SwiftShader, a software Vulkan driver that Dawn takes: of Debian's package chromium-common only the driver is unpacked, into the cache folder.
 * That needs no root. apt-get checks the package's signature.
 */
import { type CommandResult, run } from "../../repl/setup.ts";

/** Where the driver's manifest is, or why there is none. */
export interface SwiftShader {
  readonly manifest?: string;
  readonly reason: string;
  /** Whether its absence is a failure: on Debian it can always be had. */
  readonly required: boolean;
}

/** The machine that SwiftShader is looked for on: replaced in tests. */
export interface Host {
  /** The system's name in /etc/os-release, empty elsewhere. */
  readonly system: string;
  /** Folder for SwiftShader. */
  readonly folder: string;
  exists(path: string): boolean;
  run(command: readonly string[]): Promise<CommandResult>;
}

const PACKAGE = "chromium-common";
const MANIFEST = "vk_swiftshader_icd.json";
const LIBRARY = "libvk_swiftshader.so";

/** Where browsers' packages put it. */
const INSTALLED = ["/usr/lib/chromium", "/opt/google/chrome"];

/** Finds SwiftShader, or gets it. Says what it downloads through `log`. */
export async function ensureSwiftShader(
  log: (line: string) => void = console.log,
  host: Host = thisHost(),
): Promise<SwiftShader> {
  const { system, folder } = host;
  const required = system === "debian";
  for (const place of [folder, ...INSTALLED]) {
    const there = [MANIFEST, LIBRARY].every((name) =>
      host.exists(`${place}/${name}`)
    );
    if (there) {
      return { manifest: `${place}/${MANIFEST}`, reason: "", required };
    }
  }
  if (!required) {
    const reason = "SwiftShader isn't installed, and comes from Debian only";
    return { reason, required };
  }
  log(`Getting SwiftShader from Debian's ${PACKAGE} into ${folder}`);
  const reason = await download(host);
  if (reason) return { reason: `no SwiftShader: ${reason}`, required };
  return { manifest: `${folder}/${MANIFEST}`, reason: "", required };
}

/** Returns why it failed, or an empty string. */
async function download({ folder, run }: Host): Promise<string> {
  // Unpacked beside its place and moved there whole, so that what is there is complete.
  const script = `set -eu
    mkdir -p "$0.d"
    cd "$0.d"
    fetch() { apt-get -q "$@" download ${PACKAGE}; }
    # Without the system's package lists, as in fresh containers, lists of our own: they need no root.
    own="-o Dir::State::lists=$0.d/lists -o Dir::Cache=$0.d/cache"
    fetch || { mkdir -p lists/partial cache/archives/partial; apt-get -q $own update; fetch $own; }
    dpkg-deb --fsys-tarfile ${PACKAGE}_*.deb | tar -x --strip-components=4 \\
      ./usr/lib/chromium/${LIBRARY} ./usr/lib/chromium/${MANIFEST}
    mkdir -p "$0"
    mv ${LIBRARY} "$0"
    mv ${MANIFEST} "$0"
    cd /
    rm -r "$0.d"`;
  const { ok, output } = await run(["sh", "-c", script, folder]);
  return ok ? "" : output.trim().split("\n").at(-1) ?? "";
}

function thisHost(): Host {
  const { HOME, TMPDIR = "/tmp", XDG_CACHE_HOME } = Deno.env.toObject();
  const cache = XDG_CACHE_HOME ?? (HOME ? `${HOME}/.cache` : TMPDIR);
  return {
    system: readSystem(),
    folder: `${cache}/tessera/swiftshader-${Deno.build.arch}`,
    exists(path) {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    },
    run,
  };
}

function readSystem(): string {
  try {
    const text = Deno.readTextFileSync("/etc/os-release");
    return /^ID="?([^"\n]*)/m.exec(text)?.[1] ?? "";
  } catch {
    return "";
  }
}
