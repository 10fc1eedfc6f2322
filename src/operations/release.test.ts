import { describe, expect, it } from "vitest";
import type { JobRecord, LedgerEntry, NewRelease } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import type { AuditEvent } from "../units/audit.ts";
import { contextOf } from "./context.testing.ts";
import { describeInstances, type ReleaseWish, releaseStudy } from "./release.ts";

const JOB = {
  id: "job-1",
  project: "lung",
  state: "quarantined",
  code: "IDENTIFIER_FOUND",
  studyInstanceUid: "1.2.3.4",
  patientId: "MRN4711",
  accessionNumber: "A1",
} as unknown as JobRecord;

function entry(number: number, facts: Partial<LedgerEntry> = {}): LedgerEntry {
  const line = { sopInstanceUid: `1.2.3.4.${number}`, seriesInstanceUid: "1.2.3", receivedAtMs: 1, ...facts };
  return line as unknown as LedgerEntry;
}

const rejected = { excludedAtMs: 2, reason: "BURNED_IN_ANNOTATION", reasonDetail: "burned-in" };
const LEDGER: readonly LedgerEntry[] = [
  entry(1, { deidentifiedAtMs: 2, pseudoSopInstanceUid: "2.25.1" }),
  entry(2, rejected),
  entry(3, { excludedAtMs: 2, reason: "modality", seriesInstanceUid: "1.2.1" }),
  entry(4, { excludedAtMs: 2, reason: "released-without" }),
  entry(5, { receivedAtMs: undefined }),
];

const NONE: ReleaseWish = { reason: "reviewed by two", leaveOut: [], leaveOutRejected: false, allowTags: [] };

async function release(wish: Partial<ReleaseWish>, job: Partial<JobRecord> = {}, isStill = true) {
  const written: { release: NewRelease; audit: AuditEvent }[] = [];
  const store: Partial<Store> = {
    job: async () => ({ ...JOB, ...job }),
    ledger: async () => LEDGER,
    async releaseJob(_, asked, audit) {
      written.push({ release: asked, audit });
      return isStill;
    },
  };
  const document = await releaseStudy(contextOf({ role: "admin", told: [], store }), "job-1", { ...NONE, ...wish });
  return { document, written: written[0] };
}

describe("what is left out", () => {
  it.each<readonly [string, Partial<ReleaseWish>, readonly string[]]>([
    ["by number", { leaveOut: ["2"] }, ["1.2.3.4.2"]],
    ["by the new UID", { leaveOut: ["2.25.1"] }, ["1.2.3.4.1"]],
    ["twice", { leaveOut: ["1", "2.25.1", "1"] }, ["1.2.3.4.1"]],
    ["as rejected, now or by an earlier release", { leaveOutRejected: true }, ["1.2.3.4.2", "1.2.3.4.4"]],
    ["both ways", { leaveOut: ["1"], leaveOutRejected: true }, ["1.2.3.4.1", "1.2.3.4.2", "1.2.3.4.4"]],
  ])("is named %s", async (_, wish, expected) => {
    expect((await release(wish)).written?.release.leaveOut).toEqual(expected);
  });

  it.each(["0", "6", "2.25.9", "1.2.3.4.1", "x"])("cannot be %s, which is none of the study's", async (name) => {
    await expect(release({ leaveOut: [name] })).rejects.toMatchObject({ code: "RELEASE_INVALID" });
  });
});

describe("the tags that are allowed", () => {
  it.each([
    ["StudyDescription", "(0008,1030)"],
    ["(0008,1030)", "(0008,1030)"],
    ["0040a730/0040A160", "(0040,A730)/(0040,A160)"],
    ["ContentSequence / TextValue", "(0040,A730)/(0040,A160)"],
    ["(0029,1010)", "(0029,1010)"],
  ])("are read as %s", async (text, place) => {
    expect((await release({ allowTags: [text] })).document.allowedTags).toEqual([place]);
  });

  it.each(["", "NoSuchKeyword", "0008", "(0008,1030)/"])("are not %j", async (text) => {
    await expect(release({ allowTags: [text] })).rejects.toMatchObject({ code: "RELEASE_INVALID" });
  });
});

it("writes down who released what, why and with which exceptions", async () => {
  const { document, written } = await release({ leaveOutRejected: true, allowTags: ["StudyDescription"] });
  expect(document).toEqual({ id: "job-1", released: true, leftOut: 2, allowedTags: ["(0008,1030)"] });
  expect(written?.release).toMatchObject({ actor: "sam", reason: "reviewed by two" });
  expect(written?.audit).toEqual({
    event: "study-released",
    actor: { name: "sam", kind: "command line", role: "admin" },
    outcome: "success",
    job: "job-1",
    project: "lung",
    detail: {
      reason: "reviewed by two",
      code: "IDENTIFIER_FOUND",
      leftOut: 2,
      leftOutOf: 4,
      allowedTags: "(0008,1030)",
    },
  });
});

it.each([
  ["", "is empty"],
  [" \t", "is blank"],
  ["two\nlines", "has two lines"],
  ["x".repeat(201), "is too long"],
  ["patient mrn4711 agreed", "names the patient"],
  ["see A1, please", "names the accession number"],
  ["for 1.2.3.4", "names the study"],
  ["as 2.25.77.1.2 says", "holds a UID"],
])("takes no reason %j, which %s", async (reason) => {
  await expect(release({ reason, leaveOut: ["2"] })).rejects.toMatchObject({ code: "RELEASE_INVALID" });
});

it("takes a reason that holds the letters of a short identifier", async () => {
  expect((await release({ reason: "class A1C images", leaveOut: ["2"] })).document.released).toBe(true);
});

it("releases with an exception at least, and something left to deliver", async () => {
  await expect(release({})).rejects.toMatchObject({ code: "RELEASE_INVALID" });
  await expect(release({ leaveOut: ["1", "2", "3", "4"] })).rejects.toMatchObject({ code: "RELEASE_INVALID" });
});

it("releases what is quarantined, and still is when it is written", async () => {
  const refusal = { code: "STUDY_NOT_QUARANTINED" };
  await expect(release({ leaveOut: ["2"] }, { state: "held" })).rejects.toMatchObject(refusal);
  await expect(release({ leaveOut: ["2"] }, {}, false)).rejects.toMatchObject(refusal);
});

it("lists the instances by number and series, with reasons and without identifiers", () => {
  expect(describeInstances(LEDGER)).toEqual([
    { number: 1, series: 2, state: "passed", pseudoSopInstanceUid: "2.25.1" },
    { number: 2, series: 2, state: "rejected", code: "BURNED_IN_ANNOTATION", reason: "burned-in" },
    { number: 3, series: 1, state: "left out", code: "modality" },
    { number: 4, series: 2, state: "left out", code: "released-without" },
    { number: 5, series: 2, state: "missing" },
  ]);
});
