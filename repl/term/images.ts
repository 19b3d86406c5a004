/**
 * How pictures reach the screen: as half blocks, which any terminal with colours shows, or by one of the three protocols for pixels. A choice is
 * made by `--images` ({@linkcode setImageProtocol}), else by TESSERA_IMAGES, else the environment tells what the terminal can.
 *
 * Protocols: kitty, "Terminal graphics protocol"; iTerm2, "Inline Images Protocol"; DEC, "VT330/VT340 Programmer Reference Manual", chapter 14 (sixel).
 */

export const IMAGE_PROTOCOLS = [
  "half",
  "kitty",
  "iterm",
  "sixel",
  "off",
] as const;

/** `"half"`: characters of two pixels each. `"off"`: a row of text in a picture's place. */
export type ImageProtocol = typeof IMAGE_PROTOCOLS[number];

let chosen: ImageProtocol | undefined;

/** Chooses a protocol for all pictures from now on, or with undefined leaves the choice to the environment again. */
export function setImageProtocol(protocol: ImageProtocol | undefined): void {
  chosen = protocol;
}

/** The protocol of that name. Throws a RangeError for others. */
export function imageProtocolNamed(name: string): ImageProtocol {
  const found = IMAGE_PROTOCOLS.find((protocol) => protocol === name);
  if (found) return found;
  throw new RangeError(
    `Cannot show pictures by "${name}": expected one of ${
      IMAGE_PROTOCOLS.join(", ")
    }`,
  );
}

/** The protocol of pictures at this moment. Throws a RangeError where TESSERA_IMAGES names none. */
export function imageProtocol(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): ImageProtocol {
  if (chosen) return chosen;
  const named = env("TESSERA_IMAGES");
  return named ? imageProtocolNamed(named) : detect(env);
}

/** What a terminal says of itself. tmux and screen pass on the words of the terminal around them, but not its pixels. */
function detect(env: (name: string) => string | undefined): ImageProtocol {
  const term = env("TERM") ?? "";
  const program = env("TERM_PROGRAM") ?? "";
  if (env("TMUX") || env("STY") || /^(tmux|screen)/.test(term)) return "half";
  if (env("KITTY_WINDOW_ID") || /kitty|ghostty/.test(term)) return "kitty";
  if (program === "ghostty") return "kitty";
  const iterm = program === "iTerm.app" || program === "WezTerm" ||
    env("LC_TERMINAL") === "iTerm2";
  if (iterm) return "iterm";
  if (/^(foot|mlterm|yaft)|sixel/.test(term)) return "sixel";
  return "half";
}
