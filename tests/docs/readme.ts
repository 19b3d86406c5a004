/** Where the table of coverage is kept, and how. */

export const README = new URL("../../nn/README.md", import.meta.url);

/** Markdown as `deno fmt` leaves it. */
export async function formatted(text: string): Promise<string> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=md", "-"],
    cwd: new URL(".", README),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout } = await process.output();
  return new TextDecoder().decode(stdout);
}
