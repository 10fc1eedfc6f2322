import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ControlPdu, UserInformation } from "./pdu.ts";
import { MAXIMUM_CONTEXTS } from "./pdu-decoder.ts";
import { encodeDataHeader, encodePdu } from "./pdu-encoder.ts";
import { PduReader } from "./pdu-reader.ts";

const byte = fc.integer({ min: 0, max: 0xff });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const bytes = fc.uint8Array({ maxLength: 300 });
const uid = fc.array(fc.nat({ max: 99_999 }), { minLength: 1, maxLength: 10 }).map((parts) => parts.join("."));
/** What is left when padding is taken off. */
const text = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(..."AZaz09_ -."), maxLength }).map((value) => value.trim());

const userInformation: fc.Arbitrary<UserInformation> = fc.record({
  maximumPduLength: fc.oneof(fc.constant(0), fc.integer({ min: 8, max: 0xffff_ffff })),
  implementationClassUid: uid,
  implementationVersionName: text(16),
  asynchronousOperationsWindow: fc.option(fc.record({ invoked: uint16, performed: uint16 }), { nil: undefined }),
  roleSelections: fc.array(fc.record({ sopClassUid: uid, scu: fc.boolean(), scp: fc.boolean() })),
  extendedNegotiations: fc.array(fc.record({ sopClassUid: uid, information: bytes })),
  commonExtendedNegotiations: fc.array(
    fc.record({ sopClassUid: uid, serviceClassUid: uid, relatedGeneralSopClassUids: fc.array(uid) }),
  ),
  userIdentity: fc.option(
    fc.record({ type: byte, positiveResponseRequested: fc.boolean(), primary: bytes, secondary: bytes }),
    { nil: undefined },
  ),
  userIdentityResponse: fc.option(bytes, { nil: undefined }),
});

const associate = {
  protocolVersion: uint16,
  calledAeTitle: text(16),
  callingAeTitle: text(16),
  applicationContextUid: uid,
  userInformation,
};

/** Context ids are odd and different. PS3.8 9.3.2.2. */
function contexts<T extends object>(one: fc.Arbitrary<T>, minLength: number) {
  return fc
    .array(one, { minLength, maxLength: MAXIMUM_CONTEXTS })
    .map((all) => all.map((context, index) => ({ id: 2 * index + 1, ...context })));
}

const controlPdu: fc.Arbitrary<ControlPdu> = fc.oneof(
  fc.record({
    kind: fc.constant("A-ASSOCIATE-RQ" as const),
    ...associate,
    contexts: contexts(
      fc.record({ abstractSyntaxUid: uid, transferSyntaxUids: fc.array(uid, { minLength: 1, maxLength: 40 }) }),
      1,
    ),
  }),
  fc.record({
    kind: fc.constant("A-ASSOCIATE-AC" as const),
    ...associate,
    contexts: contexts(
      fc.oneof(
        fc.record({ result: fc.constant(0), transferSyntaxUid: uid }),
        fc.record({ result: fc.integer({ min: 1, max: 255 }), transferSyntaxUid: fc.constant("") }),
      ),
      0,
    ),
  }),
  fc.record({ kind: fc.constant("A-ASSOCIATE-RJ" as const), result: byte, source: byte, reason: byte }),
  fc.record({ kind: fc.constant("A-ABORT" as const), source: byte, reason: byte }),
  fc.constantFrom({ kind: "A-RELEASE-RQ" as const }, { kind: "A-RELEASE-RP" as const }),
);

interface Fragment {
  readonly contextId: number;
  readonly command: boolean;
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

const fragment: fc.Arbitrary<Fragment> = fc.record({
  contextId: byte,
  command: fc.boolean(),
  last: fc.boolean(),
  bytes,
});

type Sent = ControlPdu | Fragment;

function encoded(sent: Sent): Uint8Array {
  if ("kind" in sent) return encodePdu(sent);
  const { contextId, command, last } = sent;
  return Buffer.concat([encodeDataHeader(contextId, sent.bytes.length, { command, last }), sent.bytes]);
}

/** What a reader tells of the chunks; the pieces of a fragment are joined again. */
function read(chunks: readonly Uint8Array[]): readonly Sent[] {
  const told: Sent[] = [];
  let open: Fragment | undefined;
  const reader = new PduReader(0, {
    pdu: (pdu) => told.push(pdu),
    dataPdu: () => {
      open = undefined;
    },
    fragment: (piece) => {
      const joined = { ...piece, bytes: Uint8Array.from([...(open?.bytes ?? []), ...piece.bytes]) };
      if (open !== undefined) told.pop();
      told.push(joined);
      open = joined;
    },
    invalid: (error) => {
      throw error;
    },
  });
  for (const chunk of chunks) reader.push(chunk);
  return told;
}

/** The stream in pieces of these sizes, over and over. */
function cut(stream: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let offset = 0; offset < stream.length; ) {
    const size = sizes[chunks.length % sizes.length] ?? 1;
    chunks.push(stream.subarray(offset, offset + size));
    offset += size;
  }
  return chunks;
}

describe("PDUs of every kind, with every sub-item,", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(controlPdu, (pdu) => {
        expect(read([encodePdu(pdu)])).toEqual([pdu]);
      }),
    );
  });

  it("mean the same however their stream is cut", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 });
    const stream = fc.array(fc.oneof(controlPdu, fragment, fragment), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(stream, sizes, (sent, pieces) => {
        expect(read(cut(Buffer.concat(sent.map(encoded)), pieces))).toEqual(sent);
      }),
    );
  });
});
