/** Softmax and log-softmax over classes, and the gradient. */
import { registerFamily } from "./register.ts";

await registerFamily("softmax");
