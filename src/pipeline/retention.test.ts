import { expect, it } from "vitest";
import { parseStudyInstanceUid, type StudyInstanceUid } from "../dicom/uid.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import type { Store } from "../store/store.ts";
import { sweepStaging } from "./retention.ts";

const DAY_MS = 86_400_000;
const now = 100 * DAY_MS;

it("removes what has lain for its time and is not needed any more", async () => {
  const [old, fresh, needed] = ["1.1", "1.2", "1.3"].map(parseStudyInstanceUid);
  const ages = new Map([
    [old, 4],
    [fresh, 1],
    [needed, 9],
  ]);
  let isFull = false;
  const removed: (StudyInstanceUid | undefined)[] = [];
  const staging = {
    studies: async () => [...ages].map(([study, days]) => ({ study, changedAtMs: now - days * DAY_MS })),
    isBelowReserve: async () => isFull,
    removeStudy: async (study: StudyInstanceUid) => void removed.push(study),
  } as unknown as StagingArea;
  const store = { studyIsNeeded: async (study: string) => study === needed } as unknown as Store;
  const clock = { nowMs: () => now, sleep: async () => {} };
  expect(await sweepStaging({ store, staging, clock }, 3 * DAY_MS)).toEqual({
    removed: 1,
    failures: [],
    isRoomNeeded: false,
  });
  expect(removed).toEqual([old]);
  // While the disk is full, nothing is kept that nobody needs.
  isFull = true;
  expect(await sweepStaging({ store, staging, clock }, 3 * DAY_MS)).toEqual({
    removed: 2,
    failures: [],
    isRoomNeeded: true,
  });
  expect(removed).toEqual([old, old, fresh]);
});

it("removes the others when one cannot be removed, and tells what kept it", async () => {
  const studies = ["1.1", "1.2", "1.3"].map(parseStudyInstanceUid);
  const refused = new Error("EACCES");
  const removed: StudyInstanceUid[] = [];
  const staging = {
    studies: async () => studies.map((study) => ({ study, changedAtMs: 0 })),
    isBelowReserve: async () => false,
    async removeStudy(study: StudyInstanceUid) {
      if (study === studies[0]) throw refused;
      removed.push(study);
    },
  } as unknown as StagingArea;
  const store = { studyIsNeeded: async () => false } as unknown as Store;
  const clock = { nowMs: () => now, sleep: async () => {} };
  const swept = await sweepStaging({ store, staging, clock }, 3 * DAY_MS);
  expect(swept).toEqual({ removed: 2, failures: [refused], isRoomNeeded: false });
  expect(removed).toEqual(studies.slice(1));
});
