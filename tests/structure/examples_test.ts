import { assertEquals } from "@std/assert";
import {
  type Declaration,
  type DocSymbol,
  documented,
  fileOf,
} from "../docs/names.ts";

/** Kinds of names that do something; types are shown by those that take them. */
const ACTIVE = ["class", "function", "variable"];

function hasExample({ jsDoc }: Pick<Declaration, "jsDoc">): boolean {
  return jsDoc?.tags?.some(({ kind }) => kind === "example") ?? false;
}

/** Public names of `symbols` and of the namespaces among them that have no example, nor a method with one, with their files. */
function withoutExample(symbols: readonly DocSymbol[], prefix = ""): string[] {
  return symbols.flatMap(({ name, declarations }) => {
    const path = `${prefix}${name}`;
    const inner = declarations.flatMap(({ def, kind }) =>
      kind === "namespace" ? def?.elements ?? [] : []
    );
    const shown = declarations.some((declaration) =>
      hasExample(declaration) || declaration.def?.methods?.some(hasExample)
    );
    const [first] = declarations.filter(({ kind, declarationKind }) =>
      ACTIVE.includes(kind) && declarationKind === "export"
    );
    const own = first && !shown ? [`${path} in ${fileOf(first)}`] : [];
    return [...own, ...withoutExample(inner, `${path}.`)];
  });
}

/** Files of which some exported name has an example. */
function filesWithExample(symbols: readonly DocSymbol[]): Set<string> {
  const shown = symbols.flatMap(({ declarations }) =>
    declarations.filter(hasExample)
  );
  return new Set(shown.map(fileOf));
}

Deno.test("every public function, class and constant has an example", async () => {
  const [whole, inner] = [
    await documented(["mod.ts"]),
    await documented(["nn/mod.ts"]),
  ];
  assertEquals(
    [...new Set([...withoutExample(whole), ...withoutExample(inner)])],
    [],
  );
});

Deno.test("every architecture has an example: its sizes differ by a number or two", async () => {
  const zoo = await documented(["zoo/mod.ts"]);
  const shown = filesWithExample(zoo);
  const lacking = zoo.filter(({ declarations: [{ kind }] }) =>
    ACTIVE.includes(kind)
  ).map(({ declarations: [first] }) => fileOf(first))
    .filter((file) => !shown.has(file));
  assertEquals([...new Set(lacking)], []);
});

Deno.test("the guard of examples looks into namespaces, and at every overload", () => {
  const declared = (kind: string, name: string, examples: number) => ({
    name,
    declarations: [{
      kind,
      declarationKind: "export",
      location: {
        filename: new URL("../../a.ts", import.meta.url).href,
        line: 0,
      },
      jsDoc: { tags: Array(examples).fill({ kind: "example" }) },
    }],
  });
  const overloads = {
    name: "g",
    declarations: [
      ...declared("function", "g", 0).declarations,
      ...declared("function", "g", 1).declarations,
    ],
  };
  const [space] = [declared("namespace", "inner", 0)].map((symbol) => ({
    ...symbol,
    declarations: [{
      ...symbol.declarations[0],
      def: { elements: [declared("class", "Bare", 0)] },
    }],
  }));
  const symbols = [
    declared("function", "f", 0),
    declared("interface", "Options", 0),
    declared("function", "h", 1),
    overloads,
    space,
  ];
  assertEquals(withoutExample(symbols), ["f in a.ts", "inner.Bare in a.ts"]);
});
