import { assertStringIncludes } from "@std/assert";
import { init } from "../../mod.ts";
import { libraryHost } from "../../repl/library.ts";
import { Session } from "../../repl/session.ts";
import { play } from "./transcript.ts";

Deno.test(".explain of a compiled function draws its plan, of a call what the call runs", async () => {
  await init({ seed: 0 });
  const session = new Session(libraryHost("none"));
  const text = await play(session, [
    'const net = zoo.lenet({ activation: "relu" }).eval()',
    "const run = await compile(net, [1, 1, 28, 28])",
    "run",
    ".explain run",
    "run.dispose()",
  ]);
  await session.close();
  assertStringIncludes(
    text,
    "> run\nCompiled Sequential for f32[1, 1, 28, 28]",
  );
  assertStringIncludes(text, "Sequential for [1, 1, 28, 28]\n");
  assertStringIncludes(text, "11 calls became 7");
});
