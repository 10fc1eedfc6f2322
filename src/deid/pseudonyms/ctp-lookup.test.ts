import { expect, it } from "vitest";
import { importCtpLookup } from "./ctp-lookup.ts";

it("reads a properties file as CTP keeps it, with its comments, escapes and lines that go on", () => {
  const text = [
    "#Sun Feb 27 13:15:00 CST 2014",
    "! another comment",
    "",
    "pid/123456=SUBJ-1",
    "ptid/MRN\\ 7\\:8 = SUBJ-2",
    "acc/A100 : \\",
    "    ACC-1",
    "suid/1.2.3\\u002E4 2.25.77",
  ].join("\n");
  expect(importCtpLookup(text, { merge: false })).toEqual({
    rows: [
      { kind: "patient", original: "123456", replacement: "SUBJ-1" },
      { kind: "patient", original: "MRN 7:8", replacement: "SUBJ-2" },
      { kind: "accession", original: "A100", replacement: "ACC-1" },
      { kind: "study", original: "1.2.3.4", replacement: "2.25.77" },
    ],
    problems: [],
    leftOut: 0,
  });
});

it("reads a last line that would go on, and does not", () => {
  const { rows } = importCtpLookup("pid/1=S1\npid/2=S2\\", { merge: false });
  expect(rows.map(({ original, replacement }) => [original, replacement])).toEqual([
    ["1", "S1"],
    ["2", "S2"],
  ]);
});

it("reads the CSV that CTP's editor takes", () => {
  const { rows, problems } = importCtpLookup('pid/0042,S1\r\n"pid/0043","S2"\r\n', { merge: false });
  expect(problems).toEqual([]);
  expect(rows.map(({ original }) => original)).toEqual(["0042", "0043"]);
});

it("takes the site's own key types by name, and leaves others out", () => {
  const kinds = new Map([["subj", "patient"] as const, ["site", undefined] as const]);
  const made = importCtpLookup("subj/1=S1\nsite/2=X\n", { kinds, merge: false });
  expect(made).toMatchObject({
    rows: [{ kind: "patient", original: "1", replacement: "S1" }],
    leftOut: 1,
    problems: [],
  });
});

it("tells every line that cannot be used, by its number", () => {
  const text = ["pid/1=S1", "pid/2=S1", "pid/1=S3", "colour/red=blue", "pid/3=not allowed!", "pid/=S4", "pid/S5=S5"];
  expect(importCtpLookup(text.join("\n"), { merge: false }).problems).toEqual([
    { line: 2, problem: "replacement-twice" },
    { line: 3, problem: "original-twice" },
    { line: 4, problem: "key-type-unknown" },
    { line: 5, problem: "replacement-invalid" },
    { line: 6, problem: "original-empty" },
    { line: 7, problem: "same-as-original" },
  ]);
});

it("lets patients become one by leave alone", () => {
  expect(importCtpLookup("pid/1=S1\npid/2=S1\n", { merge: true }).problems).toEqual([]);
});
