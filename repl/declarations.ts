/**
 * Makes every declaration of a line one that a later line can make again in any form.
 *
 * V8 lets `let` follow `let` or `class`, and `const` follow `const`, but nothing else, and a name that `function` took is taken for good. Somebody
 * who tries things out writes `const net = …` and then `let net = …`, so `const` and `function` at the top of a line become `let`. The price:
 * a constant of an earlier line can be assigned to.
 */
import { scan, type Token } from "./scan.ts";

/** `code` is JavaScript, without types. Rows keep their numbers. */
export function relaxDeclarations(code: string): string {
  const { tokens } = scan(code);
  let result = "";
  let at = 0;
  function replace(start: number, end: number, text: string) {
    result += code.slice(at, start) + text;
    at = end;
  }
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    const previous = tokens[i - 1];
    if (token.depth > 0) continue;
    if (token.text === "const" && previous?.text !== ".") {
      // With as many characters, so that columns stay.
      replace(token.start, token.start + "const".length, "let  ");
      continue;
    }
    if (!startsStatement(previous)) continue;
    const keyword = i + (token.text === "async" ? 1 : 0);
    if (tokens[keyword]?.text !== "function") continue;
    const name = keyword + (tokens[keyword + 1]?.text === "*" ? 2 : 1);
    const end = tokens.findIndex((other, j) =>
      j > name && other.depth === 0 && other.text === "}"
    );
    if (tokens[name]?.kind !== "word" || end < 0) continue;
    // Without its own name inside, a function that calls itself calls the newest of that name.
    replace(token.start, token.start, `let ${tokens[name].text} = `);
    replace(tokens[name].start, tokens[name + 1].start, "");
    replace(tokens[end].start + 1, tokens[end].start + 1, ";");
    i = end;
  }
  return result + code.slice(at);
}

/** The variables that are declared with an expression behind them which isn't awaited and calls something, so that they may hold a promise. */
export function declaredNames(code: string): string[] {
  const { tokens } = scan(code);
  return tokens.flatMap((token, i) => {
    const [name, sign, first] = tokens.slice(i + 1, i + 4);
    const declares = token.depth === 0 &&
      ["const", "let", "var"].includes(token.text) &&
      name?.kind === "word" && sign?.text === "=" && first?.text !== "await" &&
      tokens.some(({ start, text }) => start > sign.start && text === "(");
    return declares ? [name.text] : [];
  });
}

/** Whether a function declaration can begin here; elsewhere the word starts an expression. */
function startsStatement(previous: Token | undefined): boolean {
  return previous === undefined || [";", "}"].includes(previous.text);
}
