import { describe, expect, it } from "vitest";
import { FieldReader } from "./field-reader.ts";
import { PduError, type UserInformation } from "./pdu.ts";
import { decodeUserInformation, encodeUserInformation } from "./user-information.ts";

const ascii = (text: string): number[] => [...Buffer.from(text, "latin1")];

/** Sub-items that every user information has. PS3.8 D.1, PS3.7 D.3.3.2. */
const usual = [
  ...[0x51, 0x00, 0x00, 0x04, 0x00, 0x00, 0x40, 0x00], // maximum length: 16384
  ...[0x52, 0x00, 0x00, 0x05, ...ascii("1.2.3")], // implementation class UID
];
const usually: UserInformation = {
  maximumPduLength: 16_384,
  implementationClassUid: "1.2.3",
  implementationVersionName: "",
  asynchronousOperationsWindow: undefined,
  roleSelections: [],
  extendedNegotiations: [],
  commonExtendedNegotiations: [],
};

function decoded(...bytes: readonly number[]): UserInformation {
  return decodeUserInformation(new FieldReader(Uint8Array.from(bytes)));
}

/** PS3.7 D.3.3, table by table. */
const SUB_ITEMS: readonly (readonly [string, readonly number[], Partial<UserInformation>])[] = [
  [
    "asynchronous operations window (D.3-7)",
    [
      ...[0x53, 0x00, 0x00, 0x04], // type, reserved, length
      ...[0x00, 0x02, 0x00, 0x00], // invoked: 2, performed: no limit
    ],
    { asynchronousOperationsWindow: { invoked: 2, performed: 0 } },
  ],
  [
    "role selection (D.3-9)",
    [
      ...[0x54, 0x00, 0x00, 0x09], // type, reserved, length
      ...[0x00, 0x05, ...ascii("1.2.4")], // SOP class UID
      ...[0x00, 0x01], // not SCU, SCP
    ],
    { roleSelections: [{ sopClassUid: "1.2.4", scu: false, scp: true }] },
  ],
  [
    "implementation version name (D.3-3)",
    [0x55, 0x00, 0x00, 0x04, ...ascii("TEST")],
    { implementationVersionName: "TEST" },
  ],
  [
    "SOP class extended negotiation (D.3-11)",
    [
      ...[0x56, 0x00, 0x00, 0x0a], // type, reserved, length
      ...[0x00, 0x05, ...ascii("1.2.4")], // SOP class UID
      ...[0x01, 0x00, 0x01], // service class application information
    ],
    { extendedNegotiations: [{ sopClassUid: "1.2.4", information: Uint8Array.of(1, 0, 1) }] },
  ],
  [
    "SOP class common extended negotiation (D.3-12)",
    [
      ...[0x57, 0x00, 0x00, 0x1e], // type, version, length
      ...[0x00, 0x05, ...ascii("1.2.4")], // SOP class UID
      ...[0x00, 0x05, ...ascii("1.2.5")], // service class UID
      ...[0x00, 0x0e], // length of the related general SOP classes
      ...[0x00, 0x05, ...ascii("1.2.6")],
      ...[0x00, 0x05, ...ascii("1.2.7")],
    ],
    {
      commonExtendedNegotiations: [
        { sopClassUid: "1.2.4", serviceClassUid: "1.2.5", relatedGeneralSopClassUids: ["1.2.6", "1.2.7"] },
      ],
    },
  ],
  [
    "user identity, request (D.3-14)",
    [
      ...[0x58, 0x00, 0x00, 0x0d], // type, reserved, length
      ...[0x02, 0x01], // user name and passcode, positive response requested
      ...[0x00, 0x04, ...ascii("anna")], // primary field
      ...[0x00, 0x03, ...ascii("p w")], // secondary field
    ],
    {
      userIdentity: {
        type: 2,
        positiveResponseRequested: true,
        primary: Uint8Array.from(ascii("anna")),
        secondary: Uint8Array.from(ascii("p w")),
      },
    },
  ],
  [
    "user identity, answer (D.3-15)",
    [
      ...[0x59, 0x00, 0x00, 0x04], // type, reserved, length
      ...[0x00, 0x02, 0xca, 0xfe], // server response
    ],
    { userIdentityResponse: Uint8Array.of(0xca, 0xfe) },
  ],
];

describe.each(SUB_ITEMS)("%s", (_, bytes, meaning) => {
  it("is read field by field", () => {
    expect(decoded(...usual, ...bytes)).toEqual({ ...usually, ...meaning });
  });

  it("is written as the same bytes", () => {
    const item = encodeUserInformation({ ...usually, ...meaning });
    // Behind the header of the user information item.
    expect([...item.subarray(4)]).toEqual([...usual, ...bytes]);
  });

  it("is refused, not misread, when it is cut anywhere", () => {
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => decoded(...usual, ...bytes.slice(0, length))).toThrow(PduError);
    }
  });
});

it("passes over sub-items that it does not know", () => {
  const unknown = [0x5f, 0x00, 0x00, 0x03, 1, 2, 3];
  const known = [0x55, 0x00, 0x00, 0x01, ...ascii("V")];
  expect(decoded(...unknown, ...usual, ...unknown, ...known)).toEqual({ ...usually, implementationVersionName: "V" });
});

it("needs none of them: no maximum length is no limit", () => {
  expect(decoded()).toEqual({ ...usually, maximumPduLength: 0, implementationClassUid: "" });
});

it("takes the last of what is said twice", () => {
  expect(decoded(...usual, ...[0x51, 0x00, 0x00, 0x04, 0, 0, 0, 0])).toMatchObject({ maximumPduLength: 0 });
});

it("reads a user name that comes without the length of its passcode", () => {
  const item = [0x58, 0x00, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, ...ascii("A")];
  expect(decoded(...item).userIdentity).toMatchObject({ type: 1, primary: Uint8Array.of(0x41) });
});

it.each([
  ["two users", [0x58, 0x00, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x41]],
  ["two confirmations of a user", [0x59, 0x00, 0x00, 0x02, 0x00, 0x00]],
])("refuses %s: who it is must not be open", (_, item) => {
  expect(() => decoded(...item, ...item)).toThrow(PduError);
});

/** A P-DATA-TF of 8 bytes holds a PDV of two. PS3.8 9.3.5. */
it.each([
  [0, true],
  [7, false],
  [8, true],
  [0xffff_ffff, true],
])("takes a maximum length of %i: %s", (length, isTaken) => {
  const field = Buffer.alloc(4);
  field.writeUInt32BE(length);
  const read = () => decoded(0x51, 0x00, 0x00, 0x04, ...field).maximumPduLength;
  if (isTaken) expect(read()).toBe(length);
  else expect(read).toThrow(PduError);
});

it("writes nothing that does not fit its length", () => {
  const information = new Uint8Array(65_530);
  const written = { ...usually, extendedNegotiations: [{ sopClassUid: "1.2.4", information }] };
  expect(() => encodeUserInformation(written)).toThrow(RangeError);
});
