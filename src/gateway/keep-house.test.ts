import { expect, it } from "vitest";
import { parseStudyInstanceUid, type StudyInstanceUid } from "../dicom/uid.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import type { Store } from "../store/store.ts";
import type { AuditEvent } from "../units/audit.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { createAlone } from "./keep-alone.ts";
import { keepHouse } from "./keep-house.ts";

const DAY_MS = 86_400_000;

it("removes what can be removed and tells so, whatever else cannot be swept", async () => {
  const clock = createManualClock(100 * DAY_MS);
  const [stuck, old] = ["1.1", "1.2"].map(parseStudyInstanceUid);
  const there = new Set([stuck, old]);
  const staging: Partial<StagingArea> = {
    isBelowReserve: async () => false,
    studies: async () => [...there].flatMap((study) => (study === undefined ? [] : [{ study, changedAtMs: 0 }])),
    async removeStudy(study: StudyInstanceUid) {
      if (study === stuck) throw new Error("EACCES");
      there.delete(study);
    },
  };
  const audited: AuditEvent[] = [];
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const logger = { debug: note, info: note, warn: note, error: note };
  const house = keepHouse({
    intake: { sweep: () => Promise.reject(new Error("EIO")) },
    sweep: { store: { studyIsNeeded: async () => false } as unknown as Store, staging: staging as StagingArea, clock },
    alone: createAlone({ permits: undefined, clock, logger }),
    audit: { record: async (event) => void audited.push(event) },
    actor: { name: "sam", kind: "service" },
    metrics: { add() {}, set() {}, observe() {} },
    logger,
    keepDays: 3,
    shred: false,
  });
  await clock.advance(1_000);
  await house[Symbol.asyncDispose]();
  expect([...there]).toEqual([stuck]);
  expect(audited).toMatchObject([{ event: "staging-swept", detail: { studies: 1, reason: "age" } }]);
  expect(lines).toEqual([
    "what was sent to us could not be swept",
    "studies in staging could not be removed",
    "staging swept",
  ]);
});
