import { FieldReader } from "./field-reader.ts";
import {
  ABORT_REASON,
  type AssociateAccept,
  type AssociateRequest,
  CONTEXT_RESULT,
  type ControlPdu,
  ITEM_TYPE,
  PDU_TYPE,
  PduError,
  type PresentationContextAnswer,
  type PresentationContextProposal,
  type UserInformation,
} from "./pdu.ts";
import { decodeUserInformation } from "./user-information.ts";

/** A presentation context id is odd, from 1 to 255: no more than 128 of them. PS3.8 9.3.2.2. */
export const MAXIMUM_CONTEXTS = 128;
/** Transfer syntaxes of one proposal; the standard has about 60. */
const MAXIMUM_TRANSFER_SYNTAXES = 256;

/** @throws PduError when the variable field is not what PS3.8 9.3.2 to 9.3.8 say. */
export function decodePdu(type: number, variableField: Uint8Array): ControlPdu {
  const reader = new FieldReader(variableField);
  switch (type) {
    case PDU_TYPE["A-ASSOCIATE-RQ"]:
      return decodeRequest(reader);
    case PDU_TYPE["A-ASSOCIATE-AC"]:
      return decodeAccept(reader);
    case PDU_TYPE["A-ASSOCIATE-RJ"]: {
      reader.skip(1);
      const rejection = { result: reader.uint8(), source: reader.uint8(), reason: reader.uint8() };
      return finished(reader, { kind: "A-ASSOCIATE-RJ", ...rejection });
    }
    case PDU_TYPE["A-RELEASE-RQ"]:
      reader.skip(4);
      return finished(reader, { kind: "A-RELEASE-RQ" });
    case PDU_TYPE["A-RELEASE-RP"]:
      reader.skip(4);
      return finished(reader, { kind: "A-RELEASE-RP" });
    case PDU_TYPE["A-ABORT"]:
      reader.skip(2);
      return finished(reader, { kind: "A-ABORT", source: reader.uint8(), reason: reader.uint8() });
    default:
      throw new PduError(ABORT_REASON.unrecognizedPdu, `PDU type ${type}`, "PDU_TYPE_UNKNOWN");
  }
}

function finished(reader: FieldReader, pdu: ControlPdu): ControlPdu {
  if (reader.remaining > 0) throw invalid(`${reader.remaining} bytes after the last field`);
  return pdu;
}

function invalid(message: string): PduError {
  return new PduError(ABORT_REASON.invalidPduParameterValue, message);
}

function fixedFields(
  reader: FieldReader,
): Pick<AssociateRequest, "protocolVersion" | "calledAeTitle" | "callingAeTitle"> {
  const protocolVersion = reader.uint16();
  reader.skip(2);
  const calledAeTitle = titleOf(reader);
  const callingAeTitle = titleOf(reader);
  reader.skip(32);
  return { protocolVersion, calledAeTitle, callingAeTitle };
}

/** What follows a NUL is what was in the sender's memory. */
function titleOf(reader: FieldReader): string {
  const [title = ""] = reader.text(16).split("\0");
  return title.trimEnd();
}

function decodeRequest(reader: FieldReader): AssociateRequest {
  const fixed = fixedFields(reader);
  const contexts: PresentationContextProposal[] = [];
  const shared = decodeItems(reader, ITEM_TYPE.presentationContextProposal, (value) => {
    contexts.push(decodeProposal(value));
  });
  if (contexts.length === 0) throw invalid("no presentation context");
  refuseRepeatedIds(contexts);
  return { kind: "A-ASSOCIATE-RQ", ...fixed, ...shared, contexts };
}

function decodeAccept(reader: FieldReader): AssociateAccept {
  const fixed = fixedFields(reader);
  const contexts: PresentationContextAnswer[] = [];
  const shared = decodeItems(reader, ITEM_TYPE.presentationContextResult, (value) => {
    contexts.push(decodeAnswer(value));
  });
  refuseRepeatedIds(contexts);
  return { kind: "A-ASSOCIATE-AC", ...fixed, ...shared, contexts };
}

/** Items may come in any order; unknown ones are passed over (PS3.8 9.3.1). */
function decodeItems(
  reader: FieldReader,
  contextItemType: number,
  onContext: (value: FieldReader) => void,
): Pick<AssociateRequest, "applicationContextUid" | "userInformation"> {
  let applicationContextUid: string | undefined;
  let userInformation: UserInformation | undefined;
  for (const { type, value } of reader.items()) {
    if (type === ITEM_TYPE.applicationContext) {
      if (applicationContextUid !== undefined) throw invalid("application context twice");
      applicationContextUid = value.uid(value.remaining);
    } else if (type === ITEM_TYPE.userInformation) {
      if (userInformation !== undefined) throw invalid("user information twice");
      userInformation = decodeUserInformation(value);
    } else if (type === contextItemType) onContext(value);
  }
  if (applicationContextUid === undefined) throw invalid("no application context");
  if (userInformation === undefined) throw invalid("no user information");
  return { applicationContextUid, userInformation };
}

function refuseRepeatedIds(contexts: readonly { readonly id: number }[]): void {
  if (new Set(contexts.map(({ id }) => id)).size !== contexts.length) throw invalid("a context id twice");
}

function contextId(value: FieldReader): number {
  const id = value.uint8();
  if (id % 2 === 0) throw invalid(`context id ${id} is even`);
  return id;
}

function decodeProposal(value: FieldReader): PresentationContextProposal {
  const id = contextId(value);
  value.skip(3);
  let abstractSyntaxUid: string | undefined;
  const transferSyntaxUids: string[] = [];
  for (const { type, value: syntax } of value.items()) {
    if (type === ITEM_TYPE.abstractSyntax) abstractSyntaxUid = syntax.uid(syntax.remaining);
    else if (type === ITEM_TYPE.transferSyntax) transferSyntaxUids.push(syntax.uid(syntax.remaining));
    if (transferSyntaxUids.length > MAXIMUM_TRANSFER_SYNTAXES) throw invalid("too many transfer syntaxes");
  }
  if (abstractSyntaxUid === undefined || transferSyntaxUids.length === 0) throw invalid("context without syntaxes");
  return { id, abstractSyntaxUid, transferSyntaxUids };
}

function decodeAnswer(value: FieldReader): PresentationContextAnswer {
  const id = contextId(value);
  value.skip(1);
  const result = value.uint8();
  value.skip(1);
  let transferSyntaxUid = "";
  // Of any other result the sub-item is not significant and is not tested. PS3.8 9.3.3.2.
  if (result !== CONTEXT_RESULT.acceptance) return { id, result, transferSyntaxUid };
  for (const { type, value: syntax } of value.items()) {
    if (type === ITEM_TYPE.transferSyntax) transferSyntaxUid = syntax.uid(syntax.remaining);
  }
  return { id, result, transferSyntaxUid };
}
