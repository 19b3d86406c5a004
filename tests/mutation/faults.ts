/**
 * Faults by mutation operators: each makes one small change in a kernel or a launch plan, of the kind that a hand slips into.
 *
 * Nothing here knows a kernel: faults are found by the tokens of the text, so the set grows and changes with the library.
 */
import { closingOf, codeOf, elementsOf, type Token } from "./lexer.ts";

/** One change: the text from `start` to `end` becomes `replacement`. */
export interface Fault {
  /** The mutation operator that made it. */
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** What an operator looks at. */
interface Source {
  readonly text: string;
  readonly language: "wgsl" | "ts";
  /** Without comments and what faults aren't made in. */
  readonly tokens: readonly Token[];
  /** Every name in the text. */
  readonly names: ReadonlySet<string>;
}

type Operator = (source: Source) => Omit<Fault, "operator">[];

/** Replaces whole tokens by a table. Operators must stand between spaces, which tells comparisons from type arguments, and minus from negation. */
function replacing(table: Readonly<Record<string, string>>): Operator {
  return ({ text, tokens, language }) =>
    tokens.flatMap((token) => {
      const { kind, start, end } = token;
      // In TypeScript these join types.
      if (language === "ts" && /^[&|]$/.test(token.text)) return [];
      if (kind !== "operator" && kind !== "name") return [];
      if (!Object.hasOwn(table, token.text)) return [];
      if (kind === "operator" && !spaced(text, token)) return [];
      return [{ start, end, replacement: table[token.text] }];
    });
}

function spaced(text: string, { start, end }: Token): boolean {
  return /\s/.test(text[start - 1] ?? "") && /\s/.test(text[end] ?? "");
}

/** An operand that binds tighter than any binary operator: `x`, `params.size`, `f(a, b)[i]`, `(a + b)`. From `first` onwards. */
function operandEnd(tokens: readonly Token[], first: number): number {
  let at = first;
  if (tokens[at]?.text === "(") at = closingOf(tokens, at);
  else if (!/^(name|number)$/.test(tokens[at]?.kind ?? "")) return -1;
  for (;;) {
    const next = tokens[at + 1];
    if (next?.text === "." || next?.text === "?.") at += 2;
    else if (
      next && (next.text === "[" || next.text === "(") &&
      next.start === tokens[at].end
    ) at = closingOf(tokens, at + 1);
    else return at;
  }
}

/** The same, ending at `last`. Only chains of names and numbers. */
function operandStart(tokens: readonly Token[], last: number): number {
  let at = last;
  for (;;) {
    if (!/^(name|number)$/.test(tokens[at]?.kind ?? "")) return -1;
    if (tokens[at - 1]?.text !== ".") return at;
    at -= 2;
  }
}

/** `a - b` becomes `b - a`; the same for `/` and `%`. */
const swapOperands: Operator = ({ text, tokens }) =>
  tokens.flatMap((token, i) => {
    if (!/^[-/%]$/.test(token.text) || !spaced(text, token)) return [];
    const first = operandStart(tokens, i - 1);
    const last = operandEnd(tokens, i + 1);
    // What binds as tightly before or tighter after would take the operands apart.
    if (first < 0 || last < 0) return [];
    if (/^[-/%*]$/.test(tokens[first - 1]?.text)) return [];
    if (/^[/%*]$/.test(tokens[last + 1]?.text)) return [];
    const a = text.slice(tokens[first].start, tokens[i - 1].end);
    const b = text.slice(tokens[i + 1].start, tokens[last].end);
    if (a === b) return [];
    return [{
      start: tokens[first].start,
      end: tokens[last].end,
      replacement: `${b} ${token.text} ${a}`,
    }];
  });

/** `a + b` becomes `a`: a base, a padding or a bias is forgotten. */
const dropTerm: Operator = ({ text, tokens }) =>
  tokens.flatMap((token, i) => {
    if (!/^[-+]$/.test(token.text) || !spaced(text, token)) return [];
    let last = operandEnd(tokens, i + 1);
    while (last >= 0 && /^[*/%]$/.test(tokens[last + 1]?.text)) {
      last = operandEnd(tokens, last + 2);
    }
    if (last < 0) return [];
    return [{
      start: tokens[i - 1].end,
      end: tokens[last].end,
      replacement: "",
    }];
  });

/** A statement such as `at += stride;` or `x[i] = v;` is forgotten. */
const dropStatement: Operator = ({ tokens }) =>
  tokens.flatMap((token, i) => {
    if (!/^([-+*/%&|^]|<<|>>)?=$/.test(token.text)) return [];
    let first = i - 1;
    while (
      first >= 0 && ![";", "{", "}"].includes(tokens[first].text)
    ) first--;
    // The end of a pattern, as in `const { a, b } = c`.
    if (first === i - 1) return [];
    const head = tokens[first + 1];
    // Declarations must stay, and so must the parts of a `for`.
    if (
      /^(let|var|const|override|alias|export|for|if|else|while|return)$/.test(
        head.text,
      )
    ) {
      return [];
    }
    let last = i;
    while (last < tokens.length && tokens[last].text !== ";") {
      const { text } = tokens[last];
      if (text === ")") return [];
      last = ["(", "[", "{"].includes(text)
        ? closingOf(tokens, last) + 1
        : last + 1;
    }
    if (last >= tokens.length || tokens[first].text === "(") return [];
    return [{ start: head.start, end: tokens[last].end, replacement: "" }];
  });

/** `if (…) { return; }` and the like vanish. */
const dropGuard: Operator = ({ tokens }) =>
  tokens.flatMap((token, i) => {
    if (token.text !== "if" || tokens[i + 1]?.text !== "(") return [];
    const open = closingOf(tokens, i + 1) + 1;
    const jump = tokens[open + 1]?.text;
    if (tokens[open]?.text === "{" && /^(return|continue|break)$/.test(jump)) {
      const close = closingOf(tokens, open);
      if (close !== open + 3 || tokens[close + 1]?.text === "else") return [];
      return [{ start: token.start, end: tokens[close].end, replacement: "" }];
    }
    if (tokens[open]?.text !== "continue") return [];
    const { end } = tokens[open + 1];
    return [{ start: token.start, end, replacement: "" }];
  });

/** A condition holds always, or never. */
const fixCondition: Operator = ({ tokens }) =>
  tokens.flatMap((token, i) => {
    if (token.text !== "if" || tokens[i + 1]?.text !== "(") return [];
    const close = closingOf(tokens, i + 1);
    return ["(true)", "(false)"].map((replacement) => ({
      start: tokens[i + 1].start,
      end: tokens[close].end,
      replacement,
    }));
  });

const dropBarrier: Operator = ({ tokens }) =>
  tokens.flatMap((token, i) =>
    /^(workgroup|storage)Barrier$/.test(token.text)
      ? [{ start: token.start, end: tokens[i + 3].end, replacement: "" }]
      : []
  );

/** A number is one off, 0 becomes 1 and 1 becomes 0; a fraction is 1 % off. */
const changeNumber: Operator = ({ tokens, language }) =>
  tokens.flatMap(({ kind, text, start, end }, i) => {
    if (kind !== "number") return [];
    const beside = [tokens[i - 1]?.text, tokens[i + 1]?.text];
    if (language === "ts" && beside.includes("|")) return [];
    const suffix = /^0[xX]/.test(text)
      ? text.match(/[iu]?$/)![0]
      : text.match(/[fhiun]?$/)![0];
    const body = text.slice(0, text.length - suffix.length).replaceAll("_", "");
    const value = Number(body);
    if (!Number.isFinite(value)) return [];
    if (/^\d+$/.test(body) || /^0[xX]/.test(body)) {
      const values = value === 0
        ? [1]
        : value === 0xffffffff
        ? [value - 1]
        : [value - 1, value + 1];
      return values.map((n) => ({ start, end, replacement: `${n}${suffix}` }));
    }
    const changed = value === 0 ? 1 : value === 1 ? 0 : value * 1.01;
    const digits = Number.isInteger(changed) ? `${changed}.0` : `${changed}`;
    return [{ start, end, replacement: digits + suffix }];
  });

/** An index is one off, as if the neighbour were meant. */
const shiftIndex: Operator = ({ text, tokens }) =>
  tokens.flatMap((token, i) => {
    if (token.text !== "[" || tokens[i - 1]?.end !== token.start) return [];
    if (!/^[\w)\]]/.test(tokens[i - 1].text)) return [];
    const close = closingOf(tokens, i);
    const index = text.slice(token.end, tokens[close]?.start);
    if (close <= i + 1 || close >= tokens.length) return [];
    return ["+", "-"].map((sign) => ({
      start: token.start,
      end: tokens[close].end,
      replacement: `[(${index}) ${sign} 1]`,
    }));
  });

/** Words of names that are taken for each other. */
const TWINS: readonly (readonly [string, string])[] = [
  ["_h", "_w"],
  ["_H", "_W"],
  ["H", "W"],
  ["_x", "_y"],
  ["height", "width"],
  ["rows", "columns"],
  ["row", "column"],
  ["ROW", "COLUMN"],
  ["START", "END"],
  ["STRIDE", "DILATION"],
  ["STRIDE", "PADDING"],
  ["stride", "dilation"],
  ["stride", "padding"],
  ["in", "out"],
  ["outer", "inner"],
  ["OUTER", "INNER"],
  ["first", "last"],
  ["top", "left"],
  ["x_", "y_"],
  ["blocks", "tiles"],
];

/** `stride_h` becomes `stride_w`, where the text has both. */
const swapTwins: Operator = ({ tokens, names }) =>
  tokens.flatMap(({ kind, text, start, end }, i) => {
    if (kind !== "name" || declares(tokens, i)) return [];
    const twins = TWINS.flatMap(([a, b]) => [
      ...(text.includes(a) ? [text.replace(a, b)] : []),
      ...(text.includes(b) ? [text.replace(b, a)] : []),
    ]).filter((twin) => twin !== text && names.has(twin));
    return [...new Set(twins)].map((replacement) => ({
      start,
      end,
      replacement,
    }));
  });

function declares(tokens: readonly Token[], i: number): boolean {
  return /^(let|var|const|override|alias|fn|function|import|type)$/
    .test(tokens[i - 1]?.text ?? "") ||
    (tokens[i + 1]?.text === ":" && tokens[i - 1]?.text !== "?");
}

/** `params.a` becomes the field that the text mentions next. */
const nextField: Operator = ({ tokens }) => {
  const fields = tokens.flatMap((token, i) =>
    token.text === "params" && tokens[i + 1]?.text === "."
      ? [tokens[i + 2]]
      : []
  );
  return fields.flatMap(({ text, start, end }, i) => {
    const other = fields.slice(i + 1).find((field) => field.text !== text);
    return other ? [{ start, end, replacement: other.text }] : [];
  });
};

const COMPONENTS: Readonly<Record<string, string>> = {
  x: "y",
  y: "x",
  z: "w",
  w: "z",
};

/** `.x` becomes `.y`. */
const swapComponents: Operator = ({ tokens, language }) =>
  tokens.flatMap(({ text, start, end }, i) =>
    language === "wgsl" && tokens[i - 1]?.text === "." &&
      Object.hasOwn(COMPONENTS, text)
      ? [{ start, end, replacement: COMPONENTS[text] }]
      : []
  );

/** Calls whose arguments may change places. */
const COMMUTATIVE = /^(min|max|combine|words|if|for|while|switch)$/;

/** Neighbouring arguments of a call, or elements of a list, change places. */
const swapArguments: Operator = ({ text, tokens, language }) =>
  tokens.flatMap((token, i) => {
    const before = tokens[i - 1];
    const call = token.text === "(" && before?.kind === "name" &&
      before.end === token.start;
    const list = token.text === "[" && language === "ts" &&
      before?.end !== token.start;
    if (!call && !list) return [];
    if (call && COMMUTATIVE.test(before.text) && before.text !== "words") {
      return [];
    }
    if (/^(fn|function)$/.test(tokens[i - 2]?.text)) return [];
    const elements = elementsOf(tokens, i).map(([a, b]) => ({
      start: tokens[a].start,
      end: tokens[b].end,
      text: text.slice(tokens[a].start, tokens[b].end),
    }));
    return elements.slice(1).flatMap((b, n) => {
      const a = elements[n];
      if (a.text === b.text || /^[{(]|=>|\.\.\./.test(a.text + b.text)) {
        return [];
      }
      return [{
        start: a.start,
        end: b.end,
        replacement: b.text + text.slice(a.end, b.start) + a.text,
      }];
    });
  });

/** The mutation operators by name. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  "boundary": replacing({ "<": "<=", "<=": "<", ">": ">=", ">=": ">" }),
  "negation": replacing({
    "==": "!=",
    "!=": "==",
    "===": "!==",
    "!==": "===",
    "&&": "||",
    "||": "&&",
  }),
  "arithmetic": replacing({
    "+": "-",
    "-": "+",
    "*": "+",
    "/": "*",
    "%": "/",
    "<<": ">>",
    ">>": "<<",
    "&": "|",
    "|": "&",
    "^": "|",
  }),
  "assignment": replacing({
    "+=": "-=",
    "-=": "+=",
    "*=": "+=",
    "/=": "*=",
    "^=": "|=",
  }),
  "function": replacing({
    min: "max",
    max: "min",
    ceil: "floor",
    floor: "ceil",
    true: "false",
    false: "true",
  }),
  "operands": swapOperands,
  "term": dropTerm,
  "statement": dropStatement,
  "guard": dropGuard,
  "condition": fixCondition,
  "barrier": dropBarrier,
  "number": changeNumber,
  "index": shiftIndex,
  "twin": swapTwins,
  "field": nextField,
  "component": swapComponents,
  "arguments": swapArguments,
};

/** Every fault that can be made in a text, ordered by operator and place. */
export function faultsIn(text: string, language: "wgsl" | "ts"): Fault[] {
  const tokens = codeOf(text, language);
  const names = new Set(
    tokens.filter(({ kind }) => kind === "name").map((token) => token.text),
  );
  const source = { text, language, tokens, names };
  return Object.entries(OPERATORS).flatMap(([operator, find]) =>
    find(source)
      .filter(({ start, end, replacement }) =>
        text.slice(start, end) !== replacement
      )
      .map((fault) => ({ operator, ...fault }))
  );
}

/** The text with a fault in it. */
export function withFault(text: string, fault: Fault): string {
  return text.slice(0, fault.start) + fault.replacement +
    text.slice(fault.end);
}
