/** Small data sets and networks for tests of training. */
import { nn } from "../../mod.ts";

/** Grey pictures of 8 by 8 in three classes, told apart by where they are bright; some noise from a fixed sequence. */
export function stripes(count: number): nn.ImageArrays {
  const images = new Uint8Array(count * 64);
  const labels = new Uint8Array(count);
  let seed = 1;
  const noise = () => (seed = (seed * 16807) % 2147483647) % 60;
  for (let i = 0; i < count; i++) {
    const label = i * 7 % 3;
    labels[i] = label;
    for (let j = 0; j < 64; j++) {
      const bright = Math.floor((j >> 3) * 3 / 8) === label;
      images[i * 64 + j] = noise() + (bright ? 120 : 0);
    }
  }
  const classes = ["top", "middle", "bottom"];
  return { images, labels, count, shape: [1, 8, 8], classes };
}

/** A network for {@linkcode stripes} with what makes going on hard: dropout, and running statistics. */
export function smallNet(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { stride: 2 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Dropout(0.3),
    new nn.Linear(36, 3),
  );
}

/** All values of a network, as hexadecimal digits of their bytes. */
export async function bitsOf(net: nn.Module): Promise<Map<string, string>> {
  const entries = Array.from(net.stateDict(), async ([name, x]) => {
    const { buffer, byteOffset, byteLength } = await x.read();
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return [name, bytes.toHex()] as const;
  });
  return new Map(await Promise.all(entries));
}
