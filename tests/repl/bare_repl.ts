/** The REPL without the library, so that tests of the terminal need no device. */
import { run } from "../../repl/cli.ts";
import type { Host } from "../../repl/session.ts";
import { BARE_HOST } from "./transcript.ts";

let interrupted = () => false;

/** Asks what the library asks before each operation. */
function step(): void {
  if (interrupted()) throw new Error("Interrupted in the library");
}

const host: Host = {
  ...BARE_HOST,
  globals: { step },
  onInterrupt: (question) => interrupted = question,
};

run(
  Deno.args,
  () => Promise.resolve({ host, banner: ["banner 1", "banner 2"] }),
);
