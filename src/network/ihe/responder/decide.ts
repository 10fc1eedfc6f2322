import { transferSyntaxes } from "../../../dicom/dictionary/transfer-syntaxes.ts";
import type { Random } from "../../../units/random.ts";
import type { RegistryError } from "../errors.ts";
import { ACTIONS, ANONYMOUS, MEDIA, RESPONSE_STATUS } from "../names.ts";
import { type AnswerPlan, type InstanceSource, PROFILES, type ResponderProfile, type SourceInstance } from "./plan.ts";
import type { ImagingDocumentSetRequest, RequestedDocument } from "./request-reader.ts";

export interface ResponderRules {
  readonly profile: ResponderProfile;
  /** Requests that break the standard are answered as well as they can be understood. */
  readonly isLenient: boolean;
  /** Ours; undefined: any will do. */
  readonly repositoryUniqueId: string | undefined;
}

/** A request that cannot be answered as such. SOAP 1.2 part 1 5.4, WS-Addressing SOAP binding 6.4. */
export interface RequestFault {
  readonly code: "Sender" | "Receiver";
  readonly subcode?: string | undefined;
  readonly reason: string;
}

/** What is wrong with the message round the request; undefined when nothing is. */
export function messageFault(
  request: ImagingDocumentSetRequest,
  { isLenient }: ResponderRules,
): RequestFault | undefined {
  const { action, messageId, replyTo, requests, hasStrayText } = request;
  const known = isLenient ? action?.trim() : action;
  const headerMissing = { code: "Sender", subcode: "wsa:MessageAddressingHeaderRequired" } as const;
  if (known === undefined) return { ...headerMissing, reason: "Action is missing" };
  if (known !== ACTIONS.request) return { code: "Sender", subcode: "wsa:ActionNotSupported", reason: "Unknown Action" };
  if (replyTo !== undefined && replyTo !== ANONYMOUS) {
    return { code: "Sender", subcode: "wsa:OnlyAnonymousAddressSupported", reason: "No answer over other connections" };
  }
  if (requests === 0) return { code: "Sender", reason: "No request in the body" };
  if (isLenient) return undefined;
  if (messageId === undefined) return { ...headerMissing, reason: "MessageID is missing" };
  if (replyTo === undefined) return { ...headerMissing, reason: "ReplyTo is missing" };
  if (requests > 1) return { code: "Sender", reason: "More than one request in the body" };
  return hasStrayText ? { code: "Sender", reason: "Text between elements" } : undefined;
}

/** The answer to a request whose message is sound. RAD TF-2 4.69.4.2; codes of TF-3 table 4.2.4.1-2. */
export async function decide(
  request: ImagingDocumentSetRequest,
  source: InstanceSource,
  rules: ResponderRules & { readonly isPlainRequest?: boolean },
  random: Random,
): Promise<AnswerPlan> {
  const traits = PROFILES[rules.profile];
  const malformed = requestError(request);
  const errors: RegistryError[] = [];
  const found: { readonly document: RequestedDocument; readonly instance: SourceInstance }[] = [];
  for (const document of malformed === undefined ? request.documents : []) {
    const instance = await source.find(document, request);
    const error = documentError(document, instance, request.transferSyntaxUids, rules);
    if (error !== undefined) errors.push(error);
    else if (typeof instance === "object") found.push({ document, instance });
  }
  if (malformed !== undefined) errors.push(malformed);
  const isFailure = found.length === 0 || (traits.failsWhole && errors.length > 0);
  const token = Buffer.from(random.bytes(16)).toString("hex");
  const given = isFailure ? [] : found;
  const withIds = given.map((one, index) => ({ ...one, contentId: traits.contentId(token, index + 1) }));
  return {
    httpStatus: 200,
    headers: {},
    action: ACTIONS.response,
    relatesTo: request.messageId,
    status: isFailure
      ? RESPONSE_STATUS.failure
      : errors.length > 0
        ? RESPONSE_STATUS.partialSuccess
        : RESPONSE_STATUS.success,
    errors,
    documents: withIds.map(({ document: { documentUniqueId, repositoryUniqueId, homeCommunityId }, contentId }) => ({
      documentUniqueId,
      repositoryUniqueId,
      homeCommunityId,
      href: `cid:${encodeURIComponent(contentId.replace(/^<|>$/g, "")).replaceAll("%40", "@")}`,
    })),
    parts: withIds.map(({ instance: { sizeBytes, open }, contentId }) => ({
      headers: [
        ["Content-Type", MEDIA.dicom],
        ...(traits.hasTransferEncoding ? ([["Content-Transfer-Encoding", "binary"]] as const) : []),
        ["Content-ID", contentId],
      ],
      sizeBytes,
      open,
    })),
    // As it was asked, ITI TF-2 V.8.1: who asks in plain SOAP may look for errors nowhere else.
    framing: isFailure && (traits.failsWhole || rules.isPlainRequest === true) ? "plain" : "multipart",
    boundary: traits.boundary(token),
    rootId: traits.contentId(token, 0),
    leadingLineEnd: traits.leadingLineEnd,
    finalLineEnd: traits.finalLineEnd,
  };
}

function errorOf(errorCode: string, codeContext: string, location = ""): RegistryError {
  return { errorCode, codeContext, severity: "error", location };
}

/** What is wrong with all of the request. */
function requestError({ documents, transferSyntaxUids }: ImagingDocumentSetRequest): RegistryError | undefined {
  const isEmpty = ({ studyInstanceUid, seriesInstanceUid, documentUniqueId }: RequestedDocument): boolean =>
    studyInstanceUid === "" || seriesInstanceUid === "" || documentUniqueId === "";
  if (documents.length === 0 || documents.some(isEmpty)) return errorOf("XDSIRequestError", "A UID is missing");
  if (!transferSyntaxUids.some((uid) => transferSyntaxes.has(uid))) {
    return errorOf("XDSRepositoryError", "No transfer syntax that is known");
  }
  return undefined;
}

/** What is wrong with one document of it. */
function documentError(
  document: RequestedDocument,
  instance: SourceInstance | "arriving" | undefined,
  transferSyntaxUids: readonly string[],
  { profile, repositoryUniqueId = document.repositoryUniqueId }: ResponderRules,
): RegistryError | undefined {
  const { documentUniqueId: location } = document;
  if (document.repositoryUniqueId !== repositoryUniqueId) {
    return errorOf("XDSUnknownRepositoryId", "Not this repository", location);
  }
  if (instance === "arriving") return errorOf("XDSRepositoryBusy", "Taken in, and not ready yet: ask again", location);
  const isHere =
    instance?.studyInstanceUid === document.studyInstanceUid &&
    instance.seriesInstanceUid === document.seriesInstanceUid;
  if (instance === undefined || !isHere) return errorOf(PROFILES[profile].missingCode, "Unknown instance", location);
  return transferSyntaxUids.includes(instance.transferSyntaxUid)
    ? undefined
    : errorOf("urn:dicom:wado:0007", "Stored in another transfer syntax", location);
}
