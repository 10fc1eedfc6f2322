import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from "../../dicom/writer.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import {
  ABORT_REASON,
  type AssociateAccept,
  type AssociateRequest,
  CONTEXT_RESULT,
  type ContextResult,
  DICOM_APPLICATION_CONTEXT,
  PduError,
  type PresentationContextProposal,
  REJECTION,
  type Rejection,
  type RoleSelection,
  type UserInformation,
} from "./pdu.ts";
import { MAXIMUM_CONTEXTS } from "./pdu-decoder.ts";
import { encodeIdentity, type UserIdentity } from "./user-identity.ts";
import { encodeUserInformation } from "./user-information.ts";

/** Sequential operations only. PS3.7 D.3.3.3. */
export const ASYNCHRONOUS_OPERATIONS_WINDOW = { invoked: 1, performed: 1 } as const;

export interface Proposal {
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUids: readonly string[];
  readonly role?: "scu" | "scp" | "both";
}

/** A context both sides agreed on. The roles are those of the association's requestor. */
export interface NegotiatedContext {
  readonly id: number;
  readonly abstractSyntaxUid: string;
  readonly transferSyntaxUid: string;
  readonly requestorIsScu: boolean;
  readonly requestorIsScp: boolean;
}

interface Titles {
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
}

function userInformation(maximumPduLength: number, roleSelections: readonly RoleSelection[]): UserInformation {
  return {
    maximumPduLength,
    implementationClassUid: IMPLEMENTATION_CLASS_UID,
    implementationVersionName: IMPLEMENTATION_VERSION_NAME,
    asynchronousOperationsWindow: ASYNCHRONOUS_OPERATIONS_WINDOW,
    roleSelections,
  };
}

/** What a requestor may negotiate beside its contexts. */
export interface UserNegotiation {
  readonly userIdentity?: UserIdentity | undefined;
  /** Service-class application information by SOP class UID. PS3.7 D.3.3.5. */
  readonly extendedNegotiation?: ReadonlyMap<string, Uint8Array> | undefined;
}

/**
 * @throws RangeError when there are no contexts, or more than 128 (PS3.8 9.3.2.2), and when identity and extended
 * negotiation do not fit the 65,535 bytes of an item.
 */
export function proposeAssociation(
  titles: Titles,
  proposals: readonly Proposal[],
  maximumPduLength: number,
  { userIdentity, extendedNegotiation = new Map() }: UserNegotiation = {},
): AssociateRequest {
  if (proposals.length === 0 || proposals.length > MAXIMUM_CONTEXTS) {
    throw new RangeError(`an association has 1 to ${MAXIMUM_CONTEXTS} presentation contexts, not ${proposals.length}`);
  }
  const roles = new Map<string, RoleSelection>();
  for (const { abstractSyntaxUid, role = "scu" } of proposals) {
    if (role === "scu") continue;
    roles.set(abstractSyntaxUid, { sopClassUid: abstractSyntaxUid, scu: role === "both", scp: true });
  }
  const request: AssociateRequest = {
    kind: "A-ASSOCIATE-RQ",
    protocolVersion: 1,
    ...titles,
    applicationContextUid: DICOM_APPLICATION_CONTEXT,
    contexts: proposals.map(({ abstractSyntaxUid, transferSyntaxUids }, index) => ({
      id: 2 * index + 1,
      abstractSyntaxUid,
      transferSyntaxUids,
    })),
    userInformation: {
      ...userInformation(maximumPduLength, [...roles.values()]),
      extendedNegotiations: [...extendedNegotiation].map(([sopClassUid, information]) => ({
        sopClassUid,
        information,
      })),
      userIdentity: userIdentity && encodeIdentity(userIdentity),
    },
  };
  encodeUserInformation(request.userInformation);
  return request;
}

/** Roles when nothing is negotiated: the requestor is the SCU. PS3.7 D.3.3.4. */
const DEFAULT_ROLES = { scu: true, scp: false } as const;

/**
 * The contexts an answer agrees to.
 * @throws PduError when it names a context or a transfer syntax that was not proposed.
 * @throws GatewayError USER_NOT_CONFIRMED when the user's identity was to be confirmed and was not. PS3.7 D.3.3.7.
 */
export function contextsOfAnswer(request: AssociateRequest, answer: AssociateAccept): readonly NegotiatedContext[] {
  const proposed = new Map(request.contexts.map((context) => [context.id, context]));
  const roles = agreedRoles(request.userInformation, answer.userInformation);
  const agreed: NegotiatedContext[] = [];
  for (const { id, result, transferSyntaxUid } of answer.contexts) {
    const proposal = proposed.get(id);
    if (proposal === undefined) throw unexpected(`context ${id} was not proposed`);
    if (result !== CONTEXT_RESULT.acceptance) continue;
    if (!proposal.transferSyntaxUids.includes(transferSyntaxUid)) {
      throw unexpected(`the transfer syntax of context ${id} was not proposed`);
    }
    const { scu, scp } = roles.get(proposal.abstractSyntaxUid) ?? DEFAULT_ROLES;
    const { abstractSyntaxUid } = proposal;
    agreed.push({ id, abstractSyntaxUid, transferSyntaxUid, requestorIsScu: scu, requestorIsScp: scp });
  }
  const isConfirmed = answer.userInformation.userIdentityResponse !== undefined;
  if (request.userInformation.userIdentity?.positiveResponseRequested === true && !isConfirmed) {
    throw new GatewayError("USER_NOT_CONFIRMED");
  }
  return agreed;
}

/** An acceptor grants what was proposed or less; a role nobody proposed stays as it is by default. PS3.7 D.3.3.4. */
function agreedRoles(request: UserInformation, answer: UserInformation): ReadonlyMap<string, RoleSelection> {
  const proposed = new Map(request.roleSelections.map((role) => [role.sopClassUid, role]));
  const agreed = new Map<string, RoleSelection>();
  for (const { sopClassUid, scu, scp } of answer.roleSelections) {
    const proposal = proposed.get(sopClassUid);
    if (proposal === undefined) continue;
    agreed.set(sopClassUid, { sopClassUid, scu: scu && proposal.scu, scp: scp && proposal.scp });
  }
  return agreed;
}

function unexpected(message: string): PduError {
  return new PduError(ABORT_REASON.unexpectedPduParameter, message, "ASSOCIATION_ANSWER_INVALID");
}

/** What an acceptor takes. */
export interface AcceptorPolicy {
  /** Roles the requestor may have for an abstract syntax; undefined: not supported. */
  readonly roles: (abstractSyntaxUid: string) => { readonly scu: boolean; readonly scp: boolean } | undefined;
  /** Of the proposed ones, in the requestor's order, the one to use; undefined: none is supported. */
  readonly chooseTransferSyntax: (abstractSyntaxUid: string, proposed: readonly string[]) => string | undefined;
  readonly maximumPduLength: number;
  /** A reason to refuse the association as a whole. */
  readonly refusal: (request: AssociateRequest) => Rejection | undefined;
  /** The user of a request that `refusal` lets pass counts as authenticated, and this is said to one who asks. */
  readonly confirmsUsers: boolean;
}

export interface AcceptorDecision {
  readonly answer: { readonly accept: AssociateAccept } | { readonly reject: Rejection };
  readonly contexts: readonly NegotiatedContext[];
}

/**
 * Answers each proposal by the policy. Extended negotiation is not answered: by that, the requestor knows that the
 * defaults of its service classes hold. PS3.7 D.3.3.5.
 */
export function decideAssociation(request: AssociateRequest, policy: AcceptorPolicy): AcceptorDecision {
  const refusal =
    request.applicationContextUid === DICOM_APPLICATION_CONTEXT
      ? policy.refusal(request)
      : REJECTION.applicationContextNotSupported;
  if (refusal !== undefined) return { answer: { reject: refusal }, contexts: [] };

  const proposedRoles = new Map(request.userInformation.roleSelections.map((role) => [role.sopClassUid, role]));
  const grantedRoles = new Map<string, RoleSelection>();
  const contexts: NegotiatedContext[] = [];
  const answers = request.contexts.map((proposal) => {
    const outcome = decideContext(proposal, proposedRoles.get(proposal.abstractSyntaxUid), policy);
    if (outcome.context !== undefined) contexts.push(outcome.context);
    if (outcome.role !== undefined) grantedRoles.set(proposal.abstractSyntaxUid, outcome.role);
    const transferSyntaxUid = outcome.context?.transferSyntaxUid ?? proposal.transferSyntaxUids[0] ?? "";
    return { id: proposal.id, result: outcome.result, transferSyntaxUid };
  });
  const accept: AssociateAccept = {
    kind: "A-ASSOCIATE-AC",
    protocolVersion: 1,
    calledAeTitle: request.calledAeTitle,
    callingAeTitle: request.callingAeTitle,
    applicationContextUid: DICOM_APPLICATION_CONTEXT,
    contexts: answers,
    userInformation: {
      ...userInformation(policy.maximumPduLength, [...grantedRoles.values()]),
      // Answered only when asked. PS3.7 D.3.3.3.1.
      asynchronousOperationsWindow:
        request.userInformation.asynchronousOperationsWindow && ASYNCHRONOUS_OPERATIONS_WINDOW,
      userIdentityResponse: confirmation(request.userInformation, policy),
    },
  };
  return { answer: { accept }, contexts };
}

/** Empty, which is all that a user name is answered with. PS3.7 D.3.3.7.2. */
function confirmation({ userIdentity }: UserInformation, { confirmsUsers }: AcceptorPolicy): Uint8Array | undefined {
  return confirmsUsers && userIdentity?.positiveResponseRequested === true ? new Uint8Array(0) : undefined;
}

interface ContextDecision {
  readonly result: ContextResult;
  readonly context?: NegotiatedContext;
  readonly role?: RoleSelection;
}

function decideContext(
  { id, abstractSyntaxUid, transferSyntaxUids }: PresentationContextProposal,
  proposedRole: RoleSelection | undefined,
  policy: AcceptorPolicy,
): ContextDecision {
  const offered = policy.roles(abstractSyntaxUid);
  if (offered === undefined) return { result: CONTEXT_RESULT.abstractSyntaxNotSupported };
  const scu = offered.scu && (proposedRole?.scu ?? DEFAULT_ROLES.scu);
  const scp = offered.scp && (proposedRole?.scp ?? DEFAULT_ROLES.scp);
  if (!scu && !scp) return { result: CONTEXT_RESULT.userRejection };
  const transferSyntaxUid = policy.chooseTransferSyntax(abstractSyntaxUid, transferSyntaxUids);
  if (transferSyntaxUid === undefined) return { result: CONTEXT_RESULT.transferSyntaxesNotSupported };
  return {
    result: CONTEXT_RESULT.acceptance,
    context: { id, abstractSyntaxUid, transferSyntaxUid, requestorIsScu: scu, requestorIsScp: scp },
    ...(proposedRole && { role: { sopClassUid: abstractSyntaxUid, scu, scp } }),
  };
}
