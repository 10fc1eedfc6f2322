import type { RegistryError } from "../errors.ts";

/** An instance that a responder can give away: a Part 10 file. */
export interface SourceInstance {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly sizeBytes: number;
  /** The bytes of the file, in pieces. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

export interface SoughtDocument {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  /** The SOP Instance UID. */
  readonly documentUniqueId: string;
}

/** Where a responder finds instances. */
export interface InstanceSource {
  /**
   * `arriving`: it was taken in and cannot be given away yet; who asks for it is told to ask again.
   * @param document as it was asked for; that study and series are the instance's own is checked by who asks
   * @param request the same object for all documents of one request
   */
  find(document: SoughtDocument, request: object): Promise<SourceInstance | "arriving" | undefined>;
}

export interface PlannedDocument {
  readonly documentUniqueId: string;
  readonly repositoryUniqueId: string;
  readonly homeCommunityId: string | undefined;
  /** `cid:…`; undefined when the document stands within the envelope. */
  readonly href: string | undefined;
  /** Base64. */
  readonly inline?: string | undefined;
}

export interface PlannedPart {
  readonly headers: readonly (readonly [string, string])[];
  readonly sizeBytes: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Everything that goes over the wire, before it does: one value, so that it can be looked at and altered. */
export interface AnswerPlan {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: as the framing has it. */
  readonly contentType?: string | undefined;
  readonly action: string;
  readonly relatesTo: string | undefined;
  readonly fault?:
    | { readonly code: string; readonly subcode?: string | undefined; readonly reason: string }
    | undefined;
  readonly status: string;
  readonly errors: readonly RegistryError[];
  readonly documents: readonly PlannedDocument[];
  readonly parts: readonly PlannedPart[];
  /** `plain`: the envelope alone is the body. */
  readonly framing: "multipart" | "plain";
  readonly boundary: string;
  readonly rootId: string;
  readonly leadingLineEnd: boolean;
  readonly finalLineEnd: boolean;
}

/** How known sources write their answers. */
export type ResponderProfile = "ihe" | "cxf" | "vitrea" | "axis2";

export interface ProfileTraits {
  readonly leadingLineEnd: boolean;
  readonly finalLineEnd: boolean;
  readonly boundary: (token: string) => string;
  /** As the header has it. */
  readonly contentId: (token: string, index: number) => string;
  readonly hasTransferEncoding: boolean;
  /** One missing instance fails the whole request, in plain SOAP. */
  readonly failsWhole: boolean;
  readonly missingCode: string;
}

/** The standard's own form, and those of CXF's serializer, Vitrea's recorded answers and Axis2. */
export const PROFILES: Readonly<Record<ResponderProfile, ProfileTraits>> = {
  ihe: {
    leadingLineEnd: false,
    finalLineEnd: true,
    boundary: (token) => `MIMEBoundary_${token}`,
    contentId: (token, index) => `<${index}.${token}@radferry>`,
    hasTransferEncoding: true,
    failsWhole: false,
    missingCode: "XDSDocumentUniqueIdError",
  },
  cxf: {
    leadingLineEnd: true,
    finalLineEnd: false,
    boundary: (token) => `uuid:${token}`,
    contentId: (token, index) => `<${token}-${index}@urn:ihe:iti:xds-b:2007>`,
    hasTransferEncoding: true,
    failsWhole: false,
    missingCode: "XDSMissingDocument",
  },
  vitrea: {
    leadingLineEnd: false,
    finalLineEnd: true,
    boundary: (token) => `----=_Part_1_${token}`,
    contentId: (token, index) => `${token}-${index}`,
    hasTransferEncoding: false,
    failsWhole: true,
    missingCode: "XDSMissingDocument",
  },
  axis2: {
    leadingLineEnd: false,
    finalLineEnd: true,
    boundary: (token) => `MIMEBoundaryurn_uuid_${token.toUpperCase()}`,
    contentId: (token, index) => `<${index}.urn:uuid:${token}@apache.org>`,
    hasTransferEncoding: true,
    failsWhole: false,
    missingCode: "XDSDocumentUniqueIdError",
  },
};
