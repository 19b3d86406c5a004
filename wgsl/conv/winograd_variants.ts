/** The variants of Winograd's algorithm, which the forward pass and the input gradient share. */
import type { Request, Variant } from "../op.ts";
import type { Pass } from "./shared_variants.ts";
import { planWinograd, winogradPays } from "./winograd.ts";
import { WINOGRAD_FORMS } from "./winograd_forms.ts";

/** The input that is transformed once where it is constant. */
const WEIGHTS = 1;

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
