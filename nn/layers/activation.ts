/** Activations as layers. */
import type { Tensor } from "../../core/tensor.ts";
import { Module } from "../module.ts";

/** max(x, 0). Nair and Hinton (2010). */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** 1 / (1 + e⁻ˣ) */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/** (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ) */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** eˣ / Σ eˣ along an axis. */
export class Softmax extends Module {
  constructor(readonly axis = -1) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.softmax(this.axis);
  }

  override describe(): string {
    return String(this.axis);
  }
}

/** log(eˣ / Σ eˣ) along an axis, without the overflow. */
export class LogSoftmax extends Module {
  constructor(readonly axis = -1) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.logSoftmax(this.axis);
  }

  override describe(): string {
    return String(this.axis);
  }
}
