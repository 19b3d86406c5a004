/** The file in which an adapter's measured choices of kernels are kept. */
import { FileFormatError } from "./errors.ts";
import type { Choice, Tuning } from "./gpu/tuning.ts";

/** Version of the file's layout. */
const VERSION = 1;

/** Reads the adapter's own file into a tuning, if there is one and its folder may be read without asking. */
export async function loadDefaultTuning(
  tuning: Tuning,
  adapter: string,
): Promise<void> {
  const path = defaultPath(adapter);
  if (!path || !granted({ name: "read", path })) return;
  try {
    readChoices(tuning, await Deno.readTextFile(path), path);
  } catch (error) {
    // None yet, or one of another version: the built-in choices serve.
    const harmless = error instanceof Deno.errors.NotFound ||
      error instanceof FileFormatError;
    if (!harmless) throw error;
  }
}

/** Adds the choices of a file's text. */
export function readChoices(tuning: Tuning, text: string, file: string): void {
  const refuse = (rule: string) =>
    new FileFormatError(`Cannot read ${file}: ${rule}`, file, 0, rule);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw refuse("expected JSON");
  }
  const { version, choices } = Object(content);
  if (version !== VERSION || typeof choices !== "object" || !choices) {
    throw refuse(`expected tuning of version ${VERSION}`);
  }
  for (const [name, choice] of Object.entries(choices)) {
    const { variant, kernels, ms } = Object(choice);
    const fits = typeof variant === "string" && typeof ms === "number" &&
      Object.values(Object(kernels)).every((hash) => typeof hash === "string");
    if (!fits) throw refuse(`expected variant, kernels and ms of "${name}"`);
    tuning.choices.set(name, { variant, kernels, ms } satisfies Choice);
  }
}

/** Where an adapter's choices are kept, if there is a cache folder. */
export function defaultPath(adapter: string): string | undefined {
  const base = variable("XDG_CACHE_HOME") ??
    (variable("HOME") && `${variable("HOME")}/.cache`);
  const name = adapter.toLowerCase().match(/[a-z0-9]+/g)?.join("-");
  return base && `${base}/tessera/${name}.json`;
}

function variable(name: string): string | undefined {
  return granted({ name: "env", variable: name })
    ? Deno.env.get(name) || undefined
    : undefined;
}

function granted(descriptor: Deno.PermissionDescriptor): boolean {
  return globalThis.Deno?.permissions?.querySync(descriptor).state ===
    "granted";
}

/** Writes an adapter's choices, in whole or not at all. */
export async function writeChoices(
  { choices }: Tuning,
  adapter: string,
  path: string,
): Promise<void> {
  const folder = path.replace(/[^/\\]*$/, "");
  if (folder) await Deno.mkdir(folder, { recursive: true });
  const content = {
    version: VERSION,
    adapter,
    choices: Object.fromEntries(choices),
  };
  const temporary = `${path}.${crypto.randomUUID()}.part`;
  await Deno.writeTextFile(
    temporary,
    `${JSON.stringify(content, null, 1)}\n`,
  );
  await Deno.rename(temporary, path);
}
