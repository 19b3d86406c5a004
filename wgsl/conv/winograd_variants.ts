/** The variants of Winograd's algorithm, which the forward pass and the input gradient share. */
import type { Limits, Request, Variant } from "../op.ts";
import type { Correlation } from "./correlation.ts";
import type { Roles } from "./roles.ts";
import type { Pass } from "./shared_variants.ts";
import { canWinograd, planWinograd, WIDE_QUADS } from "./winograd.ts";
import { WINOGRAD_FORMS, type WinogradForm } from "./winograd_forms.ts";

/** The input that is transformed once where it is constant. */
const WEIGHTS = 1;

/** The part of the tiles of wide products that must be filled: full ones take 0.7 of the others' time. */
const LEAST_FILLED = 0.7;

/** Fewest channels on either side that pay for the transforms: 16 took as long as the direct sum, 24 as well, 32 took 0.7 of its time, 64 half. */
const FEWEST_CHANNELS = 32;

/**
 * Fewest tiles in all that pay for transforming the weights. F(2×2) took 0.8 of the direct sum's time with 4 tiles of 64 channels, and 0.65 with 16 of 512. F(4×4),
 * which transforms weights to more than twice as many numbers, took 1.0 to 3 times the time of F(2×2) with up to 16 tiles, 0.8 to 1.3 with 25, 0.7 with 49.
 */
const FEWEST_TILES: Readonly<Record<WinogradForm["tile"], number>> = {
  2: 4,
  4: 20,
};

/**
 * The same where weights are transformed once: F(4×4) took 0.35 to 0.8 of the time of F(2×2) with 16 tiles of 96 to 256 channels, and 1.1 to 2 times with 4.
 */
const FEWEST_TILES_ONCE: typeof FEWEST_TILES = { 2: 4, 4: 12 };

/** One variant a form. They apply to passes of one correlation where they pay; `passOf` tells a request's pass. */
export function winogradVariants<Attrs>(
  passOf: (request: Request<Attrs>) => Pass,
): Variant<Attrs>[] {
  return Object.entries(WINOGRAD_FORMS).map(([name, form]) => ({
    name,
    applies(request) {
      const { roles, correlations: [correlation] } = passOf(request);
      const once = request.constant?.[WEIGHTS] ?? false;
      return winogradPays(form, roles, correlation, request.limits, once);
    },
    plan(request) {
      const { roles, correlations: [correlation] } = passOf(request);
      return planWinograd(form, roles, correlation, request.limits);
    },
  }));
}

/**
 * Whether a correlation can be computed so, and faster than the direct sum in tiles, by what was measured on a software adapter of 2 cores, and whether wide products have
 * tiles that are full enough. `once`: whether weights are transformed once and not at each call.
 */
function winogradPays(
  form: WinogradForm,
  roles: Roles,
  correlation: Correlation,
  limits: Limits,
  once = false,
): boolean {
  const [height, width] = correlation.target;
  const fewest = once ? FEWEST_TILES_ONCE : FEWEST_TILES;
  const { tile, wide } = form;
  const tiles = roles.geometry.batch * Math.ceil(height / tile) *
    Math.ceil(width / tile);
  const rows = 4 * WIDE_QUADS;
  const filled = roles.kept / (Math.ceil(roles.kept / rows) * rows);
  return Math.min(roles.kept, roles.summed) >= FEWEST_CHANNELS &&
    tiles >= fewest[tile] && (!wide || filled >= LEAST_FILLED) &&
    canWinograd(form, roles, correlation, limits);
}
