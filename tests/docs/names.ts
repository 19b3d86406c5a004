/** The public names of a module, as `deno doc` sees them. */

const ROOT = new URL("../../", import.meta.url);

/** A type in the output of `deno doc --json`, as far as it is read here. */
export interface DocType {
  readonly kind: string;
  readonly repr?: string;
  readonly value?: unknown;
}

interface DocParam {
  readonly name?: string;
  readonly tsType?: DocType;
  /** Of a parameter with a default. */
  readonly left?: { readonly name?: string; readonly tsType?: DocType };
  /** Of a rest parameter. */
  readonly arg?: { readonly name?: string; readonly tsType?: DocType };
}

/** One declaration of a name. */
export interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly location: { readonly filename: string };
  readonly jsDoc?: {
    readonly doc?: string;
    readonly tags?: readonly { readonly kind: string }[];
  };
  readonly def?: {
    readonly extends?: unknown;
    readonly params?: readonly DocParam[];
    readonly constructors?: readonly { readonly params: DocParam[] }[];
    readonly properties?: readonly {
      readonly name: string;
      readonly tsType?: DocType;
    }[];
    readonly methods?: readonly Pick<Declaration, "jsDoc">[];
    readonly elements?: readonly DocSymbol[];
  };
}

/** A name and what it stands for; a function with overloads has several declarations. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** What some modules declare: what they export, or with `all` what they keep to themselves too. */
export async function documented(
  files: readonly string[],
  all = false,
): Promise<DocSymbol[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...(all ? ["--private"] : []), ...files],
    cwd: ROOT,
    stderr: "inherit",
  }).output();
  const { nodes }: {
    nodes: Readonly<Record<string, { readonly symbols: DocSymbol[] }>>;
  } = JSON.parse(new TextDecoder().decode(stdout));
  return Object.values(nodes).flatMap(({ symbols }) => symbols);
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
