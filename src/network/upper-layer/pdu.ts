import type { Violation } from "./violations.ts";

/** Protocol data units of the upper layer. PS3.8 9.3. */
export const PDU_TYPE = {
  "A-ASSOCIATE-RQ": 0x01,
  "A-ASSOCIATE-AC": 0x02,
  "A-ASSOCIATE-RJ": 0x03,
  "P-DATA-TF": 0x04,
  "A-RELEASE-RQ": 0x05,
  "A-RELEASE-RP": 0x06,
  "A-ABORT": 0x07,
} as const;

/** Item types in A-ASSOCIATE PDUs. PS3.8 9.3.2, 9.3.3, annex D; PS3.7 D.3.3. */
export const ITEM_TYPE = {
  applicationContext: 0x10,
  presentationContextProposal: 0x20,
  presentationContextResult: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  userInformation: 0x50,
  maximumLength: 0x51,
  implementationClassUid: 0x52,
  asynchronousOperationsWindow: 0x53,
  roleSelection: 0x54,
  implementationVersionName: 0x55,
  extendedNegotiation: 0x56,
  commonExtendedNegotiation: 0x57,
  userIdentity: 0x58,
  userIdentityResponse: 0x59,
} as const;

/** PS3.7 A.2.1. */
export const DICOM_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1";

/** Bytes before the variable field of every PDU: type, reserved, length. PS3.8 9.3.1. */
export const PDU_HEADER_BYTES = 6;
/** Bytes of a presentation data value item before its fragment: length, context id, control header. PS3.8 9.3.5.1. */
export const PDV_HEADER_BYTES = 6;

/** Message control header. PS3.8 E.2. */
export const PDV_IS_COMMAND = 0x01;
export const PDV_IS_LAST = 0x02;

/** Result of a presentation context. PS3.8 9.3.3.2, table 9-18. */
export const CONTEXT_RESULT = {
  acceptance: 0,
  userRejection: 1,
  noReason: 2,
  abstractSyntaxNotSupported: 3,
  transferSyntaxesNotSupported: 4,
} as const;

export type ContextResult = (typeof CONTEXT_RESULT)[keyof typeof CONTEXT_RESULT];

export const REJECT_RESULT = { permanent: 1, transient: 2 } as const;

/** Result, source and reason of a rejection. PS3.8 9.3.4, table 9-21. */
export const REJECTION = {
  noReason: { result: 1, source: 1, reason: 1 },
  applicationContextNotSupported: { result: 1, source: 1, reason: 2 },
  callingAeTitleNotRecognized: { result: 1, source: 1, reason: 3 },
  calledAeTitleNotRecognized: { result: 1, source: 1, reason: 7 },
  /** Permanent, service provider (ACSE), no reason given. PS3.7 D.3.3.7. */
  userNotAuthenticated: { result: 1, source: 2, reason: 1 },
  protocolVersionNotSupported: { result: 1, source: 2, reason: 2 },
  localLimitExceeded: { result: 2, source: 3, reason: 2 },
} as const;

export interface Rejection {
  readonly result: number;
  readonly source: number;
  readonly reason: number;
}

/** Source of an abort. PS3.8 9.3.8. */
export const ABORT_SOURCE = { serviceUser: 0, serviceProvider: 2 } as const;

/** Reasons of an abort by the service provider. PS3.8 9.3.8, table 9-26. */
export const ABORT_REASON = {
  notSpecified: 0,
  unrecognizedPdu: 1,
  unexpectedPdu: 2,
  unrecognizedPduParameter: 4,
  unexpectedPduParameter: 5,
  invalidPduParameterValue: 6,
} as const;

export type AbortReason = (typeof ABORT_REASON)[keyof typeof ABORT_REASON];

export interface PresentationContextProposal {
  readonly id: number;
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUids: readonly string[];
}

export interface PresentationContextAnswer {
  readonly id: number;
  readonly result: number;
  /** Significant only when the result is acceptance; else it is not read. */
  readonly transferSyntaxUid: string;
}

/** SCP/SCU role selection. PS3.7 D.3.3.4. */
export interface RoleSelection {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

/** SOP class extended negotiation. PS3.7 D.3.3.5. */
export interface ExtendedNegotiation {
  readonly sopClassUid: string;
  /** Service-class-application-information, as the service class says. */
  readonly information: Uint8Array;
}

/** SOP class common extended negotiation: of a request only, never answered. PS3.7 D.3.3.6. */
export interface CommonExtendedNegotiation {
  readonly sopClassUid: string;
  readonly serviceClassUid: string;
  readonly relatedGeneralSopClassUids: readonly string[];
}

/** User identity of a request, as it travels. PS3.7 D.3.3.7.1. */
export interface UserIdentityItem {
  readonly type: number;
  readonly positiveResponseRequested: boolean;
  /** User name in UTF-8, or a ticket, assertion or token. */
  readonly primary: Uint8Array;
  /** Passcode in UTF-8; else empty. */
  readonly secondary: Uint8Array;
}

export interface UserInformation {
  /** Largest P-DATA-TF variable field the sender of this item accepts; 0: no limit. PS3.8 D.1. */
  readonly maximumPduLength: number;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
  readonly asynchronousOperationsWindow: { readonly invoked: number; readonly performed: number } | undefined;
  readonly roleSelections: readonly RoleSelection[];
  readonly extendedNegotiations?: readonly ExtendedNegotiation[];
  readonly commonExtendedNegotiations?: readonly CommonExtendedNegotiation[];
  readonly userIdentity?: UserIdentityItem | undefined;
  /** Of an answer: the server response, perhaps empty. PS3.7 D.3.3.7.2. */
  readonly userIdentityResponse?: Uint8Array | undefined;
}

interface Associate {
  readonly protocolVersion: number;
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly applicationContextUid: string;
  readonly userInformation: UserInformation;
}

export interface AssociateRequest extends Associate {
  readonly kind: "A-ASSOCIATE-RQ";
  readonly contexts: readonly PresentationContextProposal[];
}

export interface AssociateAccept extends Associate {
  readonly kind: "A-ASSOCIATE-AC";
  readonly contexts: readonly PresentationContextAnswer[];
}

interface AssociateReject extends Rejection {
  readonly kind: "A-ASSOCIATE-RJ";
}

interface Abort {
  readonly kind: "A-ABORT";
  readonly source: number;
  readonly reason: number;
}

/** Every PDU but P-DATA-TF, which is never held whole. */
export type ControlPdu =
  | AssociateRequest
  | AssociateAccept
  | AssociateReject
  | Abort
  | { readonly kind: "A-RELEASE-RQ" }
  | { readonly kind: "A-RELEASE-RP" };

/** A PDU that is not what PS3.8 9.3 says; the reason goes into our A-ABORT. */
export class PduError extends Error {
  override readonly name = "PduError";
  readonly reason: AbortReason;
  readonly violation: Violation;

  constructor(reason: AbortReason, message: string, violation: Violation = "PDU_MALFORMED") {
    super(message);
    this.reason = reason;
    this.violation = violation;
  }
}
