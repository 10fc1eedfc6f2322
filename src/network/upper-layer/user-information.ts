import type { FieldReader } from "./field-reader.ts";
import {
  ABORT_REASON,
  type CommonExtendedNegotiation,
  type ExtendedNegotiation,
  ITEM_TYPE,
  PDV_HEADER_BYTES,
  PduError,
  type RoleSelection,
  type UserIdentityItem,
  type UserInformation,
} from "./pdu.ts";
import { item, lengthAndBytes, textItem, uint16 } from "./pdu-items.ts";

/** One presentation data value with two bytes in it: with less, nothing can be sent. */
const SMALLEST_DATA_PDU_LENGTH = PDV_HEADER_BYTES + 2;

type Collected = { -readonly [K in keyof UserInformation]: UserInformation[K] } & {
  roleSelections: RoleSelection[];
  extendedNegotiations: ExtendedNegotiation[];
  commonExtendedNegotiations: CommonExtendedNegotiation[];
};

/** Sub-items by type; those not here are passed over. PS3.8 D.1, PS3.7 D.3.3. */
const DECODERS: { readonly [type: number]: (value: FieldReader, collected: Collected) => void } = {
  [ITEM_TYPE.maximumLength]: (value, collected) => {
    const length = value.uint32();
    if (length !== 0 && length < SMALLEST_DATA_PDU_LENGTH) {
      throw new PduError(ABORT_REASON.invalidPduParameterValue, `maximum length ${length}`);
    }
    collected.maximumPduLength = length;
  },
  [ITEM_TYPE.implementationClassUid]: (value, collected) => {
    collected.implementationClassUid = value.uid(value.remaining);
  },
  [ITEM_TYPE.asynchronousOperationsWindow]: (value, collected) => {
    collected.asynchronousOperationsWindow = { invoked: value.uint16(), performed: value.uint16() };
  },
  [ITEM_TYPE.roleSelection]: (value, { roleSelections }) => {
    const sopClassUid = value.uid(value.uint16());
    roleSelections.push({ sopClassUid, scu: value.uint8() === 1, scp: value.uint8() === 1 });
  },
  [ITEM_TYPE.implementationVersionName]: (value, collected) => {
    collected.implementationVersionName = value.text(value.remaining);
  },
  [ITEM_TYPE.extendedNegotiation]: (value, { extendedNegotiations }) => {
    const sopClassUid = value.uid(value.uint16());
    extendedNegotiations.push({ sopClassUid, information: Uint8Array.from(value.bytes(value.remaining)) });
  },
  [ITEM_TYPE.commonExtendedNegotiation]: (value, { commonExtendedNegotiations }) => {
    commonExtendedNegotiations.push(decodeCommonExtendedNegotiation(value));
  },
  [ITEM_TYPE.userIdentity]: (value, collected) => {
    if (collected.userIdentity !== undefined) throw twice("user identity");
    collected.userIdentity = decodeUserIdentity(value);
  },
  [ITEM_TYPE.userIdentityResponse]: (value, collected) => {
    if (collected.userIdentityResponse !== undefined) throw twice("user identity response");
    collected.userIdentityResponse = Uint8Array.from(value.bytes(value.uint16()));
  },
};

/** Two of these would leave open who the user is. */
function twice(name: string): PduError {
  return new PduError(ABORT_REASON.invalidPduParameterValue, `${name} twice`);
}

/** Of an item that says one thing twice, the last counts. @throws PduError */
export function decodeUserInformation(reader: FieldReader): UserInformation {
  const collected: Collected = {
    // Absent maximum length means no limit, as 0 does. PS3.8 D.1.
    maximumPduLength: 0,
    implementationClassUid: "",
    implementationVersionName: "",
    asynchronousOperationsWindow: undefined,
    roleSelections: [],
    extendedNegotiations: [],
    commonExtendedNegotiations: [],
  };
  for (const { type, value } of reader.items()) DECODERS[type]?.(value, collected);
  return collected;
}

/** PS3.7 D.3.3.6.1; what follows the related classes is reserved. */
function decodeCommonExtendedNegotiation(value: FieldReader): CommonExtendedNegotiation {
  const sopClassUid = value.uid(value.uint16());
  const serviceClassUid = value.uid(value.uint16());
  const related = value.part(value.uint16());
  const relatedGeneralSopClassUids: string[] = [];
  while (related.remaining > 0) relatedGeneralSopClassUids.push(related.uid(related.uint16()));
  return { sopClassUid, serviceClassUid, relatedGeneralSopClassUids };
}

/** PS3.7 D.3.3.7.1. */
function decodeUserIdentity(value: FieldReader): UserIdentityItem {
  const type = value.uint8();
  const positiveResponseRequested = value.uint8() === 1;
  const primary = Uint8Array.from(value.bytes(value.uint16()));
  // Some leave the length of an empty secondary field out.
  const secondary = Uint8Array.from(value.remaining === 0 ? [] : value.bytes(value.uint16()));
  return { type, positiveResponseRequested, primary, secondary };
}

/** The user information item. PS3.8 9.3.2.3, with the sub-items in ascending order. */
export function encodeUserInformation(information: UserInformation): Buffer {
  const maximumLength = Buffer.alloc(4);
  maximumLength.writeUInt32BE(information.maximumPduLength);
  const { asynchronousOperationsWindow: window, userIdentity, userIdentityResponse } = information;
  const named = information.implementationVersionName !== "";
  return item(
    ITEM_TYPE.userInformation,
    item(ITEM_TYPE.maximumLength, maximumLength),
    textItem(ITEM_TYPE.implementationClassUid, information.implementationClassUid),
    ...(window === undefined
      ? []
      : [item(ITEM_TYPE.asynchronousOperationsWindow, uint16(window.invoked), uint16(window.performed))]),
    ...information.roleSelections.map(roleSelectionItem),
    ...(named ? [textItem(ITEM_TYPE.implementationVersionName, information.implementationVersionName)] : []),
    ...(information.extendedNegotiations ?? []).map(extendedNegotiationItem),
    ...(information.commonExtendedNegotiations ?? []).map(commonExtendedNegotiationItem),
    ...(userIdentity === undefined ? [] : [userIdentityItem(userIdentity)]),
    ...(userIdentityResponse === undefined
      ? []
      : [item(ITEM_TYPE.userIdentityResponse, ...lengthAndBytes(userIdentityResponse))]),
  );
}

function uid(text: string): readonly Uint8Array[] {
  return lengthAndBytes(Buffer.from(text, "latin1"));
}

function roleSelectionItem({ sopClassUid, scu, scp }: RoleSelection): Buffer {
  return item(ITEM_TYPE.roleSelection, ...uid(sopClassUid), Buffer.of(scu ? 1 : 0, scp ? 1 : 0));
}

function extendedNegotiationItem({ sopClassUid, information }: ExtendedNegotiation): Buffer {
  return item(ITEM_TYPE.extendedNegotiation, ...uid(sopClassUid), information);
}

function commonExtendedNegotiationItem(negotiation: CommonExtendedNegotiation): Buffer {
  const { sopClassUid, serviceClassUid, relatedGeneralSopClassUids } = negotiation;
  const related = Buffer.concat(relatedGeneralSopClassUids.flatMap(uid));
  return item(
    ITEM_TYPE.commonExtendedNegotiation,
    ...uid(sopClassUid),
    ...uid(serviceClassUid),
    ...lengthAndBytes(related),
  );
}

function userIdentityItem({ type, positiveResponseRequested, primary, secondary }: UserIdentityItem): Buffer {
  const head = Buffer.of(type, positiveResponseRequested ? 1 : 0);
  return item(ITEM_TYPE.userIdentity, head, ...lengthAndBytes(primary), ...lengthAndBytes(secondary));
}
