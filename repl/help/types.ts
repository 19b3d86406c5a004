/** What an expression gives, told from its text and the documentation alone: nothing is run. */
import * as library from "../../mod.ts";
import type { Token } from "../scan.ts";
import { openingOf } from "./cursor.ts";
import { declarationAt } from "./declaration.ts";
import type { Docs, Entry, Member } from "./docs.ts";
import { entryOfValue } from "./topics.ts";
import { classesOf, propertyOf } from "./values.ts";

/** Where names are looked up. */
export interface Context {
  readonly scope: ReadonlyMap<string, unknown>;
  /** The documentation, read when it is first needed; undefined where that can't be done. */
  docs(): Promise<Docs | undefined>;
}

/** A value, or something that has the properties that the value would have. */
export type Found = { readonly known: boolean; readonly value?: unknown };

const UNKNOWN: Found = { known: false };

/** What the end of some tokens gives. */
export async function valueOf(
  tokens: readonly Token[],
  context: Context,
): Promise<Found> {
  const last = tokens.at(-1);
  if (last === undefined) return UNKNOWN;
  if (last.kind === "string" || last.kind === "template") {
    return { known: true, value: "" };
  }
  if (last.text === ")") return await callAt(tokens, context);
  if (last.text === "]") {
    const open = openingOf(tokens);
    const before = tokens[open - 1];
    const indexes = before?.kind === "word" || before?.text === ")" ||
      before?.text === "]";
    return indexes ? UNKNOWN : { known: true, value: [] };
  }
  if (last.kind !== "word") return UNKNOWN;
  const point = tokens.at(-2)?.text;
  if (point !== "." && point !== "?.") {
    return context.scope.has(last.text)
      ? { known: true, value: context.scope.get(last.text) }
      : UNKNOWN;
  }
  const owner = await valueOf(tokens.slice(0, -2), context);
  if (!owner.known) return UNKNOWN;
  const own = propertyOf(owner.value, last.text);
  // What has the properties of a tensor is no tensor whose shape could be asked for.
  if (own.known) return own;
  return await typeOf(await memberOf(owner, last.text, context));
}

/** What a call gives whose closing bracket is the last token. */
async function callAt(
  tokens: readonly Token[],
  context: Context,
): Promise<Found> {
  const open = openingOf(tokens);
  const callee = tokens.slice(0, open);
  const end = callee.at(-1);
  if (end?.kind !== "word") {
    return end ? UNKNOWN : await valueOf(tokens.slice(open + 1, -1), context);
  }
  const fn = await valueOf(callee, context);
  const start = startOfPath(callee);
  if (callee[start - 1]?.text === "new") {
    const made = fn.known ? propertyOf(fn.value, "prototype") : UNKNOWN;
    return made.known ? made : UNKNOWN;
  }
  if (fn.known && fn.value instanceof library.nn.Module) {
    return { known: true, value: library.Tensor.prototype };
  }
  return await typeOf(await calledAt(callee, context));
}

/** What is documented of the function, class or method that the end of some tokens names. */
export async function calledAt(
  callee: readonly Token[],
  context: Context,
): Promise<Entry | Member | undefined> {
  const docs = await context.docs();
  if (!docs) return;
  const last = callee.at(-1);
  const fn = await valueOf(callee, context);
  const entry = fn.known && typeof fn.value === "function"
    ? entryOfValue(fn.value, docs)
    : undefined;
  if (entry) return entry.kind === "class" ? docs.maker(entry) : entry;
  const point = callee.at(-2)?.text;
  if (fn.known && last && callee.length === 1) return docs.command(last.text);
  if (last === undefined || point !== "." && point !== "?.") return;
  const owner = await valueOf(callee.slice(0, -2), context);
  return await memberOf(owner, last.text, context);
}

async function memberOf(
  owner: Found,
  name: string,
  context: Context,
): Promise<Member | undefined> {
  const docs = owner.known ? await context.docs() : undefined;
  if (!docs) return;
  for (const type of classesOf(owner.value)) {
    const entry = docs.type(type);
    const member = entry && docs.members(entry).get(name);
    if (member) return member;
  }
}

/** Something that has the properties of what a function returns or a field holds. */
async function typeOf(what: Entry | Member | undefined): Promise<Found> {
  if (!what) return UNKNOWN;
  const { signature } = await declarationAt(what);
  const type = signature.match(/: (?:readonly )?([\w.]+)(<[^;]*>)?(\[\])?$/);
  const builder = signature.match(/: Builder<\w+, (\w+)>$/);
  if (builder) return prototypeOf(builder[1]);
  if (!type) return UNKNOWN;
  const [, name, , list] = type;
  if (list) return { known: true, value: [] };
  return prototypeOf(name);
}

function prototypeOf(name: string): Found {
  const { nn, zoo } = library;
  for (const holder of [library, nn, zoo, globalThis]) {
    const found = propertyOf(holder, name);
    if (!found.known || typeof found.value !== "function") continue;
    return propertyOf(found.value, "prototype");
  }
  const plain: Readonly<Record<string, unknown>> = { number: 0, string: "" };
  return name in plain ? { known: true, value: plain[name] } : UNKNOWN;
}

/** Where the path at the end of some tokens starts. */
function startOfPath(tokens: readonly Token[]): number {
  let at = tokens.length - 1;
  while (tokens[at - 1]?.text === "." && tokens[at - 2]?.kind === "word") {
    at -= 2;
  }
  return at;
}
