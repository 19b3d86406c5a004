/** The zoo at the prompt: its networks in a table, or one of them. */
import * as zoo from "../../zoo/mod.ts";
import { paint } from "../../nn/term/style.ts";
import { tableRows } from "../../nn/term/table.ts";
import { grouped } from "../../nn/term/units.ts";
import { definitions, type Look } from "./text.ts";

/** A row for each network. */
export function networksTable({ columns }: Look): string[] {
  const rows = zoo.list().map((name) => {
    const { parameters, input, paper, weights } = zoo.describe(name);
    const { authors, year } = paperOf(paper);
    const [first] = authors.split(/,| and | et al/);
    return [
      name,
      grouped(parameters),
      input.join("×"),
      `${first} ${year}`,
      weights.join(", "),
    ];
  });
  const heads = [
    { head: "network" },
    { head: "parameters", align: "right" },
    { head: "input", align: "right" },
    { head: "paper", cut: true },
    { head: "weights", cut: true },
  ] as const;
  return tableRows(heads, rows, { columns });
}

/** What is known of one network. */
export function networkPage(name: string, look: Look): string[] {
  const { parameters, input, paper, variants, weights } = zoo.describe(name);
  const { authors, year, url } = paperOf(paper);
  const title = paint(`zoo.create("${name}")`, "bold", look.colors);
  const forms = Object.entries(variants).map(([form, text], i) =>
    `${form}${
      i === 0 && Object.keys(variants).length > 1 ? " (default)" : ""
    }: ${text}`
  );
  const facts: [string, string][] = [
    ["parameters", grouped(parameters)],
    ["input", `[N, ${input.join(", ")}]`],
    ["paper", `${authors} ${year}, ${url}`],
    ...forms.map((text, i): [string, string] => [
      i === 0 ? "variants" : "",
      text,
    ]),
    [
      "weights",
      weights.length === 0
        ? "none are published"
        : `${weights.join(", ")}: await zoo.create("${name}", { weights: "${
          weights[0]
        }" })`,
    ],
  ];
  return [title, ...definitions(facts, look)];
}

/** The function that builds a network, where it is called like the network. */
export function builderOf(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function paperOf(
  paper: string,
): { readonly authors: string; readonly year: string; readonly url: string } {
  const [, authors = paper, year = "", url = ""] =
    paper.match(/^(.*?) (\d{4}), (\S+)$/) ?? [];
  return { authors, year, url };
}
