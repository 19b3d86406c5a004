import { assertEquals } from "@std/assert";
import { ByteMeter, type Screen } from "../../nn/data/progress.ts";

/** A screen that keeps what is written, and a clock that is set by hand. */
function fake(
  terminal: boolean,
  columns = 80,
): Screen & { text: string; ms: number } {
  return {
    terminal,
    columns,
    text: "",
    ms: 0,
    write(text) {
      this.text += text;
    },
    now() {
      return this.ms;
    },
  };
}

Deno.test("without a terminal there is a line each tenth", () => {
  const screen = fake(false);
  const meter = new ByteMeter("a.gz", screen);
  for (let done = 0; done <= 2_500_000; done += 50_000) {
    meter.update(done, 2_500_000);
  }
  meter.finish();
  const lines = screen.text.split("\n");
  assertEquals(lines.length, 12);
  assertEquals(lines.slice(0, 3), [
    "a.gz 0 % of 2.5 MB",
    "a.gz 10 % of 2.5 MB",
    "a.gz 20 % of 2.5 MB",
  ]);
  assertEquals(lines.slice(-2), ["a.gz 100 % of 2.5 MB", ""]);
});

Deno.test("on a terminal a line is drawn over, ten times a second at most", () => {
  const screen = fake(true);
  const meter = new ByteMeter("a.gz", screen);
  meter.update(1_000_000, 4_000_000);
  screen.ms = 99;
  meter.update(1_500_000, 4_000_000);
  screen.ms = 500;
  meter.update(3_000_000, 4_000_000);
  screen.ms = 510;
  meter.update(4_000_000, 4_000_000);
  meter.finish();
  assertEquals(screen.text.split("\r"), [
    "",
    "██████░░░░░░░░░░░░░░░░░░ a.gz 25 % of 4.0 MB\x1b[K",
    "██████████████████░░░░░░ a.gz 75 % of 4.0 MB · 4.0 MB/s\x1b[K",
    "████████████████████████ a.gz 100 % of 4.0 MB · 5.9 MB/s\x1b[K\n",
  ]);
});

Deno.test("a line never wraps, and nothing is written where nothing came", () => {
  const screen = fake(true, 30);
  new ByteMeter("a.gz", screen).finish();
  assertEquals(screen.text, "");
  new ByteMeter("a.gz", screen).update(1, 2);
  assertEquals(screen.text, "\r████████████░░░░░░░░░░░░ a.gz\x1b[K");
});
