/** Batch norm on the planes of the classic networks, in training and evaluation, and its gradient. */
import { registerFamily } from "./register.ts";

await registerFamily("norm");
