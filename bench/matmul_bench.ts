/** Products of matrices: squares, and the linear layers of the classic networks. */
import { registerFamily } from "./register.ts";

await registerFamily("matmul");
