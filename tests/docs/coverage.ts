/**
 * Writes `nn/README.md`: a row for each layer, loss, optimiser and schedule of `nn`, with what the fixtures and the tests on them cover.
 *
 * All of it is read from the fixtures that the tests run and from the documentation: nothing is ticked by hand.
 */
import {
  type Declaration,
  type DocSymbol,
  type DocType,
  documented,
  fileOf,
  parametersOf,
} from "./names.ts";
import { type Seen, seenInFixtures } from "./fixtures.ts";

/** Groups of classes, by the folder or file that they stand in. */
const GROUPS: readonly (readonly [title: string, file: RegExp])[] = [
  ["Layers", /^nn\/layers\//],
  ["Losses", /^nn\/loss\//],
  ["Optimisers", /^nn\/optim\/(?!schedule|optimizer)/],
  ["Schedules", /^nn\/optim\/schedule/],
];

/** Classes that compute nothing of their own: containers, and the bases of others. Their own tests are named. */
const WITHOUT_FIXTURE: Readonly<Record<string, string>> = {
  Sequential: "tests/nn/module_test.ts",
  ModuleList: "tests/nn/module_forms_test.ts",
  ModuleDict: "tests/nn/module_forms_test.ts",
  LRScheduler: "the base of schedules",
};

/** Functions whose layer has another name. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  pad: ["ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d"],
  interpolate: ["Upsample"],
  batchNorm: ["BatchNorm1d", "BatchNorm2d"],
  instanceNorm: ["InstanceNorm2d"],
  maxPool2dWithIndices: ["MaxPool2d"],
  adaptiveMaxPool2dWithIndices: ["AdaptiveMaxPool2d"],
  binaryCrossEntropy: ["BCELoss"],
  binaryCrossEntropyWithLogits: ["BCEWithLogitsLoss"],
  crossEntropy: ["CrossEntropyLoss"],
  klDiv: ["KLDivLoss"],
};

const HEADER = `# nn

Layers, functional forms, losses, optimisers, schedules, data and training. Names, defaults and meaning are PyTorch's, in camelCase.

Everywhere, unlike in PyTorch: what PyTorch takes by keyword stands in one options object, the last argument; layers of pictures and sequences take
batches only; there is no \`inplace\`, \`device\` or \`dtype\` argument (\`module.to("f16")\` converts).

## What the tests cover

\`deno task docs:coverage\` writes these tables from \`tests/fixtures/*.json\`, which PyTorch 1.13.1 computed, and from the documentation; a test fails when
they are out of date, or when an option doesn't occur in a fixture.

- **Cases**: calls whose results are within 1e-5 of PyTorch's largest value, on WebGPU and on the CPU device.
- **Gradients**: of those, cases in which the gradients of all inputs and parameters are within 1e-4 of the largest too.
- **Differences**: cases in which backward agrees with central differences in float64, by \`torch.autograd.gradcheck\`'s defaults (eps 1e-6, atol 1e-5, rtol
  1e-3). The gradient of the first case in each mode is differentiated again, which \`gradgradcheck\` compares as well.
`;

/** What can be covered of a class, and what is. */
interface Row {
  readonly group: string;
  readonly name: string;
  readonly functions: readonly string[];
  readonly options: readonly string[];
  readonly missing: readonly string[];
  readonly seen: Seen | undefined;
  readonly unlike: string;
}

/** A table of coverage: its text, and what it finds missing. */
export interface Coverage {
  readonly text: string;
  /** Options that no fixture has, and classes and functions without a row. */
  readonly missing: readonly string[];
}

/** Reads the fixtures and the documentation. */
export async function coverage(): Promise<Coverage> {
  const exported = await documented(["nn/mod.ts"]);
  const files = new Set(exported.map(({ declarations: [d] }) => fileOf(d)));
  const symbols = exported.filter(isExported);
  const all = await documented(
    [...files].filter((f) => f !== "nn/mod.ts"),
    true,
  );
  const types = new Map(all.map((symbol) => [symbol.name, symbol]));
  const seen = seenInFixtures();
  const functions = symbols.filter(({ declarations: [d] }) =>
    d.kind === "function" && /^nn\/(functional|loss\/)/.test(fileOf(d))
  );
  const rows = GROUPS.flatMap(([group, pattern]) =>
    symbols.filter(({ declarations: [d] }) =>
      d.kind === "class" && pattern.test(fileOf(d))
    ).sort((a, b) => a.name < b.name ? -1 : 1).map((symbol) =>
      rowOf(group, symbol, functions, types, seen.get(symbol.name))
    )
  );
  const named = new Set(rows.flatMap(({ functions }) => functions));
  const missing = [
    ...rows.flatMap(({ name, missing }) => missing.map((m) => `${name}: ${m}`)),
    ...rows.filter(({ name, seen }) => !seen && !WITHOUT_FIXTURE[name])
      .map(({ name }) => `${name}: no fixture`),
    ...functions.filter(({ name }) => !named.has(name))
      .map(({ name }) => `${name}: a function without a row`),
  ];
  const tables = GROUPS.map(([group]) =>
    tableOf(group, rows.filter((row) => row.group === group))
  );
  return { text: `${HEADER}\n${tables.join("\n")}`, missing };
}

function isExported({ declarations: [first] }: DocSymbol): boolean {
  return first.declarationKind === "export" &&
    ["class", "function"].includes(first.kind);
}

function rowOf(
  group: string,
  { name, declarations: [declaration] }: DocSymbol,
  functions: readonly DocSymbol[],
  types: ReadonlyMap<string, DocSymbol>,
  seen: Seen | undefined,
): Row {
  const forms = functions.filter((f) =>
    FORMS[f.name]?.includes(name) ??
      f.name.toLowerCase() === name.toLowerCase()
  );
  const options: string[] = [];
  const missing: string[] = [];
  constructorOf(declaration, types).forEach(({ name, type }, i) => {
    const fields = fieldsOf(type, types);
    if (!fields) {
      options.push(name);
      if (seen && i >= seen.positions) missing.push(name);
      return;
    }
    for (const [field, fieldType] of fields) {
      options.push(field);
      const values = seen?.options.get(field);
      if (seen && !values) missing.push(field);
      for (const literal of literalsOf(fieldType)) {
        if (values && !values.has(literal)) {
          missing.push(`${field} ${literal}`);
        }
      }
    }
  });
  const docs = [declaration, ...forms.map((f) => f.declarations[0])];
  return {
    group,
    name,
    functions: forms.map((f) => f.name),
    options,
    missing,
    seen,
    unlike: docs.map(unlikeOf).filter((text) => text)
      .filter((text, i, list) => list.indexOf(text) === i).join(" "),
  };
}

/** The parameters of a class's constructor, or of the nearest base's that has one. */
function constructorOf(
  declaration: Declaration,
  types: ReadonlyMap<string, DocSymbol>,
): NonNullable<ReturnType<typeof parametersOf>> {
  const own = parametersOf(declaration);
  if (own) return own;
  const base = types.get(String(declaration.def?.extends));
  return base ? constructorOf(base.declarations[0], types) : [];
}

/** The fields of an options object, its bases' first; undefined for other types. */
function fieldsOf(
  type: DocType | undefined,
  types: ReadonlyMap<string, DocSymbol>,
): [string, DocType | undefined][] | undefined {
  const name = type?.kind === "typeRef" ? type.repr : undefined;
  const found = types.get(name ?? "")?.declarations[0];
  if (found?.kind !== "interface") return undefined;
  const bases = (found.def?.extends ?? []) as readonly DocType[];
  const inherited = bases.flatMap((base) => fieldsOf(base, types) ?? []);
  const own = (found.def?.properties ?? []).map((
    { name, tsType },
  ): [string, DocType | undefined] => [name, tsType]);
  return [...inherited, ...own];
}

/** The strings that a type allows, as JSON. */
function literalsOf(type: DocType | undefined): string[] {
  if (type?.kind !== "union" || !Array.isArray(type.value)) return [];
  return (type.value as DocType[]).flatMap(({ kind, value }) => {
    const { string } = (value ?? {}) as { readonly string?: string };
    return kind === "literal" && string !== undefined
      ? [JSON.stringify(string)]
      : [];
  });
}

/** The sentences of a documentation that say what is otherwise than in PyTorch. */
function unlikeOf({ jsDoc }: Declaration): string {
  const text = (jsDoc?.doc ?? "").replaceAll("\n", " ");
  return (text.match(/Unlike (in )?PyTorch\b.*?[.](?=\s|$)/g) ?? []).join(" ");
}

function tableOf(group: string, rows: readonly Row[]): string {
  const graded = rows.some(({ seen }) => seen && seen.gradients > 0);
  const titles = graded
    ? [
      "Class",
      "Function",
      "Arguments and options, all in fixtures",
      "Cases",
      "Gradients",
      "Differences",
      "Otherwise than PyTorch",
    ]
    : [
      "Class",
      "Arguments and options, all in fixtures",
      "Cases",
      "Otherwise than PyTorch",
    ];
  const lines = rows.map((row) => {
    const { name, functions, options, missing, seen, unlike } = row;
    const listed = options.map((o) => `\`${o}\``).join(", ");
    const without = missing.length > 0 ? `; **not ${missing.join(", ")}**` : "";
    const count = (n: number | undefined) => String(n || "");
    const counts = seen
      ? [seen.cases, ...(graded ? [seen.gradients, seen.differences] : [])]
        .map(count)
      : [WITHOUT_FIXTURE[name] ?? "none", ...(graded ? ["", ""] : [])];
    return [
      `\`${name}\``,
      ...(graded ? [functions.map((f) => `\`${f}\``).join(", ")] : []),
      listed + without,
      ...counts,
      unlike,
    ];
  });
  const cells = [titles, titles.map(() => "---"), ...lines];
  const text = cells.map((line) => `| ${line.join(" | ")} |\n`).join("");
  return `### ${group}\n\n${text}`;
}
