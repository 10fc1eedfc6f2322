import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { associateRequestPdu, dataPdu, releaseRequestPdu } from "../../../test/peers/pdu-fixtures.ts";
import { PduReader } from "./pdu-reader.ts";

/** What a reader tells, with the pieces of a fragment joined. */
function recorder(maximumPduLength = 16_384, hold?: () => Promise<void> | undefined) {
  const seen: string[] = [];
  let fragment = "";
  let passedOn = 0;
  const reader = new PduReader(maximumPduLength, {
    pdu: ({ kind }) => seen.push(kind),
    dataPdu: () => seen.push("P-DATA-TF"),
    fragment: ({ contextId, command, last, bytes }) => {
      passedOn += bytes.length;
      fragment += Buffer.from(bytes).toString("latin1");
      if (last) {
        seen.push(`${contextId} ${command ? "command" : "data"} ${fragment}`);
        fragment = "";
      }
      return hold?.();
    },
    invalid: ({ reason }) => seen.push(`invalid ${reason}`),
  });
  return { reader, seen, passedOn: () => passedOn };
}

const stream = Buffer.concat([
  associateRequestPdu,
  dataPdu(1, 0x01, Buffer.from("first ")),
  dataPdu(1, 0x03, Buffer.from("second")),
  dataPdu(3, 0x00, Buffer.from("data")),
  dataPdu(3, 0x02, Buffer.alloc(0)),
  releaseRequestPdu,
]);
const meaning = [
  "A-ASSOCIATE-RQ",
  ...["P-DATA-TF", "P-DATA-TF", "1 command first second"],
  ...["P-DATA-TF", "P-DATA-TF", "3 data data"],
  "A-RELEASE-RQ",
];

describe("a stream of PDUs", () => {
  it("means the same however it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), (sizes) => {
        const { reader, seen } = recorder();
        for (let offset = 0, turn = 0; offset < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          reader.push(stream.subarray(offset, offset + size));
          offset += size;
        }
        expect(seen).toEqual(meaning);
      }),
    );
  });

  it("waits for its taker before it goes on", async () => {
    const taken: (() => void)[] = [];
    const { reader, seen } = recorder(16_384, () => new Promise((resolve) => taken.push(resolve)));
    const pushed = reader.push(stream);
    expect(seen).toEqual(meaning.slice(0, 2));
    for (let turn = 0; turn < 4; turn += 1) {
      taken.shift()?.();
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    await pushed;
    expect(seen).toEqual(meaning);
  });
});

/** Variable field of one PDV: its header of 6 bytes and the fragment. */
it.each([
  ["no limit", 0, 50_000, "taken"],
  ["the length announced", 1_000, 1_000, "taken"],
  ["the header of a PDV more", 1_000, 1_006, "taken"],
  ["the headers of two PDVs more", 1_000, 1_012, "taken"],
  ["a byte more than that", 1_000, 1_013, "invalid 6"],
])("a P-DATA-TF of %s", (_, maximumPduLength, length, outcome) => {
  const { reader, seen } = recorder(maximumPduLength);
  reader.push(dataPdu(1, 0x02, Buffer.alloc(length - 6, "x")));
  expect(seen.at(-1)).toBe(outcome === "taken" ? `1 data ${"x".repeat(length - 6)}` : outcome);
});

describe("a PDU that lies", () => {
  const header = (type: number, length: number): Buffer => {
    const bytes = Buffer.of(type, 0, 0, 0, 0, 0);
    bytes.writeUInt32BE(length, 2);
    return bytes;
  };
  /** A P-DATA-TF of 20 bytes whose PDV says another length. */
  const pdv = (length: number): Buffer => {
    const bytes = Buffer.concat([header(0x04, 20), Buffer.alloc(20)]);
    bytes.writeUInt32BE(length, 6);
    return bytes;
  };

  it.each([
    ["an unknown type", header(0x08, 4), ["invalid 1"]],
    ["plain HTTP", Buffer.from("GET / HTTP/1.1\r\n"), ["invalid 1"]],
    ["an A-ABORT of 5 bytes", header(0x07, 5), ["invalid 6"]],
    ["an A-ASSOCIATE-RQ of 4 GB", header(0x01, 0xffff_ffff), ["invalid 6"]],
    ["an A-ASSOCIATE-RQ of more than a megabyte", header(0x01, 1024 * 1024 + 1), ["invalid 6"]],
    ["an A-ASSOCIATE-RQ shorter than its fixed fields", header(0x01, 67), ["invalid 6"]],
    ["a P-DATA-TF above the negotiated length", header(0x04, 16_384 + 13), ["invalid 6"]],
    ["a P-DATA-TF without a PDV", header(0x04, 0), ["invalid 6"]],
    ["a PDV longer than its PDU", pdv(17), ["P-DATA-TF", "invalid 6"]],
    ["a PDV shorter than its own header", pdv(1), ["P-DATA-TF", "invalid 6"]],
    ["bytes behind the last PDV that are no PDV", pdv(13), ["P-DATA-TF", "invalid 6"]],
  ])("is told, whole or byte by byte, before anything of it is passed on: %s", (_, bytes, expected) => {
    const [whole, bytewise] = [recorder(), recorder()];
    whole.reader.push(bytes);
    for (const byte of bytes) bytewise.reader.push(Uint8Array.of(byte));
    for (const { reader, seen } of [whole, bytewise]) {
      reader.push(stream);
      expect(seen).toEqual(expected);
    }
    expect([whole.passedOn(), bytewise.passedOn()]).toEqual([0, 0]);
  });
});
