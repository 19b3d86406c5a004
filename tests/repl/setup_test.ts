import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  adapterAdvice,
  ensureAdapter,
  ensureTmux,
  type Machine,
  type SetUp,
} from "../../repl/setup.ts";

const APT = "env DEBIAN_FRONTEND=noninteractive apt-get -qq " +
  "-o DPkg::Lock::Timeout=120";
const UPDATE = `${APT} update`;
const INSTALL =
  `${APT} install -y --no-install-recommends mesa-vulkan-drivers libvulkan1`;
const INSTALLING =
  "No Vulkan driver found, which WebGPU needs: installing mesa-vulkan-drivers and libvulkan1 with apt-get";

interface Scene extends Partial<Omit<Machine, "findAdapter" | "run">> {
  /** Adapters by back end, before and after `installs`. */
  readonly adapters?: Readonly<Record<string, string>>;
  readonly installed?: Readonly<Record<string, string>>;
  /** What a command writes; those not named fail. */
  readonly commands?: Readonly<Record<string, string>>;
}

/** Sets up a machine that is made up; tells its result, its lines and the commands that it ran. */
async function play(
  scene: Scene,
): Promise<{ result: SetUp; lines: string[]; ran: string[] }> {
  const lines: string[] = [];
  const ran: string[] = [];
  let { adapters = {} } = scene;
  const result = await ensureAdapter({
    log: (line) => lines.push(line),
    machine: {
      os: "linux",
      root: false,
      backend: undefined,
      ...scene,
      findAdapter: (backend) =>
        Promise.resolve(adapters[backend ?? "any"] ?? null),
      run(command) {
        const line = command.join(" ");
        ran.push(line);
        const output = scene.commands?.[line];
        if (line.includes(" install ") && output !== undefined) {
          adapters = scene.installed ?? adapters;
        }
        return Promise.resolve(
          output === undefined
            ? { ok: false, output: `E: first\nE: ${line} failed\n` }
            : { ok: true, output },
        );
      },
    },
  });
  return { result, lines, ran };
}

Deno.test("a machine with an adapter is left alone", async () => {
  assertEquals(await play({ adapters: { vulkan: "llvmpipe" } }), {
    result: { adapter: "llvmpipe", reason: "" },
    lines: [],
    ran: [],
  });
  assertEquals(await play({ os: "darwin", adapters: { any: "Apple M3" } }), {
    result: { adapter: "Apple M3", reason: "" },
    lines: [],
    ran: [],
  });
});

Deno.test("as root, apt-get installs the software driver", async () => {
  assertEquals(
    await play({
      root: true,
      adapters: { any: "GL" },
      installed: { vulkan: "llvmpipe" },
      commands: { "apt-get --version": "", [UPDATE]: "", [INSTALL]: "" },
    }),
    {
      result: { adapter: "llvmpipe", reason: "" },
      lines: [INSTALLING, "Installed: WebGPU now runs on llvmpipe"],
      ran: ["apt-get --version", UPDATE, INSTALL],
    },
  );
});

Deno.test("with sudo that asks for no password, apt-get runs through it, even when its update fails", async () => {
  assertEquals(
    await play({
      installed: { vulkan: "llvmpipe" },
      commands: {
        "apt-get --version": "",
        "sudo -n true": "",
        [`sudo -n ${INSTALL}`]: "",
      },
    }),
    {
      result: { adapter: "llvmpipe", reason: "" },
      lines: [INSTALLING, "Installed: WebGPU now runs on llvmpipe"],
      ran: [
        "apt-get --version",
        "sudo -n true",
        `sudo -n ${UPDATE}`,
        `sudo -n ${INSTALL}`,
      ],
    },
  );
});

Deno.test("without root or sudo nothing is installed, and the advice is printed", async () => {
  const reason =
    "installing a Vulkan driver needs root, or sudo without a password";
  assertEquals(await play({ commands: { "apt-get --version": "" } }), {
    result: { adapter: null, reason },
    lines: [`No WebGPU adapter: ${reason}`, adapterAdvice()],
    ran: ["apt-get --version", "sudo -n true"],
  });
});

Deno.test("without apt-get nothing is installed, and the advice is printed", async () => {
  const reason = "there is no apt-get here to install a Vulkan driver with";
  assertEquals(await play({ root: true }), {
    result: { adapter: null, reason },
    lines: [`No WebGPU adapter: ${reason}`, adapterAdvice()],
    ran: ["apt-get --version"],
  });
});

Deno.test("outside Linux nothing is installed, and the advice is printed", async () => {
  const reason = "this system's graphics drivers offer none";
  assertEquals(await play({ os: "windows" }), {
    result: { adapter: null, reason },
    lines: [`No WebGPU adapter: ${reason}`, adapterAdvice()],
    ran: [],
  });
});

Deno.test("an installation that fails is told with apt-get's last line", async () => {
  const { result } = await play({
    root: true,
    commands: { "apt-get --version": "" },
  });
  assertEquals(result, {
    adapter: null,
    reason: `apt-get install failed: E: ${INSTALL} failed`,
  });
});

Deno.test("an installation that brings no adapter is told", async () => {
  const { result } = await play({
    root: true,
    commands: { "apt-get --version": "", [INSTALL]: "" },
  });
  assertEquals(result, {
    adapter: null,
    reason: "mesa-vulkan-drivers is installed, but offers no adapter",
  });
});

Deno.test("OpenGL is the last resort where Vulkan can't be had", async () => {
  const { result, lines } = await play({ adapters: { any: "llvmpipe" } });
  assertEquals(result, { adapter: "llvmpipe", reason: "" });
  assertEquals(lines, [
    "Using OpenGL on llvmpipe: there is no apt-get here to install a Vulkan driver with",
  ]);
});

Deno.test("a back end that the user chose is kept to, and nothing is installed for another", async () => {
  const reason = "DENO_WEBGPU_BACKEND is gl, which offers none here";
  assertEquals(
    await play({ root: true, backend: "gl", adapters: { vulkan: "llvmpipe" } }),
    {
      result: { adapter: null, reason },
      lines: [`No WebGPU adapter: ${reason}`, adapterAdvice()],
      ran: [],
    },
  );
});

Deno.test("the advice has one line for each system", () => {
  const systems = adapterAdvice().split("\n").slice(1)
    .map((line) => line.trim().split(":")[0]);
  assertEquals(systems, [
    "Debian, Ubuntu",
    "Fedora",
    "Arch",
    "Windows",
    "macOS",
  ]);
});

/** Runs the set-up for real in a new process, with the given environment on top of PATH and HOME alone. */
async function runForReal(
  env: Record<string, string>,
): Promise<{ stdout: string; stderr: string }> {
  const setup = new URL("../../repl/setup.ts", import.meta.url);
  const script = `import { ensureAdapter } from ${JSON.stringify(setup.href)};
    console.log(JSON.stringify(await ensureAdapter()));
    console.log((await navigator.gpu.requestAdapter())?.info.description);`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? "",
      NO_COLOR: "1",
      ...env,
    },
  }).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("this machine's adapter is found, and its driver is quiet without XDG_RUNTIME_DIR", async () => {
  const { stdout, stderr } = await runForReal({});
  const [result, name] = stdout.trim().split("\n").slice(-2);
  const { adapter, reason }: SetUp = JSON.parse(result);
  assertEquals(reason, "");
  assertEquals(adapter, name);
  assert(!stderr.includes("XDG_RUNTIME_DIR"), stderr);
});

Deno.test("a machine whose back end offers no adapter gets the advice and no adapter", async () => {
  const { stdout } = await runForReal({ DENO_WEBGPU_BACKEND: "noop" });
  const reason = "DENO_WEBGPU_BACKEND is noop, which offers none here";
  assertEquals(
    stdout,
    `No WebGPU adapter: ${reason}\n${adapterAdvice()}\n${
      JSON.stringify({ adapter: null, reason })
    }\nundefined\n`,
  );
  assertMatch(stdout, /sudo apt-get install -y mesa-vulkan-drivers libvulkan1/);
});

Deno.test("tmux is installed where it is missing and that needs no password", async () => {
  const INSTALL_TMUX = `${APT} install -y --no-install-recommends tmux`;
  async function ensure(
    commands: readonly string[],
  ): Promise<[string, string[], string[]]> {
    const lines: string[] = [];
    const ran: string[] = [];
    const reason = await ensureTmux({
      log: (line) => lines.push(line),
      machine: {
        os: "linux",
        root: true,
        backend: undefined,
        findAdapter: () => Promise.resolve(null),
        run(command) {
          const line = command.join(" ");
          ran.push(line);
          return Promise.resolve({ ok: commands.includes(line), output: "" });
        },
      },
    });
    return [reason, lines, ran];
  }
  assertEquals(await ensure(["tmux -V"]), ["", [], ["tmux -V"]]);
  assertEquals(await ensure(["apt-get --version", INSTALL_TMUX]), [
    "",
    [
      "No tmux found, which the tests of the terminal need: installing it with apt-get",
    ],
    ["tmux -V", "apt-get --version", UPDATE, INSTALL_TMUX],
  ]);
  assertEquals(await ensure([]), [
    "there is no apt-get here to install tmux with",
    [],
    ["tmux -V", "apt-get --version"],
  ]);
});
