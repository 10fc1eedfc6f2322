import { describe, expect, it } from "vitest";
import { decodeCommandSet, encodeCommandSet } from "./command-set.ts";

/** C-ECHO-RQ, message 7. PS3.7 9.3.5.1. */
const echoRequest = Buffer.from([
  ...[0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00], // (0000,0000) group length, 4 bytes
  ...[0x38, 0x00, 0x00, 0x00], // 56
  ...[0x00, 0x00, 0x02, 0x00, 0x12, 0x00, 0x00, 0x00], // (0000,0002) affected SOP class UID, 18 bytes
  ...Buffer.from("1.2.840.10008.1.1\0"),
  ...[0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00], // (0000,0100) command field, 2 bytes
  ...[0x30, 0x00],
  ...[0x00, 0x00, 0x10, 0x01, 0x02, 0x00, 0x00, 0x00], // (0000,0110) message id, 2 bytes
  ...[0x07, 0x00],
  ...[0x00, 0x00, 0x00, 0x08, 0x02, 0x00, 0x00, 0x00], // (0000,0800) command data set type, 2 bytes
  ...[0x01, 0x01],
]);
const echo = {
  affectedSopClassUid: "1.2.840.10008.1.1",
  commandField: 0x0030,
  messageId: 7,
  commandDataSetType: 0x0101,
};

it("is read and written element by element", () => {
  expect(decodeCommandSet(echoRequest)).toEqual(echo);
  expect(encodeCommandSet(echo)).toEqual(echoRequest);
});

it("passes over elements it does not know", () => {
  const offendingElement = Buffer.of(0, 0, 0x01, 0x09, 0x04, 0, 0, 0, 0x10, 0, 0x10, 0);
  expect(decodeCommandSet(Buffer.concat([echoRequest, offendingElement]))).toEqual(echo);
});

it("passes over what an archive puts behind the command", () => {
  const failedInstances = Buffer.of(0x08, 0, 0x58, 0, 0x04, 0, 0, 0, 0x31, 0x2e, 0x32, 0); // (0008,0058), "1.2"
  expect(decodeCommandSet(Buffer.concat([echoRequest, failedInstances]))).toEqual(echo);
});

it("keeps the blanks of an AE title to itself", () => {
  const command = { commandField: 0x0021, moveDestination: "DEST" };
  expect(decodeCommandSet(encodeCommandSet(command))).toEqual(command);
  expect(decodeCommandSet(encodeCommandSet({ moveDestination: "ODD" }))).toEqual({ moveDestination: "ODD" });
});

describe("a command set that is not one", () => {
  it.each([
    ["cut in a header", echoRequest.subarray(0, 5)],
    ["cut in a value", echoRequest.subarray(0, 20)],
    ["with an element of another group", Buffer.of(8, 0, 0, 0, 0, 0, 0, 0)],
    ["with a US of 4 bytes", Buffer.of(0, 0, 0, 1, 4, 0, 0, 0, 1, 0, 0, 0)],
  ])("is refused: %s", (_, bytes) => {
    expect(() => decodeCommandSet(bytes)).toThrow(expect.objectContaining({ code: "DIMSE_PROTOCOL_VIOLATION" }));
  });
});
