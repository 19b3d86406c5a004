/** Variants that the forward pass and the input gradient share as they stand: products of matrices, and staged depthwise convolutions. */
import type { Request, Variant } from "../op.ts";
import type { Correlation } from "./correlation.ts";
import {
  canStageDepthwise,
  planStagedDepthwise,
} from "./depthwise_workgroup.ts";
import { canIm2col, im2colPays, planIm2col } from "./im2col_matmul.ts";
import {
  canGemm,
  fillsBlocks,
  GEMM_REGISTERS,
  GEMM_WORKGROUP,
  type GemmForm,
  planGemm,
} from "./implicit_gemm.ts";
import type { Roles } from "./roles.ts";

/** A pass as correlations. */
export interface Pass {
  readonly roles: Roles;
  readonly correlations: readonly Correlation[];
}

/** The variants of an op whose requests are such passes. */
export function sharedVariants<Attrs>(
  passOf: (request: Request<Attrs>) => Pass,
): Variant<Attrs>[] {
  const implicit = (name: string, form: GemmForm): Variant<Attrs> => ({
    name,
    applies(request) {
      const { roles, correlations } = passOf(request);
      return canGemm(roles, correlations, form, request.limits);
    },
    plan(request) {
      const { roles, correlations } = passOf(request);
      return planGemm(roles, correlations, form, request.limits);
    },
  });
  return [
    implicit("implicit_gemm", GEMM_REGISTERS),
    {
      ...implicit("implicit_gemm_workgroup", GEMM_WORKGROUP),
      suits: (request) => fillsBlocks(passOf(request).roles),
    },
    {
      name: "im2col_matmul",
      applies(request) {
        const { roles, correlations: [correlation] } = passOf(
          request,
        );
        return canIm2col(roles, correlation, request.limits);
      },
      plan(request) {
        const { roles, correlations: [correlation] } = passOf(request);
        return planIm2col(roles, correlation, request.limits);
      },
      suits(request) {
        const { roles, correlations: [correlation] } = passOf(request);
        return im2colPays(roles, correlation);
      },
    },
    {
      name: "depthwise_workgroup",
      applies(request) {
        const { roles, correlations } = passOf(request);
        return canStageDepthwise(roles, correlations, request.limits);
      },
      plan(request) {
        const { roles, correlations } = passOf(request);
        return planStagedDepthwise(roles, correlations, request.limits);
      },
    },
  ];
}
