import { type GatewayError, toGatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import { STATUS } from "../../network/dimse/status.ts";

/** Of what our listener refuses. */
export const STATUS_BY_CODE: { readonly [C in ErrorCode]?: number } = {
  INSTANCE_UNSOLICITED: STATUS.notAuthorized,
  INTAKE_REFUSED: STATUS.notAuthorized,
  INSTANCE_MISMATCH: STATUS.dataSetDoesNotMatchSopClass,
  INSTANCE_UNREADABLE: STATUS.cannotUnderstand,
  STAGING_FULL: STATUS.outOfResources,
  STAGING_UNAVAILABLE: STATUS.outOfResources,
};

/** What comes by HTTP is looked at whole: sent again as it is, it would be cut short again. */
const BY_HTTP: { readonly [C in ErrorCode]?: number } = {
  INSTANCE_INCOMPLETE: STATUS.cannotUnderstand,
  INTAKE_INSTANCE_TOO_LARGE: STATUS.outOfResources,
};

/** How a sender is told that an instance was not taken; what passes by itself is out of resources, so that it is sent again. PS3.4 B.2.3, PS3.18 I.2.2. */
export function statusOfRefusal({ code, class: failureClass }: Pick<GatewayError, "code" | "class">): number {
  const status = STATUS_BY_CODE[code] ?? BY_HTTP[code];
  return status ?? (failureClass === "transient" ? STATUS.outOfResources : STATUS.cannotUnderstand);
}

/** What is meant for the sender to read; undefined: nothing. */
export function reasonOf(thrown: unknown): string | undefined {
  const { code, details } = toGatewayError(thrown);
  return code === "INTAKE_REFUSED" && typeof details.reason === "string" ? details.reason : undefined;
}
