/** What modules declare, as `deno doc` sees them: it is built in, works from a URL and without a network, and takes about a quarter of a second. */

/** A type in the output of `deno doc --json`, as far as it is read here. */
export interface DocType {
  readonly kind: string;
  readonly repr?: string;
  readonly value?: unknown;
}

/** The text above a name. */
export interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly {
    readonly kind: string;
    readonly doc?: string;
    readonly name?: string;
    readonly tsType?: DocType;
  }[];
}

export interface DocParam {
  readonly name?: string;
  readonly tsType?: DocType;
  /** Of a parameter with a default. */
  readonly left?: { readonly name?: string; readonly tsType?: DocType };
  /** Of a rest parameter. */
  readonly arg?: { readonly name?: string; readonly tsType?: DocType };
}

/** A module's URL; the line counts from 0. */
export interface DocLocation {
  readonly filename: string;
  readonly line: number;
}

/** A field or method of a class or interface. */
export interface DocMember {
  readonly name: string;
  readonly location: DocLocation;
  readonly jsDoc?: JsDoc;
  readonly tsType?: DocType;
  /** "method", "getter" or "setter". */
  readonly kind?: string;
  readonly accessibility?: string;
  readonly functionDef?: { readonly params: readonly DocParam[] };
}

/** One declaration of a name. */
export interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly location: DocLocation;
  readonly jsDoc?: JsDoc;
  readonly def?: {
    /** The name of a class's base, or the types of an interface's. */
    readonly extends?: string | readonly DocType[];
    readonly params?: readonly DocParam[];
    /** The type of a constant. */
    readonly tsType?: DocType;
    readonly constructors?: readonly {
      readonly params: DocParam[];
      readonly location: DocLocation;
      readonly jsDoc?: JsDoc;
    }[];
    readonly properties?: readonly DocMember[];
    readonly methods?: readonly DocMember[];
    readonly elements?: readonly DocSymbol[];
    /** What a reference stands for. */
    readonly target?: DocLocation;
  };
}

/** A name and what it stands for; a function with overloads has several declarations. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** `deno doc` can't be run, or doesn't answer. */
export class DocError extends Error {
  override readonly name = "DocError";
}

/**
 * What each of some modules declares: what it exports, or with `all` what it keeps to itself too.
 *
 * @throws {DocError} Where Deno may not be run, or isn't what runs this.
 */
export async function denoDoc(
  modules: readonly URL[],
  { all = false } = {},
): Promise<DocSymbol[][]> {
  const output = await run([
    "doc",
    "--json",
    "--no-config",
    "--no-lock",
    ...(all ? ["--private"] : []),
    ...modules.map(({ href }) => href),
  ]);
  const { nodes }: {
    nodes: Readonly<Record<string, { readonly symbols: DocSymbol[] }>>;
  } = JSON.parse(output);
  return modules.map(({ href }) => nodes[href]?.symbols ?? []);
}

async function run(args: readonly string[]): Promise<string> {
  const decoder = new TextDecoder();
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(Deno.execPath(), {
      args: [...args],
      stdin: "null",
    }).output();
  } catch (cause) {
    throw new DocError(
      "Cannot read the documentation: `deno doc` can't be started, it needs --allow-run and --allow-read",
      { cause },
    );
  }
  if (output.success) return decoder.decode(output.stdout);
  throw new DocError(
    `Cannot read the documentation: deno doc ended with ${output.code}: ${
      decoder.decode(output.stderr).trim()
    }`,
  );
}
