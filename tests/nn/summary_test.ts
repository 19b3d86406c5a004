import { assertEquals } from "@std/assert";
import type { Tensor } from "../../core/mod.ts";
import * as nn from "../../nn/mod.ts";
import { onBothDevices } from "../support/devices.ts";

class Block extends nn.Module {
  readonly conv = new nn.Conv2d(2, 2, 3, { padding: 1 });
  readonly norm = new nn.BatchNorm2d(2);

  override forward(x: Tensor): Tensor {
    return this.norm(this.conv(x)).add(x).relu();
  }
}

onBothDevices(
  "a summary is a table with the tree of layers, their shapes, and totals",
  () => {
    const net = new nn.Sequential(
      new Block(),
      new nn.Sequential(new nn.Flatten(), new nn.Linear(32, 5)),
    );
    const table = nn.summary(net, [3, 2, 4, 4]);
    assertEquals(table.flops, 2 * table.multiplyAdds);
    // 38 parameters at 48 places, 4 at 48, 165 at 3.
    assertEquals(table.multiplyAdds, 38 * 48 + 4 * 48 + 165 * 3);
    const rule = "─".repeat(67);
    assertEquals(table.rows(), [
      "Layer                 Input         Output        Params  Mult-adds",
      rule,
      "Sequential            [3, 2, 4, 4]  [3, 5]            --         --",
      "├─Block 0             [3, 2, 4, 4]  [3, 2, 4, 4]      --         --",
      "│ ├─Conv2d conv       [3, 2, 4, 4]  [3, 2, 4, 4]      38      1,824",
      "│ └─BatchNorm2d norm  [3, 2, 4, 4]  [3, 2, 4, 4]       4        192",
      "└─Sequential 1        [3, 2, 4, 4]  [3, 5]            --         --",
      "  ├─Flatten 0         [3, 2, 4, 4]  [3, 32]           --         --",
      "  └─Linear 1          [3, 32]       [3, 5]           165        495",
      rule,
      "Total params: 207",
      "Trainable params: 207",
      "Non-trainable params: 0",
      "Total mult-adds: 2,511 (5.0 kFLOP)",
      rule,
      "Input size: 384 B",
      // Outputs of the layers with parameters, 96 + 96 + 15 floats, twice.
      "Forward/backward pass size: 1.66 kB",
      "Params size: 828 B",
      "Estimated total size: 2.87 kB",
      "Peak memory in evaluation: 2.77 kB",
    ]);
    net.dispose();
  },
);
