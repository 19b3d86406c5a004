/** Reads back what terminals are sent: pictures by kitty's protocol, by iTerm2's, and sixel. */

/** A file that a terminal is to show, and on how many columns and rows. */
export interface Sent {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly columns: number;
  readonly rows: number;
}

/** The file in kitty's commands, whose form is checked on the way. */
export function readKitty(text: string): Sent {
  // deno-lint-ignore no-control-regex -- the codes are what is looked for
  const commands = [...text.matchAll(/\x1b_G([^;]*);([^\x1b]*)\x1b\\/g)];
  const whole = commands.map(([command]) => command).join("");
  if (whole !== text || commands.length === 0) {
    throw new Error("there is something between the commands");
  }
  const keys = commands.map(([, pairs]) =>
    new Map(pairs.split(",").map((pair) => pair.split("=") as [string, string]))
  );
  const [first] = keys;
  const wanted = { a: "T", f: "100", q: "2" };
  for (const [key, value] of Object.entries(wanted)) {
    if (first.get(key) !== value) throw new Error(`${key} isn't ${value}`);
  }
  keys.forEach((map, i) => {
    const more = i < keys.length - 1 ? "1" : "0";
    if (map.get("m") !== more) throw new Error(`m of command ${i} is wrong`);
    if (i > 0 && map.size > 1) throw new Error(`command ${i} has other keys`);
    if (commands[i][2].length > 4096) throw new Error(`${i} is too long`);
  });
  return {
    file: Uint8Array.fromBase64(commands.map(([, , part]) => part).join("")),
    columns: Number(first.get("c")),
    rows: Number(first.get("r")),
  };
}

/** The file in iTerm2's command. */
export function readIterm(text: string): Sent {
  // deno-lint-ignore no-control-regex -- the codes are what is looked for
  const found = /^\x1b\]1337;File=([^:]*):([^\x07]*)\x07$/.exec(text);
  if (!found) throw new Error("that is no command of iTerm2");
  const keys = new Map(
    found[1].split(";").map((pair) => pair.split("=") as [string, string]),
  );
  const file = Uint8Array.fromBase64(found[2]);
  if (keys.get("inline") !== "1") throw new Error("it isn't shown");
  if (keys.get("size") !== String(file.length)) throw new Error("wrong size");
  return {
    file,
    columns: Number(keys.get("width")),
    rows: Number(keys.get("height")),
  };
}

/** Pixels that sixels draw: red, green and blue in percent, or undefined where nothing is drawn. */
export interface Drawn {
  readonly width: number;
  readonly height: number;
  readonly pixels: (readonly number[] | undefined)[];
}

/** What a VT340 would draw. */
export function readSixel(text: string): Drawn {
  // deno-lint-ignore no-control-regex -- the codes are what is looked for
  const found = /^\x1bP0;1q"1;1;(\d+);(\d+)([^\x1b]*)\x1b\\$/.exec(text);
  if (!found) throw new Error("that is no picture of sixels");
  const [width, height] = [Number(found[1]), Number(found[2])];
  const pixels: (readonly number[] | undefined)[] = Array(width * height);
  const palette = new Map<number, readonly number[]>();
  let [x, top, color] = [0, 0, -1];
  const tokens = found[3].matchAll(
    /#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)(.)|[$-]|([?-~])/g,
  );
  for (const [token, index, r, g, b, use, count, run, one] of tokens) {
    if (index !== undefined) palette.set(Number(index), [+r, +g, +b]);
    else if (use !== undefined) color = Number(use);
    else if (token === "$") x = 0;
    else if (token === "-") [x, top] = [0, top + 6];
    else {
      const bits = (run ?? one).charCodeAt(0) - 63;
      for (let k = 0; k < Number(count ?? 1); k++, x++) {
        for (let row = 0; row < 6; row++) {
          if (bits >> row & 1) {
            pixels[(top + row) * width + x] = palette.get(color);
          }
        }
      }
    }
  }
  return { width, height, pixels };
}
