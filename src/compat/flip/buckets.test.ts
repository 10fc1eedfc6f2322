import { describe, expect, it } from "vitest";
import type { PacsRequest } from "../../network/rest/xnat/dqr.ts";
import { type AccessionStatus, accessionStatuses, bucketsOf } from "./buckets.ts";
import type { ImportRows } from "./import-rows.ts";

const NOW_MS = 1_000_000_000_000;
const HOUR_MS = 3_600_000;
const NOTHING: ImportRows = {
  labels: [],
  queued: [],
  executed: [],
  directArchive: [],
  prearchive: [],
  busyElsewhere: new Set(),
};

let id = 0;
function row(facts: Partial<PacsRequest>): PacsRequest {
  id += 1;
  const none = { experimentLabel: undefined, errorMessage: undefined, retries: undefined };
  const times = { queuedTime: undefined, executedTime: NOW_MS, timestamp: undefined, created: undefined };
  return {
    id,
    xnatProject: "p",
    studyInstanceUid: "1.2",
    accessionNumber: "A",
    status: "ISSUED",
    ...none,
    ...times,
    ...facts,
  };
}
const direct = (facts: Partial<ImportRows["directArchive"][number]>): ImportRows["directArchive"][number] => ({
  project: "p",
  name: "A",
  folderName: "A",
  tag: "1.2",
  status: "RECEIVING",
  id: 1,
  ...facts,
});
const prearchive = (status: string, lastmod?: string): ImportRows["prearchive"][number] => ({
  project: "p",
  name: "A",
  folderName: "A",
  tag: "1.2",
  status,
  timestamp: "20260101_000000",
  ...(lastmod === undefined ? {} : { lastmod }),
});

function judge(rows: Partial<ImportRows>, accessions: readonly string[] = ["A"]): readonly AccessionStatus[] {
  return accessionStatuses(accessions, { ...NOTHING, ...rows }, { nowMs: NOW_MS, staleMs: 24 * HOUR_MS });
}
const bucket = (rows: Partial<ImportRows>): string | undefined => judge(rows)[0]?.bucket;

describe("an accession number", () => {
  it.each<[string, string, Partial<ImportRows>]>([
    ["successful", "a session has its label", { labels: ["A"] }],
    [
      "successful",
      "it is archived, whatever an old ERROR says",
      { labels: ["A"], directArchive: [direct({ status: "ERROR" })] },
    ],
    [
      "successful",
      "it is archived, whatever an old FAILED says",
      { labels: ["A"], executed: [row({ status: "FAILED" })] },
    ],
    ["failed", "its last try failed", { executed: [row({ status: "FAILED" })] }],
    ["failed", "the direct archive failed", { directArchive: [direct({ status: "ERROR" })] }],
    [
      "failed",
      "the direct archive failed, by the folder's name",
      { directArchive: [direct({ name: null, status: "ERROR" })] },
    ],
    [
      "failed",
      "ERROR beside RECEIVED",
      { directArchive: [direct({ status: "ERROR" })], executed: [row({ status: "RECEIVED" })] },
    ],
    ["failed", "ERROR beside another row", { directArchive: [direct({ status: "ERROR" }), direct({})] }],
    [
      "failed",
      "it failed and was queued anew",
      { executed: [row({ status: "FAILED" })], queued: [row({ status: "QUEUED", retries: 0 })] },
    ],
    [
      "failed",
      "it is stuck in the prearchive",
      { prearchive: [prearchive("ERROR")], executed: [row({ status: "RECEIVED" })] },
    ],
    ["failed", "it is in conflict in the prearchive", { prearchive: [prearchive("CONFLICT")] }],
    ["processing", "its objects are coming in", { directArchive: [direct({})] }],
    ["processing", "a try of any other kind", { executed: [row({ status: "EXECUTING" })] }],
    ["processing", "it waits in the prearchive to be archived", { prearchive: [prearchive("READY")] }],
    [
      "processing",
      "a later try is on its way",
      { executed: [row({ status: "FAILED", executedTime: NOW_MS - 5 }), row({})] },
    ],
    ["queued", "it is queued", { queued: [row({ status: "QUEUED" })] }],
    [
      "queued",
      "DQR itself tries again",
      { executed: [row({ status: "FAILED" })], queued: [row({ status: "QUEUED", retries: 2 })] },
    ],
    ["queueFailed", "nobody knows it", {}],
    ["queueFailed", "others are known", { labels: ["B"], queued: [row({ accessionNumber: "C" })] }],
  ])("is %s when %s", (expected, _, rows) => {
    expect(bucket(rows)).toBe(expected);
  });

  it("that says nothing more for a day has failed, and XNAT's own words tell of a failure", () => {
    const stale = NOW_MS - 25 * HOUR_MS;
    expect(judge({ executed: [row({ status: "ISSUED", executedTime: stale })] })).toMatchObject([
      { bucket: "failed", code: "FLIP_IMPORT_STALLED", reason: "DQR: ISSUED for too long" },
    ]);
    expect(bucket({ executed: [row({ executedTime: NOW_MS - 23 * HOUR_MS })] })).toBe("processing");
    expect(bucket({ executed: [row({ executedTime: stale })], directArchive: [direct({})] })).toBe("failed");
    expect(bucket({ executed: [row({ executedTime: stale })], queued: [row({})] })).toBe("queued");
    expect(judge({ prearchive: [prearchive("RECEIVING", "2000-01-01 00:00:00.0")] })[0]?.code).toBe(
      "FLIP_IMPORT_STALLED",
    );
    const words = judge({ executed: [row({ status: "FAILED", errorMessage: "Out of Resources" })] });
    expect(words).toMatchObject([{ code: "FLIP_IMPORT_FAILED", reason: "Out of Resources" }]);
  });

  it("is known by the label that XNAT makes of it, unless that is another one's", () => {
    expect(judge({ labels: ["A_1"] }, ["A.1"])[0]?.bucket).toBe("successful");
    expect(judge({ labels: ["A_1"] }, ["A.1", "A_1"]).map((each) => each.bucket)).toEqual([
      "queueFailed",
      "successful",
    ]);
    const blank = row({ accessionNumber: undefined, experimentLabel: "A", status: "FAILED" });
    expect(bucket({ executed: [blank] })).toBe("failed");
  });
});

it("puts each accession number into one list, in the cohort's order", () => {
  const statuses = judge({ labels: ["C", "A"], queued: [row({ accessionNumber: "D" })] }, ["A", "B", "C", "D", "E"]);
  expect(bucketsOf(statuses)).toEqual({
    successful: ["A", "C"],
    failed: [],
    processing: [],
    queued: ["D"],
    queueFailed: ["B", "E"],
  });
  expect(bucketsOf([])).toEqual({ successful: [], failed: [], processing: [], queued: [], queueFailed: [] });
});
