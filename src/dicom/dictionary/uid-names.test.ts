import { expect, it } from "vitest";
import { sopClassUidOf, transferSyntaxUidOf } from "./uid-names.ts";

it.each([
  ["CTImageStorage", "1.2.840.10008.5.1.4.1.1.2"],
  ["Verification", "1.2.840.10008.1.1"],
  ["1.3.12.2.1107.5.9.1", "1.3.12.2.1107.5.9.1"],
  ["CT", undefined],
  ["", undefined],
])("knows the SOP class %j", (text, uid) => {
  expect(sopClassUidOf(text)).toBe(uid);
});

it.each([
  ["ExplicitVRLittleEndian", "1.2.840.10008.1.2.1"],
  ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.70"],
  ["JPEG2000Lossless", "1.2.840.10008.1.2.4.90"],
  ["1.2.3", undefined],
])("knows the transfer syntax %j", (text, uid) => {
  expect(transferSyntaxUidOf(text)).toBe(uid);
});
