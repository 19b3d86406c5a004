/** Rows of text made to be looked at: shown as they are by `console.log` and at the prompt, where a string would be quoted. */
export class Drawing {
  constructor(readonly rows: readonly string[]) {}

  toString(): string {
    return this.rows.join("\n");
  }

  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}
