/** Inspection: commands that time what a line runs, and show which kernels it runs and why. */
import type { Compiled } from "../../nn/compile.ts";
import { Module } from "../../nn/module.ts";
import { type Summary, summary } from "../../nn/summary.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Shape } from "../../wgsl/op.ts";
import { type Body, checkBody } from "../inspect/body.ts";
import { explain, type ExplainOptions } from "../inspect/explain.ts";
import { type Profile, profileBody } from "../inspect/profile.ts";
import {
  timeBody,
  type TimeitOptions,
  type Timing,
} from "../inspect/timeit.ts";
import { type Trace, traceCall, type TraceOptions } from "../inspect/trace.ts";
import { swap } from "../inspect/swap.ts";
import { wgsl } from "../inspect/wgsl.ts";
import type { Command, Family } from "./command.ts";

const COMMANDS: readonly Command[] = [
  {
    name: "timeit",
    takes: "body",
    usage: ".timeit expression",
    about: "times many runs: the median of a run and how far others lie",
    run: timeit,
  },
  {
    name: "profile",
    takes: "body",
    usage: ".profile expression",
    about: "a row a kernel: calls, time, share, GFLOP/s and GB/s",
    run: profile,
  },
  {
    name: "trace",
    takes: "values",
    usage: ".trace net, x",
    about: "a row a layer: kernels, output shape, time and bytes",
    run: trace,
  },
  {
    name: "summary",
    takes: "values",
    usage: ".summary net, [1, 3, 224, 224]",
    about: "the layers with their shapes, parameters and multiply-adds",
    run: summarize,
  },
  {
    name: "wgsl",
    takes: "body",
    usage: ".wgsl expression",
    about: "the shaders that a call runs",
    run: wgsl,
  },
  {
    name: "explain",
    takes: "body",
    usage: ".explain expression",
    about:
      "which variant of each op runs and why, and how fast all of them are; the plan of a compiled function",
    run: explainOrPlan,
  },
  {
    name: "swap",
    takes: "values",
    usage: '.swap "conv/conv2d_rows.wgsl", "my.wgsl"',
    about: "runs an edited kernel in place of the library's",
    run: swap,
  },
];

/** The commands that look into what runs. */
export const inspectCommands: Family = () => COMMANDS;

/** How long a run of `body` takes: two runs to warm up, then samples of several runs, each of which ends with a wait for the device. */
function timeit(body: Body, options?: TimeitOptions): Promise<Timing> {
  checkBody(body, "timeit");
  return timeBody(body, options);
}

/** The kernels that `body` runs, slowest first. It runs to warm up, for the wall's time, and up to three times with each launch timed. */
function profile(body: Body): Promise<Profile> {
  checkBody(body, "profile");
  return profileBody(body);
}

/** The kernels that `body` runs and why; where it runs none and gives a compiled function, that one's plan. */
async function explainOrPlan(
  body: Body,
  options?: ExplainOptions,
): Promise<unknown> {
  const found = await explain(body, options);
  if (found.ops.length > 0) return found;
  const value = body();
  return isCompiled(value) ? value.explain() : found;
}

function isCompiled(value: unknown): value is Compiled {
  return typeof value === "function" && "explain" in value &&
    typeof value.explain === "function";
}

/** What each layer of a network launches and makes of `x`, in evaluation mode. Takes a function of tensors, too. */
function trace(
  net: Module | ((...inputs: Tensor[]) => unknown),
  ...inputs: readonly (Tensor | TraceOptions)[]
): Promise<Trace> {
  if (typeof net !== "function") {
    throw new TypeError(
      `Cannot trace ${
        net === undefined ? "nothing" : typeof net
      }: expected a network or a function of tensors`,
    );
  }
  const last = inputs.at(-1);
  const options = last instanceof Tensor ? {} : last ?? {};
  const tensors = inputs.filter((x) => x instanceof Tensor);
  if (tensors.length === 0) {
    throw new TypeError(
      "Cannot trace without an input: give one, such as .trace net, randn([1, 1, 28, 28])",
    );
  }
  return traceCall(net, tensors, options);
}

/** The layers of a network for an input of a shape: shapes, parameters, multiply-adds, and what it takes of memory. */
function summarize(net: Module, shape: Shape | Tensor): Summary {
  if (!(net instanceof Module)) {
    throw new TypeError("Cannot summarise: expected a network");
  }
  const sizes = shape instanceof Tensor ? shape.shape : shape;
  if (!Array.isArray(sizes)) {
    throw new TypeError(
      "Cannot summarise without an input's shape: give one, such as .summary net, [1, 1, 28, 28]",
    );
  }
  return summary(net, sizes);
}
