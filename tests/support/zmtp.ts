/** Sockets of ZeroMQ, as much as it takes to talk to a Jupyter kernel: ZMTP 3.0 without security (rfc.zeromq.org/spec/23). */

/** Bits of a frame's first byte. */
const MORE = 1;
const LONG = 2;
const COMMAND = 4;

/** Bytes of each side's first words: a signature, the version 3.0, the mechanism NULL. */
const GREETING = 64;

export class Peer {
  readonly #connection: Deno.TcpConn;
  #rest = new Uint8Array(0);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects as a socket of a type: `"DEALER"` or `"SUB"`, which hears everything. */
  static async connect(port: number, type: "DEALER" | "SUB"): Promise<Peer> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const peer = new Peer(connection);
    const greeting = new Uint8Array(GREETING);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3]);
    greeting.set(new TextEncoder().encode("NULL"), 12);
    await peer.#write(greeting);
    await peer.#read(GREETING);
    const ready = [
      ...property("Socket-Type", type),
      ...(type === "DEALER" ? property("Identity", "") : []),
    ];
    await peer.#frame(
      COMMAND,
      Uint8Array.of(5, ...new TextEncoder().encode("READY"), ...ready),
    );
    const [flags] = await peer.#readFrame();
    if (!(flags & COMMAND)) throw new Error("the other side isn't ready");
    if (type === "SUB") await peer.send([Uint8Array.of(1)]);
    return peer;
  }

  async send(parts: readonly Uint8Array[]): Promise<void> {
    for (const [i, part] of parts.entries()) {
      await this.#frame(i < parts.length - 1 ? MORE : 0, part);
    }
  }

  /** The parts of the next message. */
  async receive(): Promise<Uint8Array[]> {
    const parts: Uint8Array[] = [];
    while (true) {
      const [flags, part] = await this.#readFrame();
      if (flags & COMMAND) continue;
      parts.push(part);
      if (!(flags & MORE)) return parts;
    }
  }

  close(): void {
    this.#connection.close();
  }

  async #frame(flags: number, body: Uint8Array): Promise<void> {
    const long = body.length > 255;
    const head = new Uint8Array(long ? 9 : 2);
    head[0] = flags | (long ? LONG : 0);
    if (long) new DataView(head.buffer).setBigUint64(1, BigInt(body.length));
    else head[1] = body.length;
    await this.#write(head);
    await this.#write(body);
  }

  async #readFrame(): Promise<[number, Uint8Array]> {
    const [flags] = await this.#read(1);
    const size = await this.#read(flags & LONG ? 8 : 1);
    const length = size.reduce((sum, byte) => sum * 256 + byte, 0);
    return [flags, await this.#read(length)];
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  async #read(count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      if (this.#rest.length === 0) {
        const buffer = new Uint8Array(65536);
        const got = await this.#connection.read(buffer);
        if (got === null) throw new Error("the other side has gone");
        this.#rest = buffer.subarray(0, got);
      }
      const part = this.#rest.subarray(0, count - at);
      bytes.set(part, at);
      this.#rest = this.#rest.subarray(part.length);
      at += part.length;
    }
    return bytes;
  }
}

/** A property of a READY command: lengths and texts. */
function property(name: string, value: string): number[] {
  const [key, text] = [name, value].map((t) => new TextEncoder().encode(t));
  return [key.length, ...key, 0, 0, 0, text.length, ...text];
}
