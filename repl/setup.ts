/**
 * Gets a machine ready for WebGPU: looks for an adapter, and on Debian and its relatives installs Mesa's software Vulkan driver when
 * there is none and that needs no password.
 *
 * The search runs in a child process, because Deno keeps what it found the first time: a driver that is installed after a process asked
 * for an adapter stays unseen by it. Call `ensureAdapter` before anything else touches `navigator.gpu`.
 *
 * On Linux it looks for Vulkan. Deno would fall back to OpenGL where Mesa's EGL library happens to be there; that serves only as the last
 * resort, since it lacks half precision.
 */

/** What the set-up came to. */
export interface SetUp {
  /** The adapter's name; null without one. */
  readonly adapter: string | null;
  /** Why there is none; empty with one. */
  readonly reason: string;
}

/** What a command came to. `output` is what it wrote, standard error included. */
export interface CommandResult {
  readonly ok: boolean;
  readonly output: string;
}

/** The machine that is set up: replaced in tests. */
export interface Machine {
  readonly os: typeof Deno.build.os;
  readonly root: boolean;
  /** The back ends that the user restricts Deno to with DENO_WEBGPU_BACKEND, if any. */
  readonly backend: string | undefined;
  /** The name of an adapter, looked for by a new process, or null. */
  findAdapter(backend: string | undefined): Promise<string | null>;
  run(command: readonly string[]): Promise<CommandResult>;
}

/** How to set up. */
export interface SetUpOptions {
  /** Takes the lines that say what is done and why. @default console.log */
  readonly log?: (line: string) => void;
  /** @default this machine */
  readonly machine?: Machine;
}

const PACKAGES = ["mesa-vulkan-drivers", "libvulkan1"];

/** The one command, per system, that brings a WebGPU adapter. */
export function adapterAdvice(): string {
  return `To get a WebGPU adapter, run the command for your system:
  Debian, Ubuntu: sudo apt-get update && sudo apt-get install -y ${
    PACKAGES.join(" ")
  }
  Fedora:         sudo dnf install -y mesa-vulkan-drivers vulkan-loader
  Arch:           sudo pacman -S --needed vulkan-swrast vulkan-icd-loader
  Windows:        start ms-settings:windowsupdate (its updates bring DirectX 12 drivers)
  macOS:          softwareupdate --install --all (its updates bring Metal)`;
}

/**
 * Looks for a WebGPU adapter and installs a software driver where it can. Says what it does through `log`, and gives the advice there
 * when no adapter came of it; it never throws for want of one.
 */
export async function ensureAdapter(
  { log = console.log, machine = thisMachine() }: SetUpOptions = {},
): Promise<SetUp> {
  setRuntimeFolder();
  const backend = machine.backend ??
    (machine.os === "linux" ? "vulkan" : undefined);
  let adapter = await machine.findAdapter(backend);
  if (adapter) return { adapter, reason: "" };

  let reason = await installDriver(machine, log);
  if (!reason) {
    adapter = await machine.findAdapter(backend);
    if (adapter) {
      log(`Installed: WebGPU now runs on ${adapter}`);
      return { adapter, reason };
    }
    reason = `${PACKAGES[0]} is installed, but offers no adapter`;
  }

  if (backend !== machine.backend) {
    adapter = await machine.findAdapter(machine.backend);
    if (adapter) {
      log(`Using OpenGL on ${adapter}: ${reason}`);
      return { adapter, reason: "" };
    }
  }
  log(`No WebGPU adapter: ${reason}`);
  log(adapterAdvice());
  return { adapter: null, reason };
}

/** Installs Mesa's Vulkan driver. Returns why it couldn't, or an empty string. */
async function installDriver(
  machine: Machine,
  log: (line: string) => void,
): Promise<string> {
  const { os, backend } = machine;
  if (backend !== undefined && !backend.includes("vulkan")) {
    return `DENO_WEBGPU_BACKEND is ${backend}, which offers none here`;
  }
  if (os !== "linux") return "this system's graphics drivers offer none";
  return await installPackages(
    machine,
    PACKAGES,
    `No Vulkan driver found, which WebGPU needs: installing ${
      PACKAGES.join(" and ")
    } with apt-get`,
    "a Vulkan driver",
    log,
  );
}

/** Installs tmux where it is missing, which the tests of the terminal need. Returns why it couldn't, or an empty string. */
export async function ensureTmux(
  { log = console.log, machine = thisMachine() }: SetUpOptions = {},
): Promise<string> {
  if ((await machine.run(["tmux", "-V"])).ok) return "";
  return await installPackages(
    machine,
    ["tmux"],
    "No tmux found, which the tests of the terminal need: installing it with apt-get",
    "tmux",
    log,
  );
}

/** Installs packages of Debian, after saying `notice`. Returns why it couldn't, or an empty string. */
async function installPackages(
  machine: Machine,
  packages: readonly string[],
  notice: string,
  what: string,
  log: (line: string) => void,
): Promise<string> {
  const { root } = machine;
  if (!(await machine.run(["apt-get", "--version"])).ok) {
    return `there is no apt-get here to install ${what} with`;
  }
  if (!root && !(await machine.run(["sudo", "-n", "true"])).ok) {
    return `installing ${what} needs root, or sudo without a password`;
  }
  const aptGet = [
    ...(root ? [] : ["sudo", "-n"]),
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-qq",
    "-o",
    "DPkg::Lock::Timeout=120",
  ];
  log(notice);
  // One unreachable package source fails an update whose other sources may be all that is needed: the installation decides.
  await machine.run([...aptGet, "update"]);
  const { ok, output } = await machine.run([
    ...aptGet,
    "install",
    "-y",
    "--no-install-recommends",
    ...packages,
  ]);
  if (ok) return "";
  return `apt-get install failed: ${output.trim().split("\n").at(-1)}`;
}

/** Mesa complains on standard error, twice a process, when XDG_RUNTIME_DIR isn't set. */
export function setRuntimeFolder(): void {
  if (Deno.build.os !== "linux" || Deno.env.get("XDG_RUNTIME_DIR")) return;
  Deno.env.set("XDG_RUNTIME_DIR", Deno.env.get("TMPDIR") ?? "/tmp");
}

function thisMachine(): Machine {
  return {
    os: Deno.build.os,
    root: Deno.uid() === 0,
    backend: Deno.env.get("DENO_WEBGPU_BACKEND"),
    async findAdapter(backend) {
      const script = `const adapter = await navigator.gpu.requestAdapter();
        if (adapter) console.log(adapter.info.description || adapter.info.vendor);`;
      const { success, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", script],
        env: backend === undefined ? {} : { DENO_WEBGPU_BACKEND: backend },
        stderr: "null",
      }).output();
      return success && new TextDecoder().decode(stdout).trim() || null;
    },
    run,
  };
}

/** Runs a command to its end. */
export async function run(
  [command, ...args]: readonly string[],
): Promise<CommandResult> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return {
      ok: success,
      output: decoder.decode(stdout) + decoder.decode(stderr),
    };
  } catch (error) {
    return { ok: false, output: String(error) };
  }
}
