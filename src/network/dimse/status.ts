import { GatewayError } from "../../errors/gateway-error.ts";
import type { ErrorCode } from "../../errors/registry.ts";
import type { StoreAnswer } from "./service-types.ts";

/** PS3.7 C: what a status means for the operation. */
type StatusClass = "success" | "pending" | "cancel" | "warning" | "failure";

export type DimseService = "C-ECHO" | "C-STORE" | "C-FIND" | "C-MOVE" | "C-GET" | "N-ACTION" | "N-EVENT-REPORT";

/** One status, or a range of them. */
export interface StatusEntry {
  readonly first: number;
  readonly last: number;
  readonly class: StatusClass;
  readonly name: string;
  /** Of an answer of class failure or cancel: what it means for trying again is the class of this code. */
  readonly error: ErrorCode;
}

function one(code: number, statusClass: StatusClass, name: string, error?: ErrorCode): StatusEntry {
  return range(code, code, statusClass, name, error);
}

function range(
  first: number,
  last: number,
  statusClass: StatusClass,
  name: string,
  error: ErrorCode = "DIMSE_FAILED",
): StatusEntry {
  return { first, last, class: statusClass, name, error };
}

/** Statuses we send. */
export const STATUS = {
  success: 0x0000,
  processingFailure: 0x0110,
  noSuchInstance: 0x0112,
  noSuchEventType: 0x0113,
  invalidArgumentValue: 0x0115,
  invalidObjectInstance: 0x0117,
  missingAttribute: 0x0120,
  sopClassNotSupported: 0x0122,
  noSuchAction: 0x0123,
  notAuthorized: 0x0124,
  duplicateInvocation: 0x0210,
  unrecognizedOperation: 0x0211,
  resourceLimitation: 0x0213,
  outOfResources: 0xa700,
  unableToPerformSubOperations: 0xa702,
  moveDestinationUnknown: 0xa801,
  identifierDoesNotMatchSopClass: 0xa900,
  dataSetDoesNotMatchSopClass: 0xa900,
  subOperationsCompleteWithFailures: 0xb000,
  matchingReachedResponseLimit: 0xb001,
  cannotUnderstand: 0xc000,
  unableToProcess: 0xc001,
  cancel: 0xfe00,
  pending: 0xff00,
} as const;

const OUT_OF_RESOURCES = "DIMSE_REFUSED_OUT_OF_RESOURCES";

/** Statuses of every service. PS3.7 C. */
export const GENERAL_STATUSES: readonly StatusEntry[] = [
  one(0x0000, "success", "Success"),
  one(0x0105, "failure", "No such attribute"),
  one(0x0106, "failure", "Invalid attribute value"),
  one(0x0107, "warning", "Attribute list error"),
  one(0x0110, "failure", "Processing failure"),
  one(0x0111, "failure", "Duplicate SOP instance", "DIMSE_INSTANCE_DUPLICATE"),
  one(0x0112, "failure", "No such SOP instance"),
  one(0x0113, "failure", "No such event type"),
  one(0x0114, "failure", "No such argument"),
  one(0x0115, "failure", "Invalid argument value"),
  one(0x0116, "warning", "Attribute value out of range"),
  one(0x0117, "failure", "Invalid object instance"),
  one(0x0118, "failure", "No such SOP class"),
  one(0x0119, "failure", "Class-instance conflict"),
  one(0x0120, "failure", "Missing attribute"),
  one(0x0121, "failure", "Missing attribute value"),
  one(0x0122, "failure", "Refused: SOP class not supported"),
  one(0x0123, "failure", "No such action type"),
  one(0x0124, "failure", "Refused: not authorized"),
  one(0x0210, "failure", "Duplicate invocation"),
  one(0x0211, "failure", "Unrecognized operation"),
  one(0x0212, "failure", "Mistyped argument"),
  one(0x0213, "failure", "Resource limitation", OUT_OF_RESOURCES),
  one(0xfe00, "cancel", "Matching or sub-operations terminated due to cancel", "CANCELLED"),
];

/** Both tables of C.4.2.1.5 and C.4.3.1.4, with what Y.4.1.1.4 and Y.4.2.1.4 add for frames. */
const RETRIEVE_STATUSES: readonly StatusEntry[] = [
  one(0xa701, "failure", "Refused: out of resources, unable to calculate number of matches", OUT_OF_RESOURCES),
  one(0xa702, "failure", "Refused: out of resources, unable to perform sub-operations", OUT_OF_RESOURCES),
  one(0xa900, "failure", "Identifier does not match SOP class"),
  one(0xaa00, "failure", "None of the frames requested were found in the SOP instance"),
  one(0xaa01, "failure", "Unable to create new object for this SOP class"),
  one(0xaa02, "failure", "Unable to extract frames"),
  one(0xaa03, "failure", "Time-based request received for a non-time-based original SOP instance"),
  one(0xaa04, "failure", "Invalid request"),
  one(0xb000, "warning", "Sub-operations complete, one or more failures or warnings"),
  range(0xc000, 0xcfff, "failure", "Unable to process"),
  one(0xff00, "pending", "Sub-operations are continuing"),
];

/**
 * What each service adds. PS3.4 A.4 (verification), B.2.3, C.4.1.1.4, C.4.2.1.5, C.4.3.1.4, J.3.2 and J.3.3 (storage commitment).
 * The modality worklist has no other ones than C-FIND here (K.4.1.1.4).
 */
export const SERVICE_STATUSES: { readonly [S in DimseService]: readonly StatusEntry[] } = {
  "C-ECHO": [],
  "C-STORE": [
    range(0xa700, 0xa7ff, "failure", "Refused: out of resources", OUT_OF_RESOURCES),
    range(0xa900, 0xa9ff, "failure", "Data set does not match SOP class"),
    one(0xb000, "warning", "Coercion of data elements"),
    one(0xb006, "warning", "Elements discarded"),
    one(0xb007, "warning", "Data set does not match SOP class"),
    range(0xc000, 0xcfff, "failure", "Cannot understand"),
  ],
  "C-FIND": [
    one(0xa700, "failure", "Refused: out of resources", OUT_OF_RESOURCES),
    one(0xa710, "failure", "Invalid prior record key"),
    one(0xa900, "failure", "Identifier does not match SOP class"),
    one(0xb001, "warning", "Matching reached response limit, subsequent requests may return additional matches"),
    range(0xc000, 0xcfff, "failure", "Unable to process"),
    one(0xff00, "pending", "Matches are continuing"),
    one(0xff01, "pending", "Matches are continuing, one or more optional keys were not supported"),
  ],
  "C-MOVE": [
    one(0xa801, "failure", "Refused: move destination unknown", "MOVE_DESTINATION_UNKNOWN"),
    ...RETRIEVE_STATUSES,
  ],
  "C-GET": RETRIEVE_STATUSES,
  "N-ACTION": [],
  "N-EVENT-REPORT": [],
};

/** Operations with several answers. */
const WITH_PENDING_ANSWERS: ReadonlySet<DimseService> = new Set(["C-FIND", "C-MOVE", "C-GET"]);

/** A status in no table, by the classes of PS3.7 C. Peers use A7xxH for lack of resources where their service lists another one. */
const UNLISTED: readonly StatusEntry[] = [
  one(0x0001, "warning", "Warning"),
  range(0xb000, 0xbfff, "warning", "Warning"),
  range(0xa700, 0xa7ff, "failure", "Refused: out of resources", OUT_OF_RESOURCES),
  range(0x0000, 0xffff, "failure", "Unlisted status"),
];
const UNLISTED_PENDING: readonly StatusEntry[] = [range(0xff00, 0xff01, "pending", "Pending")];

/** The meaning of a status in an answer of this service. */
export function describeStatus(service: DimseService, status: number): StatusEntry {
  const fits = ({ first, last }: StatusEntry): boolean => status >= first && status <= last;
  const pending = WITH_PENDING_ANSWERS.has(service) ? UNLISTED_PENDING : [];
  for (const table of [SERVICE_STATUSES[service], GENERAL_STATUSES, pending, UNLISTED]) {
    const entry = table.find(fits);
    if (entry !== undefined) return entry;
  }
  return one(status, "failure", "Not a status");
}

/** The error for an answer whose class is failure or cancel; undefined for the others. */
export function statusError(service: DimseService, status: number): GatewayError | undefined {
  const { class: statusClass, name, error } = describeStatus(service, status);
  if (statusClass !== "failure" && statusClass !== "cancel") return undefined;
  return new GatewayError(error, { service, status: formatStatus(status), meaning: name });
}

/** "A700H", as the standard writes it. */
export function formatStatus(status: number): string {
  return `${status.toString(16).toUpperCase().padStart(4, "0")}H`;
}

export function statusIn(answer: StoreAnswer): number {
  return typeof answer === "number" ? answer : answer.status;
}
