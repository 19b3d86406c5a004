/** The REPL, `deno task repl`: a session of TypeScript with the library's names in it, from the terminal, from files, or from a pipe. */
import { run } from "./cli.ts";
import { deviceText, openDevice } from "./device.ts";
import { libraryHost } from "./library.ts";
import { VERSION } from "./version.ts";

if (import.meta.main) {
  run(Deno.args, async ({ seed, colors }) => {
    await openDevice({
      ...(seed === undefined ? {} : { seed }),
      log: console.error,
    });
    return {
      host: libraryHost(colors),
      banner: [
        `Tessera ${VERSION} on ${deviceText()}`,
        "nn, zoo, randn, show and the rest are there; .help, ?name, Ctrl-D leaves",
      ],
    };
  });
}
