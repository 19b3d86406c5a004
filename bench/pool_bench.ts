/** Pooling layers of the classic networks and their gradients. */
import { registerFamily } from "./register.ts";

await registerFamily("pool");
