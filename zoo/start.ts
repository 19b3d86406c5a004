/** How networks of several files start, where it isn't as PyTorch's layers do. */
import { Conv2d, init, Linear, type Module } from "../nn/mod.ts";

/** Glorot's weights, which Dive into Deep Learning gives its networks from chapter 8 on. */
export function startAsD2l<Net extends Module>(net: Net): Net {
  return net.apply((module) => {
    if (module instanceof Conv2d || module instanceof Linear) {
      init.xavierUniform_(module.weight);
    }
  });
}
