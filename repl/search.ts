/** Ctrl-R: a search back through what has been typed. The line editor has none, so this stands in front of its keys. */
import type { Interface } from "node:readline";

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

/** The parts of the line editor behind its public face that the search needs. */
interface Inner {
  line: string;
  cursor: number;
  _ttyWrite?(text: string, key: Key): void;
  _refreshLine?(): void;
}

interface Search {
  query: string;
  /** The entry that is shown; -1 before the first. */
  at: number;
  readonly prompt: string;
  readonly line: string;
}

/** Adds the search to a line editor. `entries` are newest first. */
export function enableSearch(
  editor: Interface,
  entries: () => readonly string[],
): void {
  const inner = editor as unknown as Inner;
  const { _ttyWrite: write, _refreshLine: refresh } = inner;
  // Without these the editor works, and Ctrl-R does nothing.
  if (write === undefined || refresh === undefined) return;
  let search: Search | undefined;

  function show(line: string, prompt: string): void {
    editor.setPrompt(prompt);
    inner.line = line;
    inner.cursor = line.length;
    refresh!.call(inner);
  }
  function find(one: Search, from: number): void {
    const list = entries();
    const at = list.findIndex((entry, i) =>
      i >= from && entry.includes(one.query)
    );
    if (at >= 0) one.at = at;
    const found = one.query !== "" && at >= 0 ? list[at] : inner.line;
    const sign = at < 0 ? "none with" : "search";
    show(found, `(${sign} \`${one.query}\`) `);
  }

  inner._ttyWrite = (text, key) => {
    if (key.ctrl && key.name === "r") {
      if (search === undefined) {
        const prompt = editor.getPrompt();
        search = { query: "", at: -1, prompt, line: inner.line };
      }
      find(search, search.at + 1);
    } else if (search === undefined) {
      write.call(inner, text, key);
    } else if (key.name === "backspace") {
      search.query = search.query.slice(0, -1);
      find(search, 0);
    } else if (text >= " " && text !== "\x7f" && !key.ctrl && !key.meta) {
      search.query += text;
      find(search, Math.max(0, search.at));
    } else {
      const { prompt, line } = search;
      const cancels = key.name === "escape" ||
        (key.ctrl === true && (key.name === "g" || key.name === "c"));
      search = undefined;
      show(cancels ? line : inner.line, prompt);
      if (!cancels) write.call(inner, text, key);
    }
  };
}
