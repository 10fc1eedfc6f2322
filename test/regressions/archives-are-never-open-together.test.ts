import { expect, it } from "vitest";
import type { Archive } from "../../src/archive/archive.ts";
import { parseStudyInstanceUid } from "../../src/dicom/uid.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { locate } from "../../src/pipeline/locate.ts";
import type { StepContext } from "../../src/pipeline/step.ts";
import type { JobChange, JobEvent } from "../../src/store/records.ts";

const STUDY = parseStudyInstanceUid("1.2.3.4");
const HOUR_MS = 3_600_000;

/** Two archives, one open in the first half of each day, the other in the second; the study is in the second, or nowhere. */
function site({ isThere = true } = {}) {
  let nowMs = 0;
  const asked: string[] = [];
  const events: JobEvent[] = [];
  const archive = (name: string, opensAtHour: number, studies: readonly string[]): Archive => ({
    name,
    kind: "dimse",
    capabilities: { search: "itself", retrieves: "instance", connects: "us" },
    associations: 1,
    async findStudies() {
      const hour = (nowMs / HOUR_MS) % 24;
      if (hour < opensAtHour || hour >= opensAtHour + 12)
        throw new GatewayError("ARCHIVE_CLOSED", { archive: name, untilMs: nowMs + 12 * HOUR_MS });
      asked.push(name);
      return studies.map((uid) => ({
        studyInstanceUid: parseStudyInstanceUid(uid),
        patientId: "P",
        accessionNumber: "A",
      }));
    },
    echo: unused,
    find: unused,
    listStudy: unused,
    retrieve: unused,
    rehearseRetrieval: unused,
    async [Symbol.asyncDispose]() {},
  });
  const store = {
    claimsOfJob: () => Promise.resolve([]),
    events: () => Promise.resolve(events),
    located: () => Promise.resolve({ id: "job", stage: "retrieving" }),
  };
  const archives = [archive("morning", 0, []), archive("evening", 12, isThere ? [STUDY] : [])];
  const context = {
    services: { store, clock: { nowMs: () => nowMs } },
    project: { name: "trial", archives, optOut: new Set(), maximumStudiesPerRequest: 5 },
    job: { id: "job", studyInstanceUid: STUDY, patientId: undefined, accessionNumber: undefined },
    lease: { jobId: "job", token: "token" },
    signal: new AbortController().signal,
    write: async ({ events: added = [] }: JobChange) =>
      void events.push(...added.map((event) => ({ ...event, atMs: nowMs }))),
  } as unknown as StepContext;
  const codeAt = async (hour: number): Promise<string> => {
    nowMs = hour * HOUR_MS;
    const result = await locate(context).catch((thrown: GatewayError) => thrown.code);
    return typeof result === "string" ? result : result.kind === "end" ? result.state : result.kind;
  };
  return { codeAt, asked, events };
}

function unused(): never {
  throw new Error("not asked in this step");
}

it("keeps what one archive said until the other may be asked", async () => {
  const { codeAt, asked } = site();
  expect(await codeAt(6)).toBe("ARCHIVE_CLOSED");
  expect(await codeAt(18)).toBe("journalled");
  expect(asked).toEqual(["morning", "evening"]);
});

it("finds that a study is nowhere, though nobody can be asked for it at once", async () => {
  const { codeAt, events } = site({ isThere: false });
  expect(await codeAt(6)).toBe("ARCHIVE_CLOSED");
  expect(await codeAt(8)).toBe("ARCHIVE_CLOSED");
  expect(events.map(({ event }) => event)).toEqual(["not in archive"]);
  expect(await codeAt(18)).toBe("not-found");
});

it("asks again after a week, and after whatever else became of the study", async () => {
  const { codeAt, events } = site();
  expect(await codeAt(6)).toBe("ARCHIVE_CLOSED");
  expect(await codeAt(6 + 9 * 24 + 12)).toBe("ARCHIVE_CLOSED");
  expect(await codeAt(9 * 24 + 30)).toBe("ARCHIVE_CLOSED");
  events.push({ atMs: 0, event: "retried", detail: {} });
  expect(await codeAt(9 * 24 + 42)).toBe("ARCHIVE_CLOSED");
});
