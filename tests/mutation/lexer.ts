/** Cuts WGSL and TypeScript into the tokens that faults are made of. Comments and strings are whole tokens, so nothing in them is changed. */

/** A token and where it stands in its text. */
export interface Token {
  readonly kind: "name" | "number" | "operator" | "string" | "comment";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const PATTERN = new RegExp(
  [
    String.raw`(?<comment>//[^\n]*|/\*[\s\S]*?\*/)`,
    String
      .raw`(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|${"`"}(?:[^${"`"}\\]|\\.)*${"`"})`,
    String.raw`(?<name>[A-Za-z_$][\w$]*)`,
    String
      .raw`(?<number>0[xX][\da-fA-F]+[iu]?|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fhiun]?)`,
    String
      .raw`(?<operator>===|!==|>>>=?|<<=|>>=|\*\*=?|\.\.\.|=>|->|\?\?=?|\?\.|&&=?|\|\|=?|\+\+|--|<<|>>|[-+*/%&|^<>=!]=|[^\s])`,
  ].join("|"),
  "g",
);

/** The tokens of a text, in order; white space is left out. */
export function tokensOf(text: string): Token[] {
  return [...text.matchAll(PATTERN)].map((match) => {
    const [kind] = Object.entries(match.groups ?? {}).find(([, found]) =>
      found !== undefined
    ) as [Token["kind"], string];
    const start = match.index;
    return { kind, text: match[0], start, end: start + match[0].length };
  });
}

const OPENING = ["(", "[", "{"];
const CLOSING = [")", "]", "}"];

/** Position of the bracket that closes the one at `open`, or the number of tokens if none does. */
export function closingOf(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i].kind !== "operator") continue;
    if (OPENING.includes(tokens[i].text)) depth++;
    if (CLOSING.includes(tokens[i].text) && --depth === 0) return i;
  }
  return tokens.length;
}

/** The elements between the bracket at `open` and the one that closes it, as pairs of first and last token. */
export function elementsOf(
  tokens: readonly Token[],
  open: number,
): [number, number][] {
  const close = closingOf(tokens, open);
  const elements: [number, number][] = [];
  let first = open + 1;
  for (let i = first; i <= close && i < tokens.length; i++) {
    if (OPENING.includes(tokens[i].text) && tokens[i].kind === "operator") {
      i = closingOf(tokens, i);
    } else if (i === close || tokens[i].text === ",") {
      if (i > first) elements.push([first, i - 1]);
      first = i + 1;
    }
  }
  return elements;
}

/** The parts of a text that faults are made in: what is left after comments, and in TypeScript after all that isn't a launch plan. */
export function codeOf(text: string, language: "wgsl" | "ts"): Token[] {
  const tokens = tokensOf(text).filter(({ kind }) => kind !== "comment");
  return language === "wgsl" ? kernelCode(tokens) : planCode(tokens);
}

/** Leaves out attributes such as `@binding(1)`, whose faults don't compile, and declarations of types. */
function kernelCode(tokens: readonly Token[]): Token[] {
  const kept: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const { text } = tokens[i];
    if (text === "@") {
      i++;
      if (tokens[i + 1]?.text === "(") i = closingOf(tokens, i + 1);
    } else if (text === "struct") {
      i = closingOf(tokens, i + 2);
    } else kept.push(tokens[i]);
  }
  return kept;
}

/** Members and functions that aren't part of a launch plan: the shape rule, the oracle, the derivative, and figures for the bench. */
const NOT_PLAN = /^(infer|reference\w*|gradient|rule|flops|bytes|label)$/;

function planCode(tokens: readonly Token[]): Token[] {
  const kept: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const { text, kind } = tokens[i];
    const before = tokens[i - 1];
    if (kind === "name" && (text === "import" || text === "interface")) {
      while (i < tokens.length && tokens[i].text !== ";") {
        if (tokens[i].text === "{") {
          i = closingOf(tokens, i);
          if (text === "interface") break;
        }
        i++;
      }
    } else if (kind === "name" && text === "throw") {
      while (i < tokens.length && tokens[i].text !== ";") i++;
    } else if (
      kind === "name" && NOT_PLAN.test(text) && before?.text !== "."
    ) {
      if (before?.text === "function") kept.pop();
      i = endOfMember(tokens, i);
    } else kept.push(tokens[i]);
  }
  return withoutUnused(kept);
}

/** Leaves out functions that nothing is left to call: those that only the shape rule, the oracle or the derivative called. */
function withoutUnused(tokens: Token[]): Token[] {
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i].text !== "function" || tokens[i - 1]?.text === "export") {
      continue;
    }
    const open = tokens.findIndex((t, at) => at > i && t.text === "(");
    const body = open < 0 ? undefined : bodyAfter(tokens, open);
    if (body === undefined) continue;
    const rest = tokens.toSpliced(i, closingOf(tokens, body) + 1 - i);
    const { text } = tokens[i + 1];
    if (!rest.some((t) => t.text === text)) return withoutUnused(rest);
  }
  return tokens;
}

/** Last token of the member or function whose name is at `i`: its body, or its value up to the comma. A mere mention is its own end. */
function endOfMember(tokens: readonly Token[], i: number): number {
  const next = tokens[i + 1]?.text;
  if (next === "(" && bodyAfter(tokens, i + 1) !== undefined) {
    return closingOf(tokens, bodyAfter(tokens, i + 1)!);
  }
  if (next !== ":" && next !== "=" && next !== "+=") return i;
  for (let at = i + 2; at < tokens.length; at++) {
    const { text, kind } = tokens[at];
    if (kind !== "operator") continue;
    if (OPENING.includes(text)) at = closingOf(tokens, at);
    else if ([",", ";", ...CLOSING].includes(text)) return at - 1;
  }
  return tokens.length;
}

/** The brace that opens a body after the parameters at `open`, if this is a declaration. Result types may have brackets of their own. */
function bodyAfter(
  tokens: readonly Token[],
  open: number,
): number | undefined {
  let at = closingOf(tokens, open) + 1;
  if (tokens[at]?.text !== ":") {
    return tokens[at]?.text === "{" ? at : undefined;
  }
  for (at++; at < tokens.length; at++) {
    const { text } = tokens[at];
    if ([",", ";", ...CLOSING].includes(text)) return undefined;
    if (!OPENING.includes(text)) continue;
    const close = closingOf(tokens, at);
    const ends = /^[{[|&=]|=>$/.test(tokens[close + 1]?.text ?? "");
    if (text === "{" && !ends) return at;
    at = close;
  }
  return undefined;
}
