import { indented } from "../../core/print.ts";

/** Rows of text made to be looked at: shown as they are by `console.log` and at the prompt, where a string would be quoted. */
export class Drawing {
  constructor(readonly rows: readonly string[]) {}

  toString(): string {
    return this.rows.join("\n");
  }

  [Symbol.for("Deno.customInspect")](
    _inspect: unknown,
    options?: object,
  ): string {
    return indented(this.toString(), options);
  }
}

/** Facts that are shown as rows of text: what they hold can be read from their fields. */
export abstract class Report {
  /** The rows, cut to the columns of a screen where they can be. */
  abstract rows(columns?: number): string[];

  /** All rows, uncut. */
  toString(): string {
    return this.rows().join("\n");
  }

  [Symbol.for("Deno.customInspect")](
    _inspect?: unknown,
    options?: { readonly breakLength?: number },
  ): string {
    return this.rows(options?.breakLength).join("\n");
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
