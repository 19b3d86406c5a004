/** Plans that hold no more bytes than they may. */
import { type Build, heldBytes, within } from "../core/compile/mod.ts";
import { CompileError } from "../core/errors.ts";
import type { Meta } from "../wgsl/op.ts";
import { formatShape } from "../wgsl/shape.ts";

/** Metas in words. */
export function listOf(metas: readonly Meta[]): string {
  return metas.map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`)
    .join(", ");
}

/**
 * What was built, or the same with fewer bytes. Takes its program over.
 *
 * @param instead What would work where that can't be.
 * @throws {CompileError} Where no program was found that holds so little.
 */
export function bounded<Result>(
  made: Build<Result>,
  maxBytes: number,
  metas: readonly Meta[],
  instead: string,
): Build<Result> {
  const program = within(made.program, maxBytes);
  const bytes = heldBytes(program);
  if (bytes <= maxBytes) return { ...made, program };
  program.dispose();
  throw new CompileError(
    `Cannot compile for ${
      listOf(metas)
    } within ${maxBytes} bytes: the plan needs ${bytes}, ${instead}`,
  );
}
