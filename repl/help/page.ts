/** Pages of help: what the documentation says of a name, set for a screen. */
import { paint } from "../../nn/term/style.ts";
import { declarationAt } from "./declaration.ts";
import type { JsDoc } from "./deno_doc.ts";
import {
  type Docs,
  type Entry,
  type Member,
  type Place,
  shortFile,
} from "./docs.ts";
import { exampleRows } from "./example.ts";
import { definitions, firstSentence, list, type Look, prose } from "./text.ts";

/** Fields and methods that are told one by one; more than that are only named. */
const FEW_MEMBERS = 14;

/** Longer types are left to the source. */
const LONGEST_TYPE = 20;

export interface PageOptions {
  readonly docs: Docs;
  readonly look: Look;
  /** Whether the source is shown instead of the text. */
  readonly source: boolean;
}

/** The page of a documented name. */
export async function entryPage(
  entry: Entry,
  options: PageOptions,
): Promise<string[]> {
  const { docs, look, source } = options;
  if (source) return await sourcePage(entry);
  const blocks = [await signatures(entry, docs, look)];
  blocks.push(...doc(entry.doc, look));
  if (entry.kind === "function" || entry.kind === "constant") {
    blocks.push(await optionRows(docs.options(entry), look));
  }
  if (entry.kind === "class") {
    blocks.push(await optionRows(docs.options(docs.maker(entry)), look));
    blocks.push(memberRows(docs.members(entry), look));
  }
  if (entry.kind === "interface") {
    blocks.push(await optionRows(docs.members(entry), look, "Fields"));
  }
  return joined([...blocks, ...examples(entry.doc, look), where(entry, look)]);
}

/** The page of a field or method. */
export async function memberPage(
  owner: string,
  member: Member,
  { docs, look, source }: PageOptions,
): Promise<string[]> {
  if (source) return await sourcePage(member);
  const { signature } = await declarationAt(member);
  return joined([
    signatureRows(`${owner}.${signature}`, look),
    ...doc(member.doc, look),
    await optionRows(docs.options(member), look),
    ...examples(member.doc, look),
    where(member, look),
  ]);
}

/** Blocks of rows with an empty row between them. */
export function joined(blocks: readonly (readonly string[])[]): string[] {
  return blocks.filter((rows) => rows.length > 0)
    .flatMap((rows, i) => i === 0 ? rows : ["", ...rows]);
}

/** The signature in one row, and the first sentence about it. */
export async function headline(entry: Entry, docs: Docs): Promise<string> {
  const { signature } = await declarationAt(madeAt(entry, docs));
  const row = named(entry, signature).replace(/\(\s+/g, "(")
    .replace(/,?\s*\n\s*\)/g, ")").replace(/\s+/g, " ");
  const told = firstSentence(entry.doc.doc);
  return told === "" ? row : `${row}\n${told}`;
}

/** Where the form of a call is declared: of a class it's the constructor. */
function madeAt(entry: Entry, docs: Docs): Place {
  return entry.kind === "class"
    ? docs.maker(entry).constructorPlace ?? entry
    : entry;
}

async function signatures(
  entry: Entry,
  docs: Docs,
  look: Look,
): Promise<string[]> {
  const places = [madeAt(entry, docs), ...entry.overloads];
  const texts = await Promise.all(places.map(declarationAt));
  // Of a function with overloads, the declaration that has the body is nobody's to call.
  const callable = texts.filter(({ body }) => !body);
  const shown = callable.length > 0 ? callable : texts;
  const signatures = shown.map(({ signature }) => named(entry, signature));
  return [...new Set(signatures)].flatMap((text) => signatureRows(text, look));
}

/** A signature with the name that a line would write. */
function named(entry: Entry, signature: string): string {
  const { path, name, kind } = entry;
  if (kind === "class") {
    return signature.replace(/^(?:protected )?constructor/, `new ${path}`)
      .replace(/\breadonly /g, "");
  }
  const builder = signature.match(/^const \w+: Builder<(\w+), (\w+)>/);
  if (builder) return `${path}(options?: ${builder[1]}): ${builder[2]}`;
  return signature
    .replace(/^(async )?function\*? /, "")
    .replace(new RegExp(`^((?:const )?)${name}\\b`), `$1${path}`);
}

function signatureRows(text: string, { colors }: Look): string[] {
  const [, name, rest] = text.match(/^((?:new )?[\w.]+)([\s\S]*)$/) ??
    ["", "", text];
  return `${paint(name, "bold", colors)}${rest}`.split("\n");
}

function doc({ doc: text, tags = [] }: JsDoc, look: Look): string[][] {
  const named = (tag: typeof tags[number]) =>
    tag.name ?? tag.tsType?.repr ?? "an error";
  const rows = tags
    .filter(({ kind }) => kind === "param" || kind === "throws")
    .map((tag): [string, string] => [
      tag.kind === "throws" ? `Throws ${named(tag)}` : named(tag),
      tag.doc?.trim() ?? "",
    ]);
  return [text ? prose(text, look) : [], definitions(rows, look, 0)];
}

async function optionRows(
  options: ReadonlyMap<string, Member>,
  look: Look,
  title = "Options",
): Promise<string[]> {
  if (options.size === 0) return [];
  const rows = await Promise.all([...options.values()].map(optionRow));
  return [paint(title, "bold", look.colors), ...definitions(rows, look)];
}

async function optionRow(option: Member): Promise<[string, string]> {
  const { signature } = await declarationAt(option);
  const type = signature.replace(/^[^:(]*:\s*/, "").replace(/\s+/g, " ");
  const text = (option.doc.doc ?? "").replace(/\s+/g, " ").trim()
    .replace(/\.? ?@default /, "; by default ");
  return type.length <= LONGEST_TYPE
    ? [`${option.name}: ${type}`, text]
    : [option.name, text === "" ? `\`${type}\`` : text];
}

function memberRows(
  members: ReadonlyMap<string, Member>,
  look: Look,
): string[] {
  const shown = [...members.values()].filter(({ name }) => name !== "toString");
  if (shown.length === 0) return [];
  const title = paint("Fields and methods", "bold", look.colors);
  const names = shown.map(({ name, method }) => method ? `${name}()` : name);
  if (shown.length > FEW_MEMBERS) return [title, ...list(names, look)];
  const rows = shown.map(({ doc }, i): [string, string] => [
    names[i],
    firstSentence(doc.doc),
  ]);
  return [title, ...definitions(rows, look)];
}

function examples({ tags = [] }: JsDoc, look: Look): string[][] {
  return tags.filter(({ kind }) => kind === "example").map(({ doc = "" }) => [
    paint("Example", "bold", look.colors),
    ...exampleRows(doc).map((row) => row === "" ? "" : `  ${row}`),
  ]);
}

function where({ file, line }: Entry | Member, { colors }: Look): string[] {
  return [paint(`${shortFile(file)}:${line + 1}`, "dim", colors)];
}

async function sourcePage(place: Entry | Member): Promise<string[]> {
  const { whole } = await declarationAt(place);
  return [
    `// ${shortFile(place.file)}:${place.line + 1}`,
    ...whole.split("\n"),
  ];
}
