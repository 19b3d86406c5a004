/** The tensor library as the session sees it: its names, and how its values are shown. */
import { rememberPlaces } from "../core/places.ts";
import { preview } from "../core/preview.ts";
import { onInterrupt } from "../core/runtime.ts";
import * as library from "../mod.ts";
import { commandsOf } from "./commands/mod.ts";
import { completionOf } from "./completion.ts";
import { lossAdvice, startSeed } from "./device.ts";
import { hintFor } from "./help/hints.ts";
import { functionHeadline } from "./help/topics.ts";
import type { Host } from "./session.ts";
import { pictures } from "./term/picture.ts";
import { saveImage } from "./term/save.ts";
import { type Colors, type Screen, standardOutput } from "../nn/term/screen.ts";
import { trainingProgress } from "../nn/term/training.ts";

/** How deep inside a value tensors are looked for to show their elements, and how many are read. */
const READ_DEPTH = 3;
const READ_COUNT = 16;

/** The host of a session with every name of the library, and drawing. */
export function libraryHost(colors: Colors): Host {
  rememberPlaces(false);
  return {
    // What `save` does with a value, where a command of that name writes lines.
    globals: { ...library, pictures, save: saveImage, trainingProgress },
    live: () => library.memory().tensors,
    liveBytes: () => library.memory().bytes,
    onInterrupt,
    show: (value) => display(value, { ...standardOutput(), colors }),
    commands: commandsOf,
    complete: completionOf,
    hint: (shell) => (told) => hintFor(told, shell),
    advise: lossAdvice,
    reset: () => library.seed(startSeed() ?? 0),
  };
}

/** The text of a value, with the elements of the tensors inside it. They are read together. */
export async function display(
  value: unknown,
  { colors, columns }: Pick<Screen, "colors" | "columns">,
): Promise<string> {
  const told = await functionHeadline(value);
  if (told !== undefined) return told;
  await preview(tensorsIn(value));
  return Deno.inspect(value, {
    colors: colors !== "none",
    depth: 4,
    breakLength: columns,
  });
}

/** The tensors whose elements the text of a value needs. */
function tensorsIn(value: unknown): library.Tensor[] {
  const found: library.Tensor[] = [];
  const seen = new Set<unknown>();
  function look(inside: unknown, depth: number): void {
    if (typeof inside !== "object" || inside === null || seen.has(inside)) {
      return;
    }
    seen.add(inside);
    if (inside instanceof library.Tensor) {
      if (!inside.disposed && found.length < READ_COUNT) found.push(inside);
    } else if (depth < READ_DEPTH && !ArrayBuffer.isView(inside)) {
      const parts = inside instanceof Map || inside instanceof Set
        ? inside.values()
        : Object.values(inside);
      for (const part of parts) look(part, depth + 1);
    }
  }
  look(value, 0);
  return found;
}
