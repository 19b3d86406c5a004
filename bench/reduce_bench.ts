/** Sums and extremes over the axes that networks fold. */
import { registerFamily } from "./register.ts";

await registerFamily("reduce");
