/** Ctrl-C as a signal, heard by a thread of its own. */

export interface Interrupts {
  /** Its first element counts the signals since it was last set to 0. */
  readonly signal: Int32Array;
  close(): void;
}

/** Starts the thread, and calls `interrupt` in this one for each signal as soon as it is free. Until it resolves, Ctrl-C ends the process. */
export async function watchInterrupts(
  interrupt: () => void,
): Promise<Interrupts> {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    new URL("./interrupt_worker.ts", import.meta.url),
    { type: "module" },
  );
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: MessageEvent<"ready" | "interrupt">) => {
    if (data === "interrupt") interrupt();
    else resolve();
  };
  worker.postMessage(signal);
  await ready;
  return { signal, close: () => worker.terminate() };
}
