/** The documentation of everything that lines can name, by the name that a line uses. */
import { nearest } from "../../nn/state.ts";
import {
  type Declaration,
  denoDoc,
  type DocMember,
  type DocParam,
  type DocSymbol,
  type DocType,
  type JsDoc,
} from "./deno_doc.ts";

const ROOT = new URL("../../", import.meta.url);

/** The modules, and what stands in front of their names; `undefined` where only types are looked up. */
const MODULES: readonly (readonly [string, string | undefined])[] = [
  ["mod.ts", ""],
  ["nn/mod.ts", "nn."],
  ["nn/init.ts", "nn.init."],
  ["nn/transforms/mod.ts", "nn.transforms."],
  ["zoo/mod.ts", "zoo."],
  ["nn/term/plot.ts", undefined],
  ["core/tensor_base.ts", undefined],
  ["core/tensor_elementwise.ts", undefined],
  ["core/tensor_reduce.ts", undefined],
  ["nn/layers/batch_norm.ts", undefined],
  ["nn/layers/dropout.ts", undefined],
  ["nn/optim/schedule.ts", undefined],
  ["nn/term/training.ts", undefined],
  ["zoo/resnet_v2.ts", undefined],
];

/** What the commands run; their names are not lines' to use, but for those of the commands. */
const COMMANDS: readonly string[] = [
  "repl/term/show.ts",
  "repl/term/curves.ts",
  "repl/term/histogram.ts",
  "repl/term/confusion.ts",
  "repl/term/cam.ts",
  "repl/term/save.ts",
  "repl/term/picture.ts",
  "repl/inspect/timeit.ts",
  "repl/inspect/trace.ts",
  "repl/commands/inspect.ts",
];

export type Kind = "function" | "class" | "interface" | "type" | "constant";

const KINDS: Readonly<Record<string, Kind>> = {
  function: "function",
  class: "class",
  interface: "interface",
  typeAlias: "type",
  variable: "constant",
};

/** Where a name is declared: a module's URL and a line, from 0. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** What is documented of one name. */
export interface Entry extends Place {
  /** As a line writes it: "nn.Conv2d". */
  readonly path: string;
  readonly name: string;
  readonly kind: Kind;
  readonly doc: JsDoc;
  /** Names of the types of parameters, in order. */
  readonly parameters: readonly string[];
  /** Fields of a parameter's type that has no name. */
  readonly fields: readonly Member[];
  /** Further declarations of the same function. */
  readonly overloads: readonly Place[];
  readonly constructorPlace: Place | undefined;
  /** Names of the bases. */
  readonly bases: readonly string[];
  readonly members: readonly Member[];
}

/** A field or method. */
export interface Member extends Place {
  readonly name: string;
  readonly method: boolean;
  readonly doc: JsDoc;
  readonly parameters: readonly string[];
  readonly fields: readonly Member[];
}

export class Docs {
  /** By path, in the order of the modules. */
  readonly entries = new Map<string, Entry>();
  /** Functions of commands, by name. */
  readonly #commands = new Map<string, Entry>();
  /** Classes and interfaces by their own name, those that no line can reach as well. */
  readonly #types = new Map<string, Entry>();

  add(symbols: readonly DocSymbol[], prefix: string | undefined): void {
    for (const { name, declarations } of symbols) {
      for (const { kind, def } of declarations) {
        if (kind !== "namespace" || prefix === undefined) continue;
        this.add(def?.elements ?? [], `${prefix}${name}.`);
      }
      const entry = entryOf(`${prefix ?? ""}${name}`, name, declarations);
      if (!entry) continue;
      if (!this.#types.has(name)) this.#types.set(name, entry);
      const exported = declarations.some(({ declarationKind }) =>
        declarationKind === "export"
      );
      if (prefix === undefined || !exported) continue;
      if (!this.entries.has(entry.path)) this.entries.set(entry.path, entry);
    }
  }

  addCommands(symbols: readonly DocSymbol[]): void {
    this.add(symbols, undefined);
    for (const { name, declarations } of symbols) {
      const entry = entryOf(name, name, declarations);
      if (entry?.kind !== "function" || this.#commands.has(name)) continue;
      this.#commands.set(name, entry);
    }
  }

  /** What a command runs. */
  command(name: string): Entry | undefined {
    return this.#commands.get(name);
  }

  /** The class itself, or the base whose constructor makes its objects. */
  maker(type: Entry): Entry {
    let at: Entry | undefined = type;
    while (at && !at.constructorPlace) at = this.#types.get(at.bases[0] ?? "");
    return at ?? type;
  }

  /** A class or interface. */
  type(name: string): Entry | undefined {
    return this.#types.get(name);
  }

  /** The fields and methods of a class or interface and of its bases; its own first. */
  members(type: Entry): Map<string, Member> {
    const found = new Map<string, Member>();
    const pending = [type];
    for (let entry = pending.shift(); entry; entry = pending.shift()) {
      const bases = entry.bases.map((name) => this.#types.get(name));
      pending.unshift(...bases.filter((base) => base !== undefined));
      for (const member of entry.members) {
        const nearer = found.get(member.name);
        // What overrides a method says no more of it where nothing has changed.
        if (!nearer) found.set(member.name, member);
        else if (!nearer.doc.doc) {
          found.set(member.name, { ...nearer, doc: member.doc });
        }
      }
    }
    return found;
  }

  /** The options that a function or method takes: the fields of the interface of its last parameters. */
  options(
    { parameters, fields }: Pick<Entry, "parameters" | "fields">,
  ): Map<string, Member> {
    if (fields.length > 0) {
      return new Map(fields.map((field) => [field.name, field]));
    }
    const types = parameters.map((name) => this.#types.get(name));
    const last = types.findLast((type) => type?.kind === "interface");
    return last ? this.members(last) : new Map();
  }

  /** Paths whose last part is a name. */
  withName(name: string): Entry[] {
    return this.entries.values().filter((entry) => entry.name === name)
      .toArray();
  }

  /** The path nearest to what was typed. */
  near(path: string): string | undefined {
    return nearest(path, this.entries.keys());
  }
}

let loading: Promise<Docs> | undefined;

/** Reads the documentation, once. */
export function docs(): Promise<Docs> {
  loading ??= load();
  // Another try may find what was missing.
  loading.catch(() => loading = undefined);
  return loading;
}

async function load(): Promise<Docs> {
  const found = new Docs();
  const files = [...MODULES.map(([file]) => file), ...COMMANDS];
  const modules = files.map((file) => new URL(file, ROOT));
  const symbols = withTargets(await denoDoc(modules, { all: true }));
  MODULES.forEach(([, prefix], i) => found.add(symbols[i], prefix));
  symbols.slice(MODULES.length).forEach((own) => found.addCommands(own));
  return found;
}

/** The declarations themselves in the place of references to them in another of the modules. */
function withTargets(modules: readonly DocSymbol[][]): DocSymbol[][] {
  const keyOf = ({ filename, line }: Declaration["location"]) =>
    `${filename}:${line}`;
  const targets = Map.groupBy(
    modules.flat().flatMap(({ declarations }) => declarations)
      .filter(({ kind }) => kind in KINDS),
    ({ location }) => keyOf(location),
  );
  const direct = ({ name, declarations }: DocSymbol): DocSymbol => ({
    name,
    declarations: declarations.flatMap((declaration) => {
      const target = declaration.def?.target;
      const found = target && targets.get(keyOf(target));
      if (!found) return declaration;
      return found.slice(0, 1).map((own) => ({
        ...own,
        declarationKind: "export",
      }));
    }),
  });
  return modules.map((symbols) => symbols.map(direct));
}

/** A module's path from the root of the project. */
export function shortFile(file: string): string {
  return file.startsWith(ROOT.href) ? file.slice(ROOT.href.length) : file;
}

function entryOf(
  path: string,
  name: string,
  declarations: readonly Declaration[],
): Entry | undefined {
  const known = declarations.filter(({ kind }) => kind in KINDS);
  const first = known.find(({ jsDoc }) => jsDoc) ?? known[0];
  if (!first) return;
  const { def } = first;
  const made = def?.constructors?.[0];
  return {
    path,
    name,
    kind: KINDS[first.kind],
    doc: first.jsDoc ?? {},
    parameters: [
      ...typesOf(made?.params ?? def?.params ?? []),
      ...argumentsOf(def?.tsType),
    ],
    fields: fieldsOf(made?.params ?? def?.params ?? []),
    overloads: known.filter((other) => other !== first).map(placeOf),
    constructorPlace: made && placeOf(made),
    bases: basesOf(first),
    members: [
      ...(def?.properties ?? []).map((member) => memberOf(member, false)),
      ...(def?.methods ?? []).map((member) =>
        memberOf(member, member.kind === "method")
      ),
    ].filter((member) => member !== undefined),
    ...placeOf(first),
  };
}

function placeOf({ location }: Pick<Declaration, "location">): Place {
  return { file: location.filename, line: location.line };
}

function memberOf(member: DocMember, method: boolean): Member | undefined {
  const { name, jsDoc, accessibility, functionDef } = member;
  const hidden = accessibility === "private" || accessibility === "protected";
  if (hidden || name.startsWith("[") || name.startsWith("#")) return;
  return {
    name,
    method,
    doc: jsDoc ?? {},
    parameters: typesOf(functionDef?.params ?? []),
    fields: fieldsOf(functionDef?.params ?? []),
    ...placeOf(member),
  };
}

function typesOf(params: readonly DocParam[]): string[] {
  return params.map((param) => {
    const type = typeOf(param);
    return type ? nameOf(type) : "";
  });
}

function typeOf({ tsType, left, arg }: DocParam): DocType | undefined {
  return tsType ?? left?.tsType ?? arg?.tsType;
}

/** The fields of the last parameter whose type is written out. */
function fieldsOf(params: readonly DocParam[]): Member[] {
  const type = params.map(typeOf).findLast((type) =>
    type?.kind === "typeLiteral"
  );
  const literal = type?.value as
    | { readonly properties?: readonly DocMember[] }
    | undefined;
  return (literal?.properties ?? []).map(({ name, jsDoc, location }) => ({
    name,
    method: false,
    doc: jsDoc ?? {},
    parameters: [],
    fields: [],
    file: location?.filename ?? "",
    line: location?.line ?? 0,
  }));
}

function basesOf({ def }: Declaration): string[] {
  const { extends: bases } = def ?? {};
  if (bases === undefined) return [];
  return typeof bases === "string" ? [bases] : bases.map(nameOf);
}

/** The types that a type is made with: of a network's builder, its options and the network. */
function argumentsOf(type: DocType | undefined): string[] {
  const { typeParams } = (type?.value ?? {}) as {
    readonly typeParams?: readonly DocType[];
  };
  return typeParams?.map(nameOf) ?? [];
}

/** The name of a type, without its parameters. */
function nameOf({ repr, value }: DocType): string {
  const named = value as { readonly typeName?: string } | undefined;
  return named?.typeName ?? repr ?? "";
}
