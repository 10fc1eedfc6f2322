import { describe, expect, it } from "vitest";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { declareDeidentified, parsePseudonym } from "../staging/deidentified-file.ts";
import { kindOfInstance } from "./instance-kind.ts";
import type { InstanceOutcome } from "./outcome.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { createStudyReport } from "./study-report.ts";
import { studyReportSchema } from "./study-report-schema.ts";

const deidentified: InstanceOutcome = {
  kind: "deidentified",
  file: declareDeidentified({
    pseudonym: parsePseudonym("P1"),
    studyInstanceUid: parseStudyInstanceUid("2.25.1"),
    seriesInstanceUid: parseSeriesInstanceUid("2.25.2"),
    sopInstanceUid: parseSopInstanceUid("2.25.3"),
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    transferSyntaxUid: "1.2.840.10008.1.2.1",
    path: "/outbox/2.25.3.dcm",
    sizeBytes: 1000,
    sha256: "00",
  }),
  summary: {
    actions: new Map([["(0010,0010)", { pseudonym: 1 }]]),
    unlisted: new Map([["(0018,9999)", 2]]),
    privateElements: new Map([["(0029,xx10)", 3]]),
    notes: new Map([["surplus-pixel-bytes", 1]]),
    options: ["113107", "113100"],
    sample: [
      { tag: "(0010,0010)", vr: "PN", depth: 0, before: { class: "name", length: 19 }, after: { length: 16 } },
      { tag: "(0008,1030)", vr: "LO", depth: 0, before: { class: "text", length: 23 } },
    ],
    verify: { hits: 0, sizeBytes: 1000, identifiers: 7 },
  },
  originalPatientId: "P1",
  links: [],
};
const rejected: InstanceOutcome = { kind: "rejected", code: "BURNED_IN_ANNOTATION", reason: "image-type" };

function outcomeOf(profile: string, outcomes: readonly InstanceOutcome[]): string {
  const report = createStudyReport({ project: "lung", profile: loadProfile(profile), keyId: "0011aabb" });
  for (const outcome of outcomes) report.add(outcome);
  return report.document().outcome;
}

it("adds up what was done to a study, by tag and reason", () => {
  const report = createStudyReport({ project: "lung", profile: loadProfile("research"), keyId: "0011aabb" });
  for (const outcome of [deidentified, deidentified, rejected, { kind: "excluded", reason: "modality" } as const])
    report.add(outcome);
  expect(report.document()).toMatchObject({
    project: "lung",
    profile: { name: "research", version: 1 },
    outcome: "delivered",
    counts: { instances: 4, deidentified: 2, excluded: 1, rejected: 1 },
    actions: { "(0010,0010)": { pseudonym: 2 } },
    unlisted: { "(0018,9999)": 4 },
    private: { "(0029,xx10)": 6 },
    notes: { "surplus-pixel-bytes": 2 },
    options: ["113100", "113107"],
    reasons: [
      { code: "BURNED_IN_ANNOTATION", reason: "image-type", count: 1 },
      { code: "EXCLUDED", reason: "modality", count: 1 },
    ],
    verify: { hits: 0, bytes: 2000, identifiers: 14 },
  });
});

describe("a rejected instance", () => {
  it("stops its study under basic, and alone stays behind under research", () => {
    expect(outcomeOf("basic", [deidentified, rejected])).toBe("quarantined");
    expect(outcomeOf("research", [deidentified, rejected])).toBe("delivered");
  });

  it("stops a study of which nothing is left", () => {
    expect(outcomeOf("research", [rejected])).toBe("quarantined");
    expect(outcomeOf("research", [{ kind: "excluded", reason: "modality" }])).toBe("excluded");
  });
});

it("refuses profiles that it does not have", () => {
  expect(() => loadProfile("nowhere")).toThrow(expect.objectContaining({ code: "PROFILE_UNKNOWN" }));
});

describe("what the study as a whole tells", () => {
  const concluded = () => {
    const report = createStudyReport({ project: "lung", profile: loadProfile("research"), keyId: "0011aabb" });
    for (const outcome of [deidentified, deidentified]) report.add(outcome);
    report.revoke({ code: "IDENTIFIER_FOUND", reason: "name in (0028,3006)" });
    report.conclude({
      notes: new Map([["reference-not-delivered", 3]]),
      accepted: new Map(),
      identifiers: 5,
      durationMs: 12.4,
    });
    return report.document();
  };

  it("takes back what was given away", () => {
    expect(concluded()).toMatchObject({
      counts: { instances: 2, deidentified: 1, excluded: 0, rejected: 1 },
      notes: { "reference-not-delivered": 3 },
      reasons: [{ code: "IDENTIFIER_FOUND", reason: "name in (0028,3006)", count: 1 }],
      verify: { hits: 1, identifiers: 19, ms: 12 },
    });
  });

  it("shows each attribute once, in the order of tags", () => {
    expect(concluded().sample.map(({ tag }) => tag)).toEqual(["(0008,1030)", "(0010,0010)"]);
  });

  it("has the published form", () => {
    const document = JSON.parse(JSON.stringify(concluded()));
    expect(studyReportSchema.parse(document)).toEqual(document);
    expect(
      studyReportSchema.safeParse({ ...document, sample: [{ tag: "(0010,0010)", before: "Brandybuck" }] }).success,
    ).toBe(false);
  });
});

it("counts what stayed behind by SOP class and modality, in the standard's words alone", () => {
  const report = createStudyReport({ project: "lung", profile: loadProfile("research"), keyId: "0011aabb" });
  const capture = kindOfInstance({ sopClassUid: "1.2.840.10008.5.1.4.1.1.7", modality: "OT" });
  // A modality is what a technician typed, and a private class's UID may be anything.
  const odd = kindOfInstance({ sopClassUid: "1.2.3.19700101", modality: "DOE JANE" });
  for (const kind of [capture, odd, capture]) report.add(rejected, kind);
  report.add(deidentified, capture);
  report.revoke({ code: "IDENTIFIER_FOUND", reason: "name in (0008,1030)" }, capture);
  const document = report.document();
  expect(document.reasons).toEqual([
    {
      ...{ code: "BURNED_IN_ANNOTATION", reason: "image-type", count: 3 },
      kinds: [
        { sopClass: "", modality: "", count: 1 },
        { sopClass: "SecondaryCaptureImageStorage", modality: "OT", count: 2 },
      ],
    },
    {
      ...{ code: "IDENTIFIER_FOUND", reason: "name in (0008,1030)", tag: "(0008,1030)", count: 1 },
      kinds: [{ sopClass: "SecondaryCaptureImageStorage", modality: "OT", count: 1 }],
    },
  ]);
  expect(studyReportSchema.parse(document)).toEqual(document);
});

it("names the place of a reason on its own, and counts the originals that could not be read", () => {
  const report = createStudyReport({ project: "lung", profile: loadProfile("research"), keyId: "0011aabb" });
  for (const reason of ["name in (0008,1030)", "id in (0008,2218)/(0008,0100)"])
    report.add({ kind: "rejected", code: "IDENTIFIER_FOUND", reason });
  report.add({ kind: "rejected", code: "INSTANCE_NOT_PARSABLE", reason: "DICOM_TRUNCATED" });
  const document = report.document();
  expect(document.counts).toEqual({ instances: 3, deidentified: 0, excluded: 0, rejected: 3, failed: 1 });
  expect(document.reasons).toEqual([
    { code: "IDENTIFIER_FOUND", reason: "id in (0008,2218)/(0008,0100)", tag: "(0008,2218)/(0008,0100)", count: 1 },
    { code: "IDENTIFIER_FOUND", reason: "name in (0008,1030)", tag: "(0008,1030)", count: 1 },
    { code: "INSTANCE_NOT_PARSABLE", reason: "DICOM_TRUNCATED", count: 1 },
  ]);
  expect(studyReportSchema.parse(document)).toEqual(document);
});
