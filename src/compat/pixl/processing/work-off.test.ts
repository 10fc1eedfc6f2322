import { expect, it } from "vitest";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ClaimedInboxMessage } from "../../../store/inbox.ts";
import { neverAborted } from "../../../units/abort.ts";
import { silentLogger } from "../../../units/logger.ts";
import { seededRandom } from "../../../units/random.ts";
import { serialise } from "../messages/serialise.ts";
import { RETRY } from "./dispositions.ts";
import { type WorkOptions, workOff } from "./work-off.ts";

const NOW_MS = 1_000_000;
const MESSAGE = {
  ...{ mrn: "GONE-4711", accessionNumber: "A1", studyUid: "1.2.3", seriesUid: "", studyDate: "2020-01-01" },
  ...{ procedureOccurrenceId: 1, projectName: "lung", extractGeneratedTimestamp: "2020-01-01T00:00:00" },
};

/** How a message ends whose archive must not be asked: there is none, unless one is given. */
async function outcomeOf(isWithdrawn: WorkOptions["isWithdrawn"], archive: object = {}): Promise<unknown> {
  const outcomes: unknown[] = [];
  const message = { id: "m1", body: serialise(MESSAGE), progress: undefined, attempts: 0 };
  const options = {
    store: {
      renewInboxMessage: async () => true,
      settleInboxMessage: async (_lease: unknown, outcome: unknown) => outcomes.push(outcome) > 0,
    },
    processing: {
      clock: { nowMs: () => NOW_MS, sleep: (_: number, signal: AbortSignal) => stopped(signal) },
      logger: silentLogger,
      settings: { maximumStudies: 1, primary: {}, secondary: {} },
      sources: { primary: { archive, modality: "PACS", hours: (nowMs: number) => nowMs } },
    },
    ...{ retry: RETRY, random: seededRandom(1), isWithdrawn },
  } as unknown as WorkOptions;
  const claimed = { lease: { messageId: "m1", token: "t" }, message } as unknown as ClaimedInboxMessage;
  await workOff("imaging-primary", claimed, options, neverAborted());
  return outcomes[0];
}

function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

it("works on no message of a patient who was withdrawn from its project", async () => {
  const asked: string[] = [];
  const outcome = await outcomeOf(async (project, patientId) => asked.push(`${project} ${patientId}`) > 0);
  expect(outcome).toMatchObject({ state: "failed", code: "PATIENT_WITHDRAWN" });
  expect(asked).toEqual(["lung GONE-4711"]);
});

it("keeps a message waiting while the withdrawn list cannot be read", async () => {
  const outcome = await outcomeOf(() => Promise.reject(new GatewayError("WITHDRAWN_KEY_OTHER")));
  expect(outcome).toMatchObject({ state: "waiting", code: "WITHDRAWN_KEY_OTHER", dueAtMs: NOW_MS + 60_000 });
});

it("fetches nothing of a study whose patient, as the archive tells, was withdrawn from the project", async () => {
  const archive = {
    findStudies: async () => [{ studyInstanceUid: "1.2.3", patientId: "GONE-9", accessionNumber: "A1" }],
    listStudy: () => Promise.reject(new Error("it was listed")),
  };
  const isWithdrawn = async (project: string, patientId: string) => project === "lung" && patientId === "GONE-9";
  const outcome = await outcomeOf(isWithdrawn, archive);
  expect(outcome).toMatchObject({ state: "failed", code: "PATIENT_WITHDRAWN" });
  expect(outcome).toMatchObject({ progress: expect.stringContaining("discarded") });
});
