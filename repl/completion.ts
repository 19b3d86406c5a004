/**
 * What Tab offers: names, properties, keys of options, networks, files and commands. It looks at values without running anything of the line or of
 * somebody's own, and at the documentation for what calls take and give.
 */
import * as library from "../mod.ts";
import type { Command, Complete, Shell } from "./commands/command.ts";
import { type Cursor, cursorAt, type OpenCall } from "./help/cursor.ts";
import { declarationAt } from "./help/declaration.ts";
import { type Docs, docs, type Member } from "./help/docs.ts";
import { scopeOf } from "./help/names.ts";
import { builderOf } from "./help/networks.ts";
import { calledAt, type Context, valueOf } from "./help/types.ts";
import { namesOf } from "./help/values.ts";

/** Commands whose text is a file, or may begin with one. */
const WITH_FILE = new Set(["load", "save", "show"]);

/** Functions whose string is a file. */
const TAKES_FILE =
  /^(load|save|show|read(Text)?File|write(Text)?File|readDir|imageFolder|swap|Worker)/;

/** Functions whose first argument is a network. */
const TAKES_NETWORK = new Set(["create", "describe", "zoo"]);

interface Completion {
  readonly items: readonly string[];
  readonly from: number;
}

/** Completes the rows of a session's prompt. */
export function completionOf(shell: Shell): Complete {
  return async (line, cursor) => {
    // Whoever presses Tab once will do so in a call: the documentation is there by then.
    knownDocs();
    const text = line.slice(0, cursor);
    const command = commandAt(text, shell);
    if (command !== undefined) return command;
    const { skipped, rest, named } = withoutCommand(text, shell);
    const { items, from } = named && WITH_FILE.has(named.name) &&
        !/^["'`]/.test(rest) &&
        (named.takes === "text" || /^[.~]?\//.test(rest))
      ? files(rest, rest.length)
      : named?.name === "zoo"
      ? startingWith(library.zoo.list(), rest.trimStart(), rest.length)
      : await expression(rest, shell, named?.name === "help");
    return { items, from: from + skipped };
  };
}

/** A command that is being named. */
function commandAt(text: string, shell: Shell): Completion | undefined {
  const [, blanks, word] = text.match(/^(\s*\??\??)(\.[A-Za-z]*)$/) ?? [];
  if (word === undefined) return;
  const names = shell.commands().map(({ name }) => `.${name}`);
  return startingWith(names, word, blanks.length + word.length);
}

/** What stands behind a command, or behind question marks. */
function withoutCommand(text: string, shell: Shell): {
  readonly skipped: number;
  readonly rest: string;
  readonly named: Pick<Command, "name" | "takes"> | undefined;
} {
  const marks = text.match(/^\s*\?\??\s*/)?.[0];
  if (marks !== undefined) {
    const named = { name: "help", takes: "text" } as const;
    return { skipped: marks.length, rest: text.slice(marks.length), named };
  }
  const [head, name] = text.match(/^\s*\.([A-Za-z]\w*)\s+/) ?? [];
  const named = shell.commands().find((command) => command.name === name);
  if (head === undefined || !named) {
    return { skipped: 0, rest: text, named: undefined };
  }
  return { skipped: head.length, rest: text.slice(head.length), named };
}

async function expression(
  text: string,
  shell: Shell,
  topics: boolean,
): Promise<Completion> {
  const cursor = cursorAt(text);
  const end = text.length;
  switch (cursor.kind) {
    case "nothing":
      return { items: [], from: end };
    case "string":
      return await inString(cursor, shell, end);
    case "key": {
      const found = startingWith(await keys(cursor, shell), cursor.word, end);
      // A variable may stand there too, as a key with its value.
      return found.items.length > 0 || cursor.word === ""
        ? found
        : await names(cursor.word, shell, end);
    }
    case "property": {
      const context = await contextOf(shell);
      const owner = await valueOf(cursor.owner, context);
      const found = owner.known ? namesOf(owner.value) : [];
      return startingWith(found.filter(isName), cursor.word, end);
    }
    case "name": {
      const more = topics
        ? [
          ...library.zoo.list(),
          ...shell.commands().map(({ name }) => name),
        ]
        : [];
      return await names(cursor.word, shell, end, more);
    }
  }
}

async function contextOf(shell: Shell): Promise<Context> {
  return { scope: await scopeOf(shell), docs: knownDocs };
}

function knownDocs(): Promise<Docs | undefined> {
  return docs().catch(() => undefined);
}

/** Names in reach. Without a first letter these are the session's own variables. */
async function names(
  word: string,
  shell: Shell,
  end: number,
  more: readonly string[] = [],
): Promise<Completion> {
  const variables = [...(await shell.variables()).keys()];
  if (word === "") return { items: variables.sort(), from: end };
  const all = [...(await scopeOf(shell)).keys(), ...more];
  return startingWith(all.filter(isName), word, end);
}

/** Keys of the options of a call, those that are there already left out. */
async function keys(
  { call, taken }: Cursor & { readonly kind: "key" },
  shell: Shell,
): Promise<string[]> {
  const options = await optionsOf(call, await contextOf(shell));
  return [...options.keys()].filter((name) => !taken.includes(name))
    .map((name) => `${name}: `);
}

async function optionsOf(
  call: OpenCall,
  context: Context,
): Promise<ReadonlyMap<string, Member>> {
  const docs = await context.docs();
  const called = await calledAt(call.callee, context);
  if (!docs || !called) return new Map();
  const own = docs.options(called);
  const builder = networkOf(call);
  if (builder === undefined) return own;
  const [entry] = docs.withName(builderOf(builder));
  const weights = docs.type("WeightsOptions");
  return new Map([
    ...(entry ? docs.options(entry) : own),
    ...(weights ? docs.members(weights) : []),
  ]);
}

/** The network that a call of the zoo is about. */
function networkOf({ callee, first }: OpenCall): string | undefined {
  if (callee.at(-1)?.text !== "create") return;
  return first.replace(/^["'`]|["'`]$/g, "");
}

async function inString(
  { word, call, key, imports }: Cursor & { readonly kind: "string" },
  shell: Shell,
  end: number,
): Promise<Completion> {
  const called = call?.callee.at(-1)?.text ?? "";
  if (/^(\.{0,2}|~)\//.test(word) || imports) return files(word, end);
  if (key === undefined && call?.argument === 0 && TAKES_NETWORK.has(called)) {
    return startingWith(library.zoo.list(), word, end);
  }
  if (key === undefined && TAKES_FILE.test(called)) return files(word, end);
  if (key === undefined || !call) return { items: [], from: end };
  return startingWith(await values(call, key, shell), word, end);
}

/** The words that an option may be. */
async function values(
  call: OpenCall,
  key: string,
  shell: Shell,
): Promise<string[]> {
  const network = networkOf(call);
  if (network !== undefined && library.zoo.list().includes(network)) {
    const { weights, variants } = library.zoo.describe(network);
    if (key === "weights") return [...weights];
    if (key === "variant") return Object.keys(variants);
  }
  const context = await contextOf(shell);
  const option = (await optionsOf(call, context)).get(key);
  if (!option) return [];
  const { signature } = await declarationAt(option);
  const named = signature.match(/: (\w+)$/)?.[1];
  const alias = named === undefined
    ? undefined
    : (await context.docs())?.type(named);
  const text = alias?.kind === "type"
    ? (await declarationAt(alias)).whole
    : signature;
  return [...text.matchAll(/"([^"]*)"/g)].map(([, word]) => word);
}

/** Files and folders whose path starts with what was typed. */
function files(word: string, end: number): Completion {
  const at = word.lastIndexOf("/") + 1;
  const [folder, start] = [word.slice(0, at), word.slice(at)];
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder === "" ? "." : folder)];
  } catch {
    return { items: [], from: end };
  }
  const found = entries
    .filter(({ name }) => !name.startsWith(".") || start.startsWith("."))
    .map(({ name, isDirectory }) => isDirectory ? `${name}/` : name);
  return {
    items: found.filter((name) => name.startsWith(start)).sort(),
    from: end - start.length,
  };
}

function isName(name: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name);
}

/** Those that start with a word, in order; where there is none but for its case, those. Names with an underscore have to be asked for. */
function startingWith(
  names: Iterable<string>,
  word: string,
  end: number,
): Completion {
  const shown = [...new Set(names)].filter((name) =>
    !name.startsWith("_") || word.startsWith("_")
  );
  const exact = shown.filter((name) => name.startsWith(word));
  const lower = word.toLowerCase();
  const items = exact.length > 0
    ? exact
    : shown.filter((name) => name.toLowerCase().startsWith(lower));
  return { items: items.sort(), from: end - word.length };
}
