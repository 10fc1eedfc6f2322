import type { InformationModel } from "./service-types.ts";

/** PS3.4 A.4. */
export const VERIFICATION_SOP_CLASS = "1.2.840.10008.1.1";

/** Storage Commitment Push Model: the SOP class and its well-known instance. PS3.4 J.3.5. */
export const STORAGE_COMMITMENT_SOP_CLASS = "1.2.840.10008.1.20.1";
export const STORAGE_COMMITMENT_SOP_INSTANCE = "1.2.840.10008.1.20.1.1";

export type QueryRetrieveService = "find" | "move" | "get";

/** Query/Retrieve SOP classes. PS3.4 C.6.1.3, C.6.2.3. */
export const QUERY_RETRIEVE_SOP_CLASSES: {
  readonly [M in InformationModel]: { readonly [S in QueryRetrieveService]: string };
} = {
  "patient-root": {
    find: "1.2.840.10008.5.1.4.1.2.1.1",
    move: "1.2.840.10008.5.1.4.1.2.1.2",
    get: "1.2.840.10008.5.1.4.1.2.1.3",
  },
  "study-root": {
    find: "1.2.840.10008.5.1.4.1.2.2.1",
    move: "1.2.840.10008.5.1.4.1.2.2.2",
    get: "1.2.840.10008.5.1.4.1.2.2.3",
  },
};

const BY_UID: ReadonlyMap<string, { readonly model: InformationModel; readonly service: QueryRetrieveService }> =
  new Map(
    (["patient-root", "study-root"] as const).flatMap((model) =>
      (["find", "move", "get"] as const).map((service) => [
        QUERY_RETRIEVE_SOP_CLASSES[model][service],
        { model, service },
      ]),
    ),
  );

/** The model and service of a Query/Retrieve SOP class; undefined for every other UID. */
export function queryRetrieveClass(
  sopClassUid: string,
): { readonly model: InformationModel; readonly service: QueryRetrieveService } | undefined {
  return BY_UID.get(sopClassUid);
}
