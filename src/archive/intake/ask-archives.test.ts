import { expect, it } from "vitest";
import { parseSeriesInstanceUid, parseSopInstanceUid } from "../../dicom/uid.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { StudyListing } from "../archive.ts";
import { askArchives } from "./ask-archives.ts";

const QUIET = { id: "intake-1", studyInstanceUid: "1.2.3", rule: "scanners", instances: 3 };
/** Of the study, or delivered before they left. */
const KNOWN = new Set(["1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.3.4"]);

function listed(...numbers: readonly number[]): StudyListing {
  const instances = numbers.map((number) => ({
    seriesInstanceUid: parseSeriesInstanceUid("1.2.3.0"),
    sopInstanceUid: parseSopInstanceUid(`1.2.3.${number}`),
    sopClassUid: undefined,
  }));
  return { kind: "instances", instances };
}

async function learn(answer: () => Promise<StudyListing>, archives = ["pacs"]) {
  const closed: string[] = [];
  const asker = askArchives({
    store: { committableClasses: async (uids) => uids.map((uid) => (KNOWN.has(uid) ? "1.2" : undefined)) },
    archiveNames: () => new Map([["scanners", "pacs"]]),
    archive: (name) =>
      archives.includes(name) ? { listStudy: answer, [Symbol.dispose]: () => void closed.push(name) } : undefined,
  });
  const { expected, detail } = await asker.learn(QUIET, new AbortController().signal);
  return { expected, detail, closed };
}

const ANSWERS: readonly (readonly [string, () => Promise<StudyListing>, number | undefined, object])[] = [
  ["what we have", async () => listed(1, 2, 3), 3, { listed: 3, missing: 0 }],
  ["two more", async () => listed(1, 2, 3, 8, 9), 5, { listed: 5, missing: 2 }],
  ["what was delivered and has left", async () => listed(1, 2, 3, 4), 3, { listed: 4, missing: 0 }],
  ["others than we have", async () => listed(7, 8, 9), 6, { listed: 3, missing: 3 }],
  ["less than we have", async () => listed(1), 3, { listed: 1, missing: 0 }],
  ["a count of more", async () => ({ kind: "count", count: 5 }), 5, { listed: 5, missing: 2 }],
  ["a count of less", async () => ({ kind: "count", count: 1 }), 3, { listed: 1, missing: 0 }],
  ["nothing", async () => ({ kind: "unknown" }), undefined, { says: "nothing" }],
  [
    "that it is closed",
    () => Promise.reject(new GatewayError("ARCHIVE_CLOSED")),
    undefined,
    { code: "ARCHIVE_CLOSED" },
  ],
];

it.each(ANSWERS)("takes an archive that tells %s at its word", async (_, answer, expected, said) => {
  const detail = { archive: "pacs", instances: 3, ...said };
  expect(await learn(answer)).toEqual({ expected, detail, closed: ["pacs"] });
});

it("goes on without an archive that is not in the settings any more", async () => {
  const { expected, detail } = await learn(async () => listed(1), []);
  expect([expected, detail]).toEqual([undefined, { archive: "pacs", instances: 3, code: "ARCHIVE_UNKNOWN" }]);
});
