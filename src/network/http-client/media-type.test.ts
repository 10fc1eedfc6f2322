import { expect, it } from "vitest";
import { parseMediaType, quoted } from "./media-type.ts";

it.each([
  ["multipart/related; boundary=abc", { boundary: "abc" }],
  ["Multipart/Related;BOUNDARY=abc", { boundary: "abc" }],
  [
    'multipart/related; type="application/xop+xml"; boundary="a b;c"; start=x',
    {
      type: "application/xop+xml",
      boundary: "a b;c",
      start: "x",
    },
  ],
  [
    'multipart/related; start-info="application/soap+xml; action=\\"urn:x\\""; boundary=b',
    {
      "start-info": 'application/soap+xml; action="urn:x"',
      boundary: "b",
    },
  ],
  ["multipart/related; boundary=uuid:1=2; type=x", { boundary: "uuid:1=2", type: "x" }],
  ["multipart/related; boundary=----=_Part_1_17.16", { boundary: "----=_Part_1_17.16" }],
  ["multipart/related; junk; boundary=b;", { boundary: "b" }],
  ['multipart/related; boundary="never closed', { boundary: "never closed" }],
  ["multipart/related; boundary=first; boundary=second", { boundary: "first" }],
])("reads %s", (text, parameters) => {
  const parsed = parseMediaType(text);
  expect(parsed?.type).toBe("multipart/related");
  expect(Object.fromEntries(parsed?.parameters ?? [])).toEqual(parameters);
});

it.each([undefined, "", "multipart", "a b/c", `a/b; c=${"d".repeat(5_000)}`])("reads nothing in %s", (text) => {
  expect(parseMediaType(text)).toBeUndefined();
});

it("writes a value so that it is read again", () => {
  for (const value of ["abc", 'a "quoted" \\ b', "uuid:1=2", ""]) {
    expect(parseMediaType(`a/b; c=${quoted(value)}`)?.parameters.get("c")).toBe(value);
  }
});
