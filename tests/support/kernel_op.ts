/** Ops made of one hand-written kernel, for tests of what runs them. */
import { bindWhole } from "../../wgsl/launch.ts";
import type { Launch, Op } from "../../wgsl/op.ts";

/** An op without attributes. */
export type KernelOp = Op<Record<string, never>>;

/** An op of one input and one output of its shape, whose plan is one launch of this module; `launch` changes its parts. */
export function kernelOp(
  name: string,
  code: string,
  launch: Partial<Launch> = {},
): KernelOp {
  const kernel = { label: `wgsl/test/${name}.wgsl`, code };
  return {
    name,
    infer: ([x]) => [x],
    variants: [{
      name: "naive",
      plan: ({ inputs: [x], outputs: [y] }) => ({
        launches: [{
          kernel,
          bindings: [
            bindWhole("input", 0, "read", x),
            bindWhole("output", 0, "write", y),
          ],
          workgroups: [1, 1, 1],
          trips: 0,
          flops: 0,
          bytes: 0,
          ...launch,
        }],
      }),
    }],
    reference: ([x], [y]) => y.data.set(x.data),
  };
}
