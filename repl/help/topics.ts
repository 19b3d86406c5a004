/** What somebody who asks for help means, and the page about it. */
import * as library from "../../mod.ts";
import { paint } from "../../nn/term/style.ts";
import type { Command, Shell } from "../commands/command.ts";
import { DocError } from "./deno_doc.ts";
import { type Docs, docs, type Entry } from "./docs.ts";
import { nearestName, scopeOf, valueAt } from "./names.ts";
import { builderOf, networkPage } from "./networks.ts";
import {
  entryPage,
  headline,
  joined,
  memberPage,
  type PageOptions,
} from "./page.ts";
import { definitions, list, type Look, wrap } from "./text.ts";
import { classesOf, namesOf } from "./values.ts";

export interface TopicOptions {
  readonly source?: boolean;
}

/** The page about a name, a command, a network or what a variable holds. */
export async function topicPage(
  topic: string,
  shell: Shell,
  { source = false }: TopicOptions = {},
): Promise<string[]> {
  const look = shell.screen();
  const name = topic.trim();
  const command = commandOf(name, shell);
  if (name.startsWith(".") && !command) return await unknown(name, shell);
  const scope = await scopeOf(shell);
  const documented = await docs().catch((error) => {
    if (error instanceof DocError) return error;
    throw error;
  });
  if (documented instanceof DocError) {
    return withoutDocs(name, documented, { command, look, source, scope });
  }
  const options = { docs: documented, look, source };
  if (zooHas(name) && !scope.has(name) && !source) {
    const [builder] = documented.withName(builderOf(name));
    const more = builder ? [`?${builder.path} tells its options.`] : [];
    return joined([networkPage(name, look), more]);
  }
  const page = await documentedPage(name, scope, options);
  if (command) {
    const own = commandPage(command, look, source);
    const run = documented.command(command.name);
    const more = run ? await entryPage(run, options) : page;
    if (source) return more ?? own;
    const also = documented.withName(command.name)
      .map(({ path }) => `?${path}`).join(", ");
    const see = also && !more ? [`See also ${also}`] : [];
    return joined([own, more ?? [], see]);
  }
  if (page) return page;
  const found = valueAt(scope, name);
  if (found.known) return valuePage(name, found.value, source);
  return await unknown(name, shell, documented);
}

/** The pages of a name that the documentation has, of a field or method, or of the class of what a variable holds. */
async function documentedPage(
  name: string,
  scope: ReadonlyMap<string, unknown>,
  options: PageOptions,
): Promise<string[] | undefined> {
  const { docs, look } = options;
  // A variable hides the name that it has taken.
  const first = name.split(".")[0];
  const found = valueAt(scope, name);
  const entry = docs.entries.get(name);
  const hidden = entry && entry.kind !== "interface" &&
    entry.kind !== "type" && found.known &&
    !sameValue(found.value, entry.path);
  if (entry && !hidden) {
    return await entryPage(entry, options);
  }
  const members = namespaceEntries(name, docs);
  if (members.length > 0 && !options.source) {
    return namespacePage(name, members, look);
  }
  const inside = await insidePage(name, scope, options);
  if (inside) return inside;
  if (found.known) {
    const known = entryOfValue(found.value, docs);
    if (!known) return;
    const page = await entryPage(known, options);
    const kind = typeof found.value === "function" &&
        sameValue(found.value, known.path)
      ? known.path
      : `an instance of ${known.path}`;
    if (options.source) return page;
    return [...wrap(`${name} is ${kind}.`, look.columns), "", ...page];
  }
  if (scope.has(first)) return;
  return await shortPage(name, options);
}

/** What the library has under a name such as `nn` or `nn.init`. */
function namespaceEntries(name: string, docs: Docs): Entry[] {
  const depth = name.length + 1;
  return docs.entries.values().filter(({ path }) =>
    path.startsWith(`${name}.`) && !path.includes(".", depth)
  ).toArray();
}

function namespacePage(
  name: string,
  entries: readonly Entry[],
  look: Look,
): string[] {
  const named = (kinds: readonly string[]) =>
    entries.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  const parts: readonly (readonly [string, string[]])[] = [
    ["Classes", named(["class"])],
    ["Functions", named(["function", "constant"])],
  ];
  const blocks = parts.filter(([, names]) => names.length > 0)
    .map(([title, names]) => [
      paint(title, "bold", look.colors),
      ...list(names, look),
    ]);
  const first = entries.find(({ kind }) => kind === "class") ?? entries[0];
  return joined([...blocks, [`?${name}.${first.name} tells about one.`]]);
}

/** Of a path such as `x.reshape` or `Tensor.reshape`: the page of what the class declares. */
async function insidePage(
  name: string,
  scope: ReadonlyMap<string, unknown>,
  options: PageOptions,
): Promise<string[] | undefined> {
  const at = name.lastIndexOf(".");
  if (at < 0) return;
  const owner = valueAt(scope, name.slice(0, at));
  if (!owner.known) return;
  return await methodPage(classesOf(owner.value), name.slice(at + 1), options);
}

async function methodPage(
  classes: readonly string[],
  name: string,
  options: PageOptions,
): Promise<string[] | undefined> {
  const [nearest] = classes;
  for (const type of classes.map((name) => options.docs.type(name))) {
    const member = type && options.docs.members(type).get(name);
    if (member) return await memberPage(nearest, member, options);
  }
}

/** Of a name without what it stands in: `Conv2d` for `nn.Conv2d`, `reshape` for `Tensor.reshape`. */
async function shortPage(
  name: string,
  options: PageOptions,
): Promise<string[] | undefined> {
  const [found, ...others] = options.docs.withName(name);
  if (found) {
    const page = await entryPage(found, options);
    if (others.length === 0 || options.source) return page;
    const paths = others.map(({ path }) => `?${path}`).join(", ");
    return [...page, `See also ${paths}`];
  }
  const type = options.docs.type(name);
  if (type) return await entryPage(type, options);
  return await methodPage(["Tensor"], name, options) ??
    await methodPage(["Module"], name, options);
}

/** The entry of a function or class of the library, or of the class of one of its objects. */
export function entryOfValue(value: unknown, docs: Docs): Entry | undefined {
  if (typeof value === "function") {
    const path = pathOf(value);
    if (path !== undefined) return docs.entries.get(path);
  }
  if (
    value === null || typeof value !== "object" && typeof value !== "function"
  ) {
    return;
  }
  if (typeof value === "function" && !(value instanceof library.nn.Module)) {
    return;
  }
  const made = classesOf(value).map((name) =>
    docs.withName(name).find(({ kind, path }) =>
      kind === "class" && isInstance(value, path)
    )
  );
  return made.find((entry) => entry !== undefined);
}

/** Where the library has a value. */
function pathOf(value: unknown): string | undefined {
  const { nn, zoo } = library;
  const holders: readonly (readonly [string, object])[] = [
    ["", library],
    ["nn.", nn],
    ["zoo.", zoo],
    ["nn.init.", nn.init],
    ["nn.transforms.", nn.transforms],
  ];
  for (const [prefix, holder] of holders) {
    for (const [name, own] of Object.entries(holder)) {
      if (own === value) return `${prefix}${name}`;
    }
  }
}

function libraryValue(path: string): unknown {
  return valueAt(new Map(Object.entries(library)), path).value;
}

function sameValue(value: unknown, path: string): boolean {
  const own = libraryValue(path);
  return own === undefined || own === value;
}

function isInstance(value: unknown, path: string): boolean {
  const type = libraryValue(path);
  return typeof type === "function" && value instanceof type;
}

function zooHas(name: string): boolean {
  return library.zoo.list().includes(name);
}

function commandOf(name: string, shell: Shell): Command | undefined {
  const bare = name.replace(/^\./, "");
  return shell.commands().find(({ name }) => name === bare);
}

function commandPage(
  { name, usage, about, takes, run, global = true }: Command,
  look: Look,
  source: boolean,
): string[] {
  if (source) return sourceRows(run);
  const twin = {
    nothing: `${name}()`,
    text: `${name}("…")`,
    values: `${name}(…)`,
    body: `${name}(() => …)`,
  }[takes];
  return [
    paint(usage, "bold", look.colors),
    ...wrap(capital(about), look.columns),
    ...(global ? wrap(`As a function: ${twin}`, look.columns) : []),
  ];
}

/** What a value tells by itself. */
function valuePage(name: string, value: unknown, source: boolean): string[] {
  if (typeof value !== "function") {
    const kind = value === null || value === undefined
      ? String(value)
      : typeof value !== "object"
      ? `the ${typeof value} ${Deno.inspect(value)}`
      : `an object of ${classesOf(value)[0] ?? "no class"}`;
    const names = namesOf(value).filter((name) => !name.startsWith("_"));
    return [
      `${name} is ${kind}`,
      ...(names.length > 0 && typeof value === "object"
        ? wrap(`It has ${names.slice(0, 40).join(", ")}`, 80)
        : []),
    ];
  }
  const rows = sourceRows(value);
  if (source || rows.join("").length < 200) return rows;
  return [rows[0].replace(/\{$/, "").trim()];
}

/** The text of a function as V8 has it: its types were taken out, and the room that they took is still there. */
// deno-lint-ignore ban-types -- any function has a text
function sourceRows(value: Function): string[] {
  const [first, ...rest] = String(value).replace(/ +(?=[,)])/g, "").split("\n");
  const margins = rest.filter((row) => row.trim() !== "")
    .map((row) => row.length - row.trimStart().length);
  const margin = Math.min(...margins);
  return [first, ...rest.map((row) => row.slice(margin))];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What can be said where the documentation can't be read. */
function withoutDocs(
  name: string,
  error: DocError,
  { command, look, source, scope }: {
    readonly command: Command | undefined;
    readonly look: Look;
    readonly source: boolean;
    readonly scope: ReadonlyMap<string, unknown>;
  },
): string[] {
  if (command) return commandPage(command, look, source);
  if (zooHas(name)) return networkPage(name, look);
  const found = valueAt(scope, name);
  const own = found.known ? [...valuePage(name, found.value, source), ""] : [];
  return [...own, ...wrap(error.message, look.columns)];
}

async function unknown(
  name: string,
  shell: Shell,
  docs?: Docs,
): Promise<string[]> {
  const names = [
    ...shell.commands().map(({ name }) => `.${name}`),
    ...(await scopeOf(shell)).keys(),
    ...docs?.entries.keys() ?? [],
    ...docs?.entries.values().map(({ name }) => name) ?? [],
    ...namesOf(library.Tensor.prototype).map((name) => `Tensor.${name}`),
    ...library.zoo.list(),
  ];
  const guess = nearestName(name, names);
  const hint = guess === undefined
    ? ": .help lists the commands"
    : `, did you mean ${guess}?`;
  return [`Nothing is known of ${name}${hint}`];
}

/** The page about a value itself: `help(conv2d)`. */
export async function valueTopic(
  value: unknown,
  shell: Shell,
  { source = false }: TopicOptions = {},
): Promise<string[]> {
  const command = shell.commands().find(({ run }) => run === value);
  if (command) return await topicPage(command.name, shell, { source });
  const known = await docs();
  const entry = entryOfValue(value, known);
  const options = { docs: known, look: shell.screen(), source };
  if (entry) return await entryPage(entry, options);
  return valuePage("It", value, source);
}

/** A function or class in two rows, for the prompt that shows it as a value; undefined for what isn't the library's. */
export async function functionHeadline(
  value: unknown,
): Promise<string | undefined> {
  if (typeof value !== "function" || pathOf(value) === undefined) return;
  try {
    const known = await docs();
    const entry = entryOfValue(value, known);
    return entry && await headline(entry, known);
  } catch (error) {
    if (error instanceof DocError) return;
    throw error;
  }
}

/** All commands by family, and how to go on. */
export function overview(shell: Shell): string[] {
  const look = shell.screen();
  const families = Map.groupBy(
    shell.commands(),
    ({ family }) => family ?? "Commands",
  );
  const blocks = [...families].map(([family, commands]) => [
    paint(family, "bold", look.colors),
    ...definitions(
      commands.map(({ usage, about }) => [usage, capital(about)]),
      look,
    ),
  ]);
  return joined([
    ...blocks,
    [
      ...wrap(
        "?name tells about anything: ?conv2d, ?nn.Conv2d, ?x.reshape, ?vgg16. ??name shows its source. Tab completes names, options and files.",
        look.columns,
      ),
      ...wrap(
        "Values of lines are shown, unless a semicolon ends the line. _ is the last value, _error the last error. Ctrl-C interrupts, Ctrl-D leaves.",
        look.columns,
      ),
    ],
  ]);
}
