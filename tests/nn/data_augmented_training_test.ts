/** Pictures in folders, through transforms of pictures and of batches, to a network that learns them. */
import { assert, assertEquals } from "@std/assert";
import { init, nn } from "../../mod.ts";
import { png, withFolder } from "../support/data_files.ts";
import { type DeviceName, onBothDevices } from "../support/devices.ts";
import { bitsOf } from "../support/small_data.ts";

const CLASSES = ["blue", "red"];

/** Pictures of several sizes, each mostly of its class's colour: 24 a class. */
async function paint(folder: string): Promise<void> {
  for (const [label, name] of CLASSES.entries()) {
    await Deno.mkdir(`${folder}/${name}`);
    for (let i = 0; i < 24; i++) {
      const [width, height] = [14 + i % 5, 12 + i % 3];
      const pixels = Array.from(
        { length: width * height },
        (_, p) => {
          const shade = (p * 37 + i * 11) % 90;
          return label === 0
            ? [shade, shade, 165 + shade]
            : [165 + shade, shade, shade];
        },
      ).flat();
      await Deno.writeFile(
        `${folder}/${name}/${i}.png`,
        await png(width, height, pixels),
      );
    }
  }
}

/** Trains on a folder, or goes on from a checkpoint, and gives what became of the network. */
async function train(
  folder: string,
  device: DeviceName,
  options: Partial<nn.FitOptions> = {},
) {
  await init({ device, seed: 4 });
  const t = nn.transforms;
  const pictures = await nn.imageFolder(folder, {
    transform: t.Compose([
      t.Resize([12, 12]),
      t.RandomCrop(10, { padding: 1 }),
      t.RandomHorizontalFlip(),
    ]),
  });
  const loader = new nn.DataLoader(pictures, {
    batchSize: 8,
    shuffle: true,
    transform: t.Compose([
      t.RandomResizedCrop(8, { scale: [0.5, 1] }),
      t.RandomRotation(10, { interpolation: "bilinear" }),
      t.ColorJitter({ brightness: 0.2, contrast: 0.2, saturation: 0.2 }),
      t.PCANoise(),
      t.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
      t.RandomErasing(),
    ]),
  });
  const net = new nn.Sequential(
    new nn.Conv2d(3, 4, 3),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(4, 2),
  );
  const optimizer = new nn.Adam(net.parameters(), { lr: 0.05 });
  const { epochs } = await nn.fit(net, loader, {
    optimizer,
    epochs: 3,
    onProgress: false,
    ...options,
  });
  const losses = epochs.map(({ loss }) => loss);
  const bits = await bitsOf(net);
  net.dispose();
  optimizer.dispose();
  return { losses, bits, classes: pictures.classes };
}

onBothDevices(
  "pictures in folders are decoded, augmented one by one and in batches, and learned, the same in each run",
  async (device) => {
    await withFolder(async (folder) => {
      await paint(folder);
      const first = await train(folder, device);
      assertEquals(first.classes, CLASSES);
      const [before, , after] = first.losses;
      assert(after < 0.5 * before, `the losses are ${first.losses}`);
      assertEquals(await train(folder, device), first);
    });
  },
);

onBothDevices(
  "augmentation goes on in the middle of a pass with the bits of a run that wasn't stopped",
  async (device) => {
    await withFolder(async (folder) => {
      await paint(folder);
      const whole = await train(folder, device);
      await withFolder(async (kept) => {
        const checkpoint = { path: `${kept}/run`, every: 4 };
        const callbacks: nn.Callbacks = {
          onStep: ({ step }) => step === 8 ? "stop" : undefined,
        };
        await train(folder, device, { checkpoint, callbacks });
        assertEquals(await train(folder, device, { checkpoint }), whole);
      });
    });
  },
);
