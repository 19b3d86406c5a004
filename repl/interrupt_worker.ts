/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * Hears Ctrl-C while the main thread computes and hears nothing. It counts in shared memory, where the library looks before each
 * operation, and ends the process at the third time if nothing looks.
 */

function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

self.onmessage = ({ data }: MessageEvent<Int32Array>) => {
  Deno.addSignalListener("SIGINT", () => {
    const times = Atomics.add(data, 0, 1) + 1;
    self.postMessage("interrupt");
    if (times === 2) {
      say("The line doesn't let go: Ctrl-C once more ends the session");
    }
    if (times >= 3) {
      Deno.stdin.setRaw(false);
      Deno.kill(Deno.pid, "SIGKILL");
    }
  });
  self.postMessage("ready");
};
