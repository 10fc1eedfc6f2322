import { expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { JobChange, JobEvent } from "../store/records.ts";
import { absencesOf } from "./absences.ts";
import type { StepContext } from "./step.ts";

const DAY_MS = 86_400_000;
const NOW_MS = 100 * DAY_MS;
const closed = new GatewayError("ARCHIVE_CLOSED", { archive: "vna" });
const said = (by = "study-uid", atMs = NOW_MS - DAY_MS): JobEvent => ({
  ...{ event: "not in archive", detail: { archive: "vna", by }, atMs },
});
const happened = (event: string): JobEvent => ({ event, detail: {}, atMs: NOW_MS - 1 });

function scene(...events: readonly JobEvent[]) {
  const written: JobChange[] = [];
  const absences = absencesOf({
    services: { store: { events: async () => events }, clock: { nowMs: () => NOW_MS } },
    job: { id: "job" },
    write: async (change: JobChange) => void written.push(change),
  } as unknown as StepContext);
  return { absences, written };
}

it.each([
  ["it said so of the same question", [said()], closed, true],
  ["it said so, and the job was tried again since", [said(), happened("will be tried again")], closed, true],
  ["it said so of another question alone", [said("accession-number")], closed, false],
  ["something else happened to the job since", [said(), happened("retried")], closed, false],
  ["it said so longer ago than a week of windows", [said("study-uid", NOW_MS - 9 * DAY_MS)], closed, false],
  ["it said so, and is down now", [said()], new GatewayError("CONNECTION_FAILED"), false],
  ["it never said so", [], closed, false],
] as const)(
  "takes an archive that may not be asked for one that has not the study, where %s: %s",
  async (_, events, thrown, isAbsent) => {
    const answer = scene(...events).absences.insteadOf(thrown, "vna", "study-uid");
    await (isAbsent ? expect(answer).resolves.toEqual([]) : expect(answer).rejects.toBe(thrown));
  },
);

it("writes down what archives said where one may not be asked yet, once, and nothing where one failed", async () => {
  const { absences, written } = scene(said());
  for (const archive of ["vna", "pacs"]) absences.note(archive, "study-uid");
  await absences.keepAfter(new GatewayError("CONNECTION_FAILED"));
  expect(written).toEqual([]);
  await absences.keepAfter(closed);
  expect(written).toEqual([{ events: [{ event: "not in archive", detail: { archive: "pacs", by: "study-uid" } }] }]);
});
