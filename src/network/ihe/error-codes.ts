import type { ErrorCode } from "../../errors/registry.ts";

/** What sources report, as our codes: TF-3 table 4.2.4.1-2, and what is met in the field. */
const XDS: ReadonlyMap<string, ErrorCode> = new Map(
  Object.entries({
    XDSDocumentUniqueIdError: "RAD69_DOCUMENT_MISSING",
    // By the standard a code of Provide and Register; Vitrea and dcm4chee use it for an unknown instance.
    XDSMissingDocument: "RAD69_DOCUMENT_MISSING",
    XDSMissingHomeCommunityId: "RAD69_COMMUNITY_UNKNOWN",
    XDSUnknownCommunity: "RAD69_COMMUNITY_UNKNOWN",
    XDSUnavailableCommunity: "RAD69_COMMUNITY_UNAVAILABLE",
    XDSUnknownRepositoryId: "RAD69_REPOSITORY_UNKNOWN",
    XDSIUnknownIdsUid: "RAD69_REPOSITORY_UNKNOWN",
    XDSRepositoryBusy: "RAD69_REPOSITORY_BUSY",
    XDSRepositoryOutOfResources: "RAD69_REPOSITORY_BUSY",
    XDSRepositoryError: "RAD69_REPOSITORY_FAILED",
    XDSResultNotSinglePatient: "RAD69_REQUEST_REFUSED",
    XDSIRequestError: "RAD69_REQUEST_REFUSED",
  } as const),
);

/** `urn:dicom:wado:NNNN` of PS3.18 WS mode (Supplement 148); every other number is a request that cannot be met as it is. */
const WADO: Readonly<Record<string, ErrorCode>> = {
  "0003": "RAD69_DOCUMENT_OFFLINE",
  "0004": "RAD69_DOCUMENT_MISSING",
  "0005": "RAD69_LIMIT_EXCEEDED",
  "0006": "RAD69_TRANSFER_SYNTAX_REFUSED",
  "0007": "RAD69_TRANSFER_SYNTAX_REFUSED",
  "0014": "RAD69_REPOSITORY_FAILED",
  "0015": "RAD69_DOCUMENT_MISSING",
  "0016": "RAD69_DOCUMENT_MISSING",
  "0017": "RAD69_DOCUMENT_MISSING",
};

const WADO_CODE = /^urn:dicom:wado:(\d{4})$/;

/** Our code for one of a source's. */
export function codeOfRegistryError(errorCode: string): ErrorCode {
  const wado = WADO_CODE.exec(errorCode)?.[1];
  if (wado !== undefined) return WADO[wado] ?? "RAD69_REQUEST_REFUSED";
  return XDS.get(bareCode(errorCode)) ?? "RAD69_SERVER_ERROR";
}

/** Some write the code with the namespace of its list before it. */
function bareCode(errorCode: string): string {
  return errorCode.slice(errorCode.lastIndexOf(":") + 1);
}

/** Codes that may stand in an error's details: a source may write anything into its own. */
export function knownRegistryCode(errorCode: string): string {
  if (WADO_CODE.test(errorCode)) return errorCode;
  const code = bareCode(errorCode);
  return XDS.has(code) || /^XDSI?[A-Za-z]{1,60}$/.test(code) ? code : "other";
}
