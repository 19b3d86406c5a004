/** Elementwise ops on the planes of ResNet-18. */
import { registerFamily } from "./register.ts";

await registerFamily("pointwise");
