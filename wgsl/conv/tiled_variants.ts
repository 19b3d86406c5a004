/** The variants in register tiles, which the forward pass and the input gradient share. */
import type { Request, Variant } from "../op.ts";
import type { Pass } from "./shared_variants.ts";
import { ROW_PAIRS, ROWS, TILED, type TileForm } from "./tile_forms.ts";
import { canTile, planTiled } from "./tiled.ts";

const FORMS: Readonly<Record<string, TileForm>> = {
  rows: ROWS,
  row_pairs: ROW_PAIRS,
  tiled: TILED,
};

/** One variant a form; `passOf` tells a request's pass. */
export function tiledVariants<Attrs>(
  passOf: (request: Request<Attrs>) => Pass,
): Variant<Attrs>[] {
  return Object.entries(FORMS).map(([name, form]) => ({
    name,
    applies(request) {
      const { roles, correlations } = passOf(request);
      return correlations.length > 0 &&
        canTile(form, roles, correlations, request.limits);
    },
    plan(request) {
      const { roles, correlations } = passOf(request);
      return planTiled(form, roles, correlations, request.limits);
    },
    suits(request) {
      const { roles, correlations } = passOf(request);
      return form.suits?.(roles, correlations) ?? true;
    },
  }));
}
