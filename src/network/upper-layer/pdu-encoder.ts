import {
  type AssociateAccept,
  type AssociateRequest,
  type ControlPdu,
  ITEM_TYPE,
  PDU_TYPE,
  PDV_HEADER_BYTES,
  PDV_IS_COMMAND,
  PDV_IS_LAST,
  type RoleSelection,
  type UserInformation,
} from "./pdu.ts";

/** The bytes of a PDU other than P-DATA-TF. PS3.8 9.3.2 to 9.3.8. */
export function encodePdu(pdu: ControlPdu): Buffer {
  switch (pdu.kind) {
    case "A-ASSOCIATE-RQ":
    case "A-ASSOCIATE-AC":
      return frame(PDU_TYPE[pdu.kind], associateBody(pdu));
    case "A-ASSOCIATE-RJ":
      return frame(PDU_TYPE[pdu.kind], Buffer.of(0, pdu.result, pdu.source, pdu.reason));
    case "A-ABORT":
      return frame(PDU_TYPE[pdu.kind], Buffer.of(0, 0, pdu.source, pdu.reason));
    case "A-RELEASE-RQ":
    case "A-RELEASE-RP":
      return frame(PDU_TYPE[pdu.kind], Buffer.alloc(4));
  }
}

/** Header of a P-DATA-TF PDU that holds one presentation data value of `fragmentBytes`. PS3.8 9.3.5. */
export function encodeDataHeader(
  contextId: number,
  fragmentBytes: number,
  flags: { readonly command: boolean; readonly last: boolean },
): Buffer {
  const header = Buffer.alloc(12);
  header[0] = PDU_TYPE["P-DATA-TF"];
  header.writeUInt32BE(fragmentBytes + PDV_HEADER_BYTES, 2);
  header.writeUInt32BE(fragmentBytes + 2, 6);
  header[10] = contextId;
  header[11] = (flags.command ? PDV_IS_COMMAND : 0) | (flags.last ? PDV_IS_LAST : 0);
  return header;
}

function frame(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(6);
  header[0] = type;
  header.writeUInt32BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function associateBody(pdu: AssociateRequest | AssociateAccept): Buffer {
  const fixed = Buffer.alloc(68);
  fixed.writeUInt16BE(pdu.protocolVersion, 0);
  fixed.write(pdu.calledAeTitle.padEnd(16), 4, 16, "latin1");
  fixed.write(pdu.callingAeTitle.padEnd(16), 20, 16, "latin1");
  return Buffer.concat([
    fixed,
    textItem(ITEM_TYPE.applicationContext, pdu.applicationContextUid),
    ...(pdu.kind === "A-ASSOCIATE-RQ" ? pdu.contexts.map(proposalItem) : pdu.contexts.map(answerItem)),
    userInformationItem(pdu.userInformation),
  ]);
}

function item(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.of(type, 0, 0, 0);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function textItem(type: number, text: string): Buffer {
  return item(type, Buffer.from(text, "latin1"));
}

function proposalItem(context: AssociateRequest["contexts"][number]): Buffer {
  return item(
    ITEM_TYPE.presentationContextProposal,
    Buffer.of(context.id, 0, 0, 0),
    textItem(ITEM_TYPE.abstractSyntax, context.abstractSyntaxUid),
    ...context.transferSyntaxUids.map((uid) => textItem(ITEM_TYPE.transferSyntax, uid)),
  );
}

function answerItem(context: AssociateAccept["contexts"][number]): Buffer {
  return item(
    ITEM_TYPE.presentationContextResult,
    Buffer.of(context.id, 0, context.result, 0),
    textItem(ITEM_TYPE.transferSyntax, context.transferSyntaxUid),
  );
}

function userInformationItem(information: UserInformation): Buffer {
  const maximumLength = Buffer.alloc(4);
  maximumLength.writeUInt32BE(information.maximumPduLength);
  const parts = [
    item(ITEM_TYPE.maximumLength, maximumLength),
    textItem(ITEM_TYPE.implementationClassUid, information.implementationClassUid),
  ];
  const window = information.asynchronousOperationsWindow;
  if (window !== undefined) {
    const body = Buffer.alloc(4);
    body.writeUInt16BE(window.invoked, 0);
    body.writeUInt16BE(window.performed, 2);
    parts.push(item(ITEM_TYPE.asynchronousOperationsWindow, body));
  }
  parts.push(...information.roleSelections.map(roleSelectionItem));
  if (information.implementationVersionName !== "") {
    parts.push(textItem(ITEM_TYPE.implementationVersionName, information.implementationVersionName));
  }
  return item(ITEM_TYPE.userInformation, ...parts);
}

function roleSelectionItem(role: RoleSelection): Buffer {
  const uid = Buffer.from(role.sopClassUid, "latin1");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(uid.length);
  return item(ITEM_TYPE.roleSelection, length, uid, Buffer.of(role.scu ? 1 : 0, role.scp ? 1 : 0));
}
