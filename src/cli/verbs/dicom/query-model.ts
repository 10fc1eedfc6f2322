import { GatewayError } from "../../../errors/gateway-error.ts";
import type { InformationModel, QueryRetrieveLevel } from "../../../network/dimse/service-types.ts";

/** Flags of the verbs that query. */
export interface QueryOptions {
  readonly key: readonly string[];
  readonly level: QueryRetrieveLevel;
  readonly model?: InformationModel;
}

/** The model that is asked; level PATIENT is in patient root only. PS3.4 C.6.1, C.6.2. @throws GatewayError USAGE_INVALID */
export function modelOf({ level, model }: QueryOptions): InformationModel {
  if (level !== "PATIENT") return model ?? "study-root";
  if (model === "study-root") throw new GatewayError("USAGE_INVALID", { problem: "study-root has no level PATIENT" });
  return "patient-root";
}
