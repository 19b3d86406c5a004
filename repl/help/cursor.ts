/** What somebody is typing at the end of a text: a name, a property, a key of a call's options, or a string, and in which call. */
import { scan, type Token } from "../scan.ts";

/** A call whose brackets are open. */
export interface OpenCall {
  /** Tokens up to the opening bracket, without it: their end is what is called. */
  readonly callee: readonly Token[];
  /** Which argument is being typed, from 0. */
  readonly argument: number;
  /** The text of the first argument, as far as it is there. */
  readonly first: string;
}

export type Cursor =
  /** Inside a string, which starts behind its quote. */
  | {
    readonly kind: "string";
    readonly word: string;
    readonly call: OpenCall | undefined;
    /** The key whose value it is. */
    readonly key: string | undefined;
    /** Whether it names a module to import. */
    readonly imports: boolean;
  }
  /** A key of an object that is an argument. */
  | {
    readonly kind: "key";
    readonly word: string;
    readonly call: OpenCall;
    /** Keys that are there already. */
    readonly taken: readonly string[];
  }
  /** Behind a point: tokens of what stands before it. */
  | {
    readonly kind: "property";
    readonly word: string;
    readonly owner: readonly Token[];
  }
  | { readonly kind: "name"; readonly word: string }
  /** Nothing can be completed: a comment, a number, a declaration's new name. */
  | { readonly kind: "nothing" };

/** Words behind which a new name is made up. */
const DECLARES = new Set([
  "const",
  "let",
  "var",
  "function",
  "class",
  "enum",
  "interface",
  "type",
]);

export function cursorAt(text: string): Cursor {
  const { tokens, unterminated } = scan(text);
  if (unterminated === "comment") return { kind: "nothing" };
  const last = tokens.at(-1);
  const string = openString(text, last, unterminated);
  if (string !== undefined) return stringAt(tokens.slice(0, -1), string);
  const behind = text.slice(last ? last.start + last.text.length : 0);
  if (/\/\/[^\n]*$/.test(behind)) return { kind: "nothing" };
  const touches = last !== undefined && behind === "";
  const typing = touches && last.kind === "word";
  const word = typing ? last.text : "";
  const before = typing ? tokens.slice(0, -1) : tokens;
  if (touches && last.kind === "number") return { kind: "nothing" };
  const mark = before.at(-1)?.text;
  if (mark === "." || mark === "?.") {
    return { kind: "property", word, owner: before.slice(0, -1) };
  }
  if (mark !== undefined && DECLARES.has(mark)) return { kind: "nothing" };
  return keyAt(before, word) ?? { kind: "name", word };
}

/** What was typed of a string without its end. */
function openString(
  text: string,
  last: Token | undefined,
  unterminated: string | undefined,
): string | undefined {
  if (last === undefined) return;
  const template = unterminated === "template" && last.text.startsWith("`");
  const quoted = last.kind === "string" &&
    last.start + last.text.length === text.length &&
    (last.text.length === 1 || !endsString(last.text));
  return template || quoted ? last.text.slice(1) : undefined;
}

function endsString(text: string): boolean {
  const [, slashes] = text.match(/(\\*).$/s)!;
  return text.at(-1) === text[0] && slashes.length % 2 === 0;
}

function stringAt(before: readonly Token[], word: string): Cursor {
  const [second, mark] = before.slice(-2);
  const isKey = mark?.text === ":";
  const call = openCall(before);
  const imports = before.at(-1)?.text === "from" ||
    before.at(-1)?.text === "import" ||
    (call?.callee.at(-1)?.text === "import");
  return {
    kind: "string",
    word,
    call,
    key: isKey ? second.text.replace(/^["']|["']$/g, "") : undefined,
    imports,
  };
}

/** A key, if the text stands right inside the braces of an argument. */
function keyAt(before: readonly Token[], word: string): Cursor | undefined {
  const mark = before.at(-1)?.text;
  if (mark !== "{" && mark !== ",") return;
  const brace = lastOpen(before);
  if (brace === undefined || before[brace].text !== "{") return;
  const outside = before[brace - 1]?.text;
  if (outside !== "(" && outside !== ",") return;
  const call = openCall(before.slice(0, brace));
  if (!call) return;
  const depth = before[brace].depth + 1;
  const taken = before.slice(brace + 1).filter((token, i, inside) =>
    token.depth === depth && token.kind === "word" &&
    (i === 0 || inside[i - 1].text === "," && inside[i - 1].depth === depth)
  ).map(({ text }) => text);
  return { kind: "key", word, call, taken };
}

/** The position of the innermost bracket that is open at the end. */
function lastOpen(tokens: readonly Token[]): number | undefined {
  let closed = 0;
  for (let i = tokens.length - 1; i >= 0; i--) {
    const { kind, text } = tokens[i];
    if (kind !== "punctuator") continue;
    if (text === ")" || text === "]" || text === "}") closed++;
    else if (text === "(" || text === "[" || text === "{") {
      if (closed === 0) return i;
      closed--;
    }
  }
}

/** The innermost call that is open, also from inside an object or array among its arguments. */
function openCall(tokens: readonly Token[]): OpenCall | undefined {
  let inside = tokens;
  for (let at = lastOpen(inside); at !== undefined; at = lastOpen(inside)) {
    const callee = inside.slice(0, at);
    const end = callee.at(-1);
    const called = end?.kind === "word" || end?.text === ")" ||
      end?.text === "]";
    if (inside[at].text === "(" && called) {
      const depth = inside[at].depth + 1;
      const given = tokens.slice(at + 1);
      const commas = given.filter(({ text, depth: d }) =>
        text === "," && d === depth
      );
      return {
        callee,
        argument: commas.length,
        first: given[0]?.text ?? "",
      };
    }
    inside = callee;
  }
}

/** The position of the bracket that a closing one at the end belongs to. */
export function openingOf(tokens: readonly Token[]): number {
  const last = tokens[tokens.length - 1];
  return tokens.findLastIndex(({ kind, depth, text }) =>
    kind === "punctuator" && depth === last.depth && "([{".includes(text)
  );
}
