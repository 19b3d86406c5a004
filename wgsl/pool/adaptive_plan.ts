/** Launches of adaptive pooling's naive kernels: an invocation for each element, which looks at its window on the other side. */
import type { Kernel, Plan, Request, Shape } from "../op.ts";
import { longestWindow } from "./adaptive_window.ts";
import {
  passSize,
  passTrips,
  planeLaunches,
  windowPasses,
} from "./launches.ts";

/** One direction of an adaptive pooling. */
export interface Direction {
  readonly kernel: Kernel;
  /** Shape of the side that windows are on, and of the side that has an invocation an element. */
  readonly seen: Shape;
  readonly made: Shape;
  /** Which of the two is the pooling's input. */
  readonly input: "seen" | "made";
  /** Operations for each place of a window. */
  readonly flops: number;
}

/** The plan of one direction. */
export function planAdaptive<Attrs>(
  request: Request<Attrs>,
  { kernel, seen, made, input, flops }: Direction,
): Plan {
  const [, , height, width] = made;
  const passes = windowPasses(
    longestWindow(seen[2], height),
    longestWindow(seen[3], width),
    request.limits,
  );
  const [from, to] = input === "seen" ? [seen, made] : [made, seen];
  return {
    launches: passes.flatMap((pass) =>
      planeLaunches(request, {
        kernel,
        constants: pass,
        invocations: height * width,
        params: [from[2], from[3], to[2], to[3]],
        trips: passTrips(pass),
        flops: flops * height * width * passSize(pass),
      })
    ),
  };
}
