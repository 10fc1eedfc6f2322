import {
  type AssociateAccept,
  type AssociateRequest,
  type ControlPdu,
  ITEM_TYPE,
  PDU_TYPE,
  PDV_HEADER_BYTES,
  PDV_IS_COMMAND,
  PDV_IS_LAST,
} from "./pdu.ts";
import { item, textItem } from "./pdu-items.ts";
import { encodeUserInformation } from "./user-information.ts";

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
    encodeUserInformation(pdu.userInformation),
  ]);
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
