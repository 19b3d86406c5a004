/** Counts dispatches of whichever library makes them, to be sure that work was done when its time was taken. */

let dispatches = 0;

const { dispatchWorkgroups, dispatchWorkgroupsIndirect } =
  GPUComputePassEncoder.prototype;

GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...sizes) {
  dispatches++;
  return dispatchWorkgroups.apply(this, sizes);
};

GPUComputePassEncoder.prototype.dispatchWorkgroupsIndirect = function (
  ...place
) {
  dispatches++;
  return dispatchWorkgroupsIndirect.apply(this, place);
};

/** How many dispatches and milliseconds a run takes. */
export async function countDispatches(
  run: () => Promise<void>,
): Promise<{ dispatches: number; ms: number }> {
  const before = dispatches;
  const start = performance.now();
  await run();
  return { dispatches: dispatches - before, ms: performance.now() - start };
}
