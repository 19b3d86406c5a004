/** What the guards of the structure look at: the repository's files, and who imports whom. */

const ROOT = new URL("../../", import.meta.url);

/** One import or re-export. Files are paths from the repository's root. */
export interface Import {
  readonly from: string;
  readonly specifier: string;
  /** The imported file; undefined when it isn't one of the repository's. */
  readonly to: string | undefined;
  /** Whether only types pass, which leaves nothing at run time. */
  readonly typeOnly: boolean;
  /** The `type` of a `with` clause, as in `with { type: "text" }`. */
  readonly as: string | undefined;
}

/** The part of `deno info --json` that is read here. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
      readonly assertionType?: string;
    }[];
  }[];
}

/** The repository's files with one of these extensions, sorted. Hidden folders and installed packages are left out. */
export async function listFiles(...extensions: string[]): Promise<string[]> {
  const files: string[] = [];
  const folders = [""];
  for (const folder of folders) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.startsWith(".") || name === "node_modules") continue;
      if (!isFile) folders.push(`${folder}${name}/`);
      else if (extensions.some((ext) => name.endsWith(ext))) {
        files.push(folder + name);
      }
    }
  }
  return files.sort();
}

/** The text of a file of the repository. */
export function readText(file: string): Promise<string> {
  return Deno.readTextFile(new URL(file, ROOT));
}

/** The imports of these TypeScript files and of all that they reach, as Deno's own parser sees them, without deno.json's import map. */
export async function importsOf(files: readonly string[]): Promise<Import[]> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      entry,
      files.map((file) => `import "${new URL(file, ROOT)}";\n`).join(""),
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-config", entry],
      stderr: "inherit",
    }).output();
    const { modules }: Info = JSON.parse(new TextDecoder().decode(stdout));
    return modules.flatMap(({ specifier, dependencies = [] }) => {
      const from = pathInRoot(specifier);
      if (from === undefined) return [];
      return dependencies.map(({ specifier, code, type, assertionType }) => ({
        from,
        specifier,
        to: pathInRoot((code ?? type)?.specifier),
        typeOnly: code === undefined,
        as: assertionType,
      }));
    });
  } finally {
    await Deno.remove(entry);
  }
}

function pathInRoot(url: string | undefined): string | undefined {
  return url?.startsWith(ROOT.href) ? url.slice(ROOT.href.length) : undefined;
}
