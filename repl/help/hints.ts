/** What was probably meant: hints behind the message of an error, and for a name that gives undefined without any. */
import { types } from "node:util";
import * as library from "../../mod.ts";
import type { Shell } from "../commands/command.ts";
import { nearestName, scopeOf, valueAt } from "./names.ts";
import { classesOf, hasProperty, namesOf } from "./values.ts";

/** What a line came to: an error, or undefined. */
export interface Told {
  readonly error?: unknown;
  /** The line. */
  readonly text: string;
}

const NAME = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;
const PATH = `${NAME}(?:\\.${NAME})*`;
const NOT_DEFINED = new RegExp(`^(${NAME}) is not defined$`, "u");
const NO_PROPERTIES = /^Cannot read properties of undefined/;
const WITHOUT_NEW = new RegExp(
  `^Class constructor (${NAME}) cannot be invoked without 'new'$`,
  "u",
);
const WHOLE_PATH = new RegExp(
  `^\\s*(${PATH})\\.(${NAME})\\s*$`,
  "u",
);

/** A hint, if there is one: it goes on with the message, such as "did you mean conv2d?". */
export async function hintFor(
  { error, text }: Told,
  shell: Shell,
): Promise<string | undefined> {
  if (error === undefined) return await hintForUndefined(text, shell);
  if (!(error instanceof Error)) return;
  const { message } = error;
  const unknown = NOT_DEFINED.exec(message)?.[1];
  if (error instanceof ReferenceError && unknown !== undefined) {
    return didYouMean(nearPath(unknown, await scopeOf(shell)));
  }
  if (!(error instanceof TypeError)) return;
  const made = WITHOUT_NEW.exec(message)?.[1];
  if (made !== undefined) return `write new ${pathTo(made)}(…)`;
  if (NO_PROPERTIES.test(message)) return await hintForPaths(text, shell);
  return await hintForCall(message, shell);
}

function didYouMean(name: string | undefined): string | undefined {
  return name === undefined ? undefined : `did you mean ${name}?`;
}

/** Of an unknown name: one in reach, or one inside the library's namespaces. */
function nearPath(
  name: string,
  scope: ReadonlyMap<string, unknown>,
): string | undefined {
  const { nn, zoo, Tensor } = library;
  const inside = [
    ...Object.keys(nn).map((key) => [key, `nn.${key}`] as const),
    ...Object.keys(zoo).map((key) => [key, `zoo.${key}`] as const),
    ...namesOf(Tensor.prototype).map((key) => [key, `x.${key}`] as const),
  ];
  const exact = inside.find(([key]) => key === name);
  if (exact) return exact[1];
  const own = nearestName(name, scope.keys());
  if (own !== undefined) return own;
  const key = nearestName(name, inside.map(([key]) => key));
  return inside.find(([other]) => other === key)?.[1];
}

/** Where the library has a class, as a line writes it. */
function pathTo(name: string): string {
  if (name in library.nn) return `nn.${name}`;
  return name in library.zoo ? `zoo.${name}` : name;
}

/** `x.rehsape is not a function`: what the value has instead. */
async function hintForCall(
  message: string,
  shell: Shell,
): Promise<string | undefined> {
  const called = message.match(
    new RegExp(`(${NAME}) is not a (?:function|constructor)`, "u"),
  )?.[1];
  if (called === undefined) return;
  const path = message.match(
    new RegExp(`^(${PATH})\\.${RegExp.escape(called)} is not`, "u"),
  )?.[1];
  if (path === undefined) {
    // What a longer chain gives can't be known without running it again: most often it's a tensor.
    if (!message.includes(").")) return;
    return didYouMean(
      nearestName(called, namesOf(library.Tensor.prototype)),
    );
  }
  const owner = valueAt(await scopeOf(shell), path);
  return owner.known ? missing(path, owner.value, called) : undefined;
}

/** What to say of a property that a value hasn't got. */
function missing(
  path: string,
  value: unknown,
  name: string,
): string | undefined {
  if (types.isPromise(value)) return `${path} is a promise: await it first`;
  return didYouMean(nearestName(name, namesOf(value)));
}

/** `Cannot read properties of undefined`: the first part of a path in the line that isn't there. */
async function hintForPaths(
  text: string,
  shell: Shell,
): Promise<string | undefined> {
  const scope = await scopeOf(shell);
  for (const [path] of text.matchAll(new RegExp(PATH, "gu"))) {
    const parts = path.split(".");
    for (let end = 1; end < parts.length; end++) {
      const owner = valueAt(scope, parts.slice(0, end).join("."));
      if (!owner.known || owner.value === undefined) break;
      const hint = absent(parts.slice(0, end).join("."), owner, parts[end]);
      if (hint !== undefined) return hint;
    }
  }
}

/** `x.shpe` by itself, which JavaScript takes without a word. */
async function hintForUndefined(
  text: string,
  shell: Shell,
): Promise<string | undefined> {
  const [, path, name] = WHOLE_PATH.exec(text) ?? [];
  if (path === undefined) return;
  const owner = valueAt(await scopeOf(shell), path);
  return owner.known ? absent(path, owner, name) : undefined;
}

function absent(
  path: string,
  { value }: { readonly value?: unknown },
  name: string,
): string | undefined {
  if (value === null || value === undefined) return;
  if (hasProperty(value, name)) return;
  const hint = missing(path, value, name);
  if (hint === undefined) return;
  const [kind = "object"] = classesOf(value);
  return types.isPromise(value)
    ? hint
    : `there is no ${name} in ${path} (${kind}), ${hint}`;
}
