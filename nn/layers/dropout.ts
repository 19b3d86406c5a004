/** Dropout layer. */
import type { Tensor } from "../../core/tensor.ts";
import { dropout } from "../functional.ts";
import { Module } from "../module.ts";

/** In training mode, sets values to 0 with probability `p` and scales the others up; otherwise does nothing (Srivastava et al. 2014). */
export class Dropout extends Module {
  constructor(readonly p = 0.5) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return dropout(x, { p: this.p, training: this.training });
  }

  override describe(): string {
    return `p=${this.p}`;
  }
}
