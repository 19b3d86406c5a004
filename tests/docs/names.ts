/** The public names of a module, as `deno doc` sees them. */
import {
  type Declaration,
  denoDoc,
  type DocSymbol,
  type DocType,
} from "../../repl/help/deno_doc.ts";

export type {
  Declaration,
  DocSymbol,
  DocType,
} from "../../repl/help/deno_doc.ts";

const ROOT = new URL("../../", import.meta.url);

/** What some modules declare: what they export, or with `all` what they keep to themselves too. */
export async function documented(
  files: readonly string[],
  all = false,
): Promise<DocSymbol[]> {
  const modules = files.map((file) => new URL(file, ROOT));
  return (await denoDoc(modules, { all })).flat();
}

/** The file of a declaration, from the repository's root. */
export function fileOf({ location }: Declaration): string {
  return location.filename.slice(ROOT.href.length);
}

/** Parameters of a class's constructor or of a function: names and types. */
export function parametersOf(
  { def }: Declaration,
): { readonly name: string; readonly type?: DocType }[] | undefined {
  const params = def?.constructors?.[0]?.params ?? def?.params;
  return params?.map((param) => {
    const { name, tsType } = param.left ?? param.arg ?? param;
    return { name: name ?? "", type: tsType ?? param.tsType };
  });
}
