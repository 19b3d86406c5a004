/** The variants of Winograd's algorithm, which the forward pass and the input gradient share. */
import type { Request, Variant } from "../op.ts";
import type { Pass } from "./shared_variants.ts";
import { planWinograd, winogradPays } from "./winograd.ts";
import { WINOGRAD_FORMS } from "./winograd_forms.ts";

/** One variant a form. They apply to passes of one correlation where they pay; `passOf` tells a request's pass. */
export function winogradVariants<Attrs>(
  passOf: (request: Request<Attrs>) => Pass,
): Variant<Attrs>[] {
  return Object.entries(WINOGRAD_FORMS).map(([name, form]) => ({
    name,
    applies(request) {
      const { roles, correlations: [correlation] } = passOf(request);
      return winogradPays(form, roles, correlation, request.limits);
    },
    plan(request) {
      const { roles, correlations: [correlation] } = passOf(request);
      return planWinograd(form, roles, correlation, request.limits);
    },
  }));
}
