import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  abortPdu,
  associateAcceptPdu,
  associateRejectPdu,
  associateRequestPdu,
  releaseRequestPdu,
  releaseResponsePdu,
} from "../../../test/peers/pdu-fixtures.ts";
import { type AssociateRequest, type ControlPdu, PduError } from "./pdu.ts";
import { decodePdu } from "./pdu-decoder.ts";
import { encodeDataHeader, encodePdu } from "./pdu-encoder.ts";

const shared = {
  protocolVersion: 1,
  calledAeTitle: "CALLED",
  callingAeTitle: "CALLING",
  applicationContextUid: "1.2.840.10008.3.1.1.1",
  userInformation: {
    maximumPduLength: 16_384,
    implementationClassUid: "1.2.3.4.5",
    implementationVersionName: "TEST",
    asynchronousOperationsWindow: undefined,
    roleSelections: [],
    extendedNegotiations: [],
    commonExtendedNegotiations: [],
  },
};
const verification = "1.2.840.10008.1.1";
const implicit = "1.2.840.10008.1.2";

const fixtures: readonly (readonly [string, Uint8Array, ControlPdu])[] = [
  [
    "A-ASSOCIATE-RQ",
    associateRequestPdu,
    {
      kind: "A-ASSOCIATE-RQ",
      ...shared,
      contexts: [{ id: 1, abstractSyntaxUid: verification, transferSyntaxUids: [implicit] }],
    },
  ],
  [
    "A-ASSOCIATE-AC",
    associateAcceptPdu(),
    { kind: "A-ASSOCIATE-AC", ...shared, contexts: [{ id: 1, result: 0, transferSyntaxUid: implicit }] },
  ],
  ["A-ASSOCIATE-RJ", associateRejectPdu(2, 3, 1), { kind: "A-ASSOCIATE-RJ", result: 2, source: 3, reason: 1 }],
  ["A-RELEASE-RQ", releaseRequestPdu, { kind: "A-RELEASE-RQ" }],
  ["A-RELEASE-RP", releaseResponsePdu, { kind: "A-RELEASE-RP" }],
  ["A-ABORT", abortPdu(2, 6), { kind: "A-ABORT", source: 2, reason: 6 }],
];

describe.each(fixtures)("%s", (_, bytes, pdu) => {
  it("is read field by field", () => {
    expect(decodePdu(bytes[0] ?? 0, bytes.subarray(6))).toEqual(pdu);
  });

  it("is written as the same bytes", () => {
    expect(encodePdu(pdu)).toEqual(Buffer.from(bytes));
  });

  it("is refused, not misread, when it is cut anywhere", () => {
    for (let length = 0; length < bytes.length - 6; length += 1) {
      expect(() => decodePdu(bytes[0] ?? 0, bytes.subarray(6, 6 + length))).toThrow(PduError);
    }
  });
});

it("does not look at the transfer syntax of a context that was not accepted", () => {
  const answer = (transferSyntaxUid: string, result: number) =>
    encodePdu({ kind: "A-ASSOCIATE-AC", ...shared, contexts: [{ id: 1, result, transferSyntaxUid }] }).subarray(6);
  const garbage = "\0".repeat(99);
  expect(decodePdu(2, answer(garbage, 3))).toMatchObject({ contexts: [{ id: 1, result: 3, transferSyntaxUid: "" }] });
  expect(() => decodePdu(2, answer(garbage, 0))).toThrow(PduError);
});

it("refuses an answer that has a context id twice", () => {
  const one = { id: 1, result: 0, transferSyntaxUid: implicit };
  const answer = encodePdu({ kind: "A-ASSOCIATE-AC", ...shared, contexts: [one, one] });
  expect(() => decodePdu(0x02, answer.subarray(6))).toThrow(PduError);
});

it("writes the header of a presentation data value", () => {
  expect([...encodeDataHeader(5, 0x0102, { command: true, last: true })]).toEqual([
    ...[0x04, 0x00], // P-DATA-TF, reserved
    ...[0x00, 0x00, 0x01, 0x08], // PDU length: fragment and 6
    ...[0x00, 0x00, 0x01, 0x04], // PDV length: fragment and 2
    ...[0x05, 0x03], // context id, control: command, last
  ]);
});

it.each([
  ["CT1\0memory of C", "CT1"],
  [" CT1  ", "CT1"],
  ["CT\n1", "CT\n1"],
])("reads the AE title %j as %j: most who write it end texts with a NUL", (callingAeTitle, read) => {
  const sound = decodePdu(0x01, associateRequestPdu.subarray(6)) as AssociateRequest;
  expect(decodePdu(0x01, encodePdu({ ...sound, callingAeTitle }).subarray(6))).toMatchObject({ callingAeTitle: read });
});

describe("an A-ASSOCIATE-RQ that is not sound", () => {
  const sound = decodePdu(0x01, associateRequestPdu.subarray(6)) as AssociateRequest;
  const [context] = sound.contexts;
  const manySyntaxes = Array.from({ length: 257 }, (_, index) => `1.2.${index}`);
  const encoded = (changes: Partial<AssociateRequest>): Buffer => encodePdu({ ...sound, ...changes }).subarray(6);

  it.each([
    ["no presentation context", { contexts: [] }],
    ["an even context id", { contexts: sound.contexts.map((one) => ({ ...one, id: 2 })) }],
    ["a context id twice", { contexts: [...sound.contexts, ...sound.contexts] }],
    ["no transfer syntax", { contexts: sound.contexts.map((one) => ({ ...one, transferSyntaxUids: [] })) }],
    ["a UID of 70 characters", { applicationContextUid: "1".repeat(70) }],
    [
      "257 transfer syntaxes",
      { contexts: sound.contexts.map((one) => ({ ...one, transferSyntaxUids: manySyntaxes })) },
    ],
  ])("is refused: %s", (_, changes) => {
    expect(context).toBeDefined();
    expect(() => decodePdu(0x01, encoded(changes))).toThrow(PduError);
  });
});

it.each([
  // The item that follows 68 bytes of fixed fields; the last item, user information, is 29 bytes and its header.
  ["the application context", (body: Buffer) => [body.subarray(0, 68), body.subarray(68, 93), body.subarray(68)]],
  ["the user information", (body: Buffer) => [body, body.subarray(-33)]],
])("refuses an association request that has %s twice", (_, parts) => {
  const body = Buffer.concat(parts(Buffer.from(associateRequestPdu.subarray(6))));
  expect(() => decodePdu(0x01, body)).toThrow(expect.objectContaining({ message: expect.stringMatching(/twice/) }));
});

it("refuses a stream of empty items before it has read them all", () => {
  const empty = Buffer.alloc(4 * 1025, Uint8Array.of(0x77, 0, 0, 0));
  const body = Buffer.concat([associateRequestPdu.subarray(6), empty]);
  expect(() => decodePdu(0x01, body)).toThrow(expect.objectContaining({ message: "too many items" }));
  expect(decodePdu(0x01, body.subarray(0, -400))).toMatchObject({ kind: "A-ASSOCIATE-RQ" });
});

it("refuses whatever bytes it cannot read with a PduError and nothing else", () => {
  const anyOf = fc.constantFrom(...fixtures.map(([, bytes]) => bytes));
  fc.assert(
    fc.property(anyOf, fc.nat(), fc.integer({ min: 0, max: 255 }), (bytes, position, value) => {
      const mutated = Uint8Array.from(bytes);
      mutated[6 + (position % (bytes.length - 6))] = value;
      try {
        decodePdu(mutated[0] ?? 0, mutated.subarray(6));
      } catch (error) {
        expect(error).toBeInstanceOf(PduError);
      }
    }),
  );
});
