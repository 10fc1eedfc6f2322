import { expect, it } from "vitest";
import { hasSurplusValues, isLegalLength } from "./legal-length.ts";

function isLegal(vr: string, value: string | Buffer): boolean {
  const bytes = Buffer.from(value);
  const place = { tag: 0x00080018, scope: "", within: [], parentTag: 0, headerOffset: 0, valueOffset: 8 };
  return isLegalLength({ ...place, vr, length: bytes.length, kind: "value" }, bytes);
}

it.each<[string, string, string | Buffer, boolean]>([
  ["two numbers", "US", Buffer.alloc(4), true],
  ["half a number", "US", Buffer.alloc(3), false],
  ["a number and a half", "FD", Buffer.alloc(12), false],
  ["a table of odd length", "OW", Buffer.alloc(3), false],
  ["nothing", "US", "", true],
  ["three of a kind", "DS", "1.234567890123\\2.34567890123\\3 ", true],
  ["a term of 17 characters", "CS", "ABCDEFGHIJKLMNOPQ ", false],
  ["a term of 16 characters beside another", "CS", "A\\ABCDEFGHIJKLMNOP", true],
  ["a UID of 66 characters", "UI", `1.${"2".repeat(64)}`, false],
  ["a text of 1100 characters", "ST", "a".repeat(1100), false],
  ["a text of 1100 characters that may be long", "UT", "a".repeat(1100), true],
])("%s", (_name, vr, value, legal) => {
  expect(isLegal(vr, value)).toBe(legal);
});

it.each<[string, number, string, string | Buffer, boolean]>([
  ["one number of one", 0x00280010, "US", Buffer.alloc(2), false],
  ["two numbers of one", 0x00280010, "US", Buffer.alloc(4), true],
  ["three texts of three", 0x00200032, "DS", "1\\2\\3", false],
  ["four texts of three", 0x00200032, "DS", "1\\2\\3\\4", true],
  ["any number of terms", 0x00080008, "CS", "A\\B\\C\\D\\E", false],
  ["a backslash of a text", 0x00204000, "LT", "left \\ right", false],
  ["a table", 0x00283006, "OW", Buffer.alloc(512), false],
])("counts %s", (_name, tag, vr, value, isSurplus) => {
  const bytes = Buffer.from(value);
  const place = { tag, scope: "", within: [], parentTag: 0, headerOffset: 0, valueOffset: 8 };
  expect(hasSurplusValues({ ...place, vr, length: bytes.length, kind: "value" }, bytes)).toBe(isSurplus);
});
