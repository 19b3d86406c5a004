/**
 * A scanner for JavaScript and TypeScript text: tokens with their bracket depth, and whether the text stops inside a template or a comment.
 *
 * It is no parser. It knows just enough (strings, templates, comments, regular expressions, brackets) to find import statements, to see whether
 * a line ends with a semicolon, and to tell whether an error lies behind the last token. What the text means is left to the real parsers.
 */

/** A piece of the text between blanks and comments. A template gives one token for each stretch between its `${…}` parts. */
export interface Token {
  readonly kind:
    | "word"
    | "number"
    | "string"
    | "template"
    | "regex"
    | "punctuator";
  readonly text: string;
  /** Offset of its first character. */
  readonly start: number;
  /** How many brackets are open around it; a bracket itself has the depth outside of it. */
  readonly depth: number;
}

export interface Scan {
  readonly tokens: readonly Token[];
  /** Set when the text stops inside a comment or a template. */
  readonly unterminated?: "comment" | "template";
  /** Whether each bracket that was opened is closed. */
  readonly closed: boolean;
}

const BLANKS = /\s+/uy;
const LINE_COMMENT = /\/\/[^\n]*/y;
const BLOCK_COMMENT = /\/\*[\s\S]*?(\*\/|$)/y;
const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /(?:\d|\.\d)[\w.]*/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?/y;
const REGEX =
  /\/(?:[^/\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+\/[\p{ID_Continue}]*/uy;
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
const PUNCTUATOR = /=>|\+\+|--|\?\.|\.\.\.|[\s\S]/uy;

/** Words after which a slash starts a regular expression; after any other word it divides. */
const BEFORE_EXPRESSION = new Set([
  "await",
  "case",
  "delete",
  "do",
  "else",
  "in",
  "instanceof",
  "new",
  "of",
  "return",
  "throw",
  "typeof",
  "void",
  "yield",
]);

function startsExpression(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.kind === "word") return BEFORE_EXPRESSION.has(previous.text);
  if (previous.kind !== "punctuator") return false;
  return ![")", "]", "}", "++", "--"].includes(previous.text);
}

export function scan(text: string): Scan {
  const tokens: Token[] = [];
  // What closes each open bracket; "`" stands for the `}` that goes back into a template.
  const open: string[] = [];
  let at = 0;

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }
  function push(kind: Token["kind"], start: number, depth = open.length) {
    tokens.push({ kind, text: text.slice(start, at), start, depth });
  }
  /** From a backtick, or from the `}` of a `${…}`, to the next backtick or `${`. */
  function template(start: number): boolean {
    match(TEMPLATE_PART);
    const closed = text[at] === "`";
    if (!closed && at >= text.length) {
      push("template", start);
      return false;
    }
    at += closed ? 1 : 2;
    push("template", start);
    if (!closed) open.push("`");
    return true;
  }

  while (at < text.length) {
    const start = at;
    if (match(BLANKS) !== undefined || match(LINE_COMMENT) !== undefined) {
      continue;
    }
    const comment = match(BLOCK_COMMENT);
    if (comment !== undefined) {
      if (comment.length >= 4 && comment.endsWith("*/")) continue;
      return { tokens, unterminated: "comment", closed: false };
    }
    if (match(WORD) !== undefined) push("word", start);
    else if (match(NUMBER) !== undefined) push("number", start);
    else if (match(STRING) !== undefined) push("string", start);
    else if (startsExpression(tokens.at(-1)) && match(REGEX) !== undefined) {
      push("regex", start);
    } else {
      const mark = match(PUNCTUATOR)!;
      if (mark === "`" || (mark === "}" && open.at(-1) === "`")) {
        if (mark === "}") open.pop();
        if (!template(start)) {
          return { tokens, unterminated: "template", closed: false };
        }
      } else if (mark === "(" || mark === "[" || mark === "{") {
        push("punctuator", start);
        open.push(mark);
      } else {
        if (mark === ")" || mark === "]" || mark === "}") open.pop();
        push("punctuator", start);
      }
    }
  }
  return { tokens, closed: open.length === 0 };
}
