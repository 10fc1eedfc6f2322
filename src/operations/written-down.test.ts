import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { EMPTY_TRAIL } from "../store/audit-chain.ts";
import type { Store } from "../store/store.ts";
import type { AuditEvent } from "../units/audit.ts";
import { contextOf } from "./context.testing.ts";
import { createOperations } from "./create-operations.ts";
import type { Operations } from "./operations.ts";

const STANDING = {
  ...{ name: "nightly", project: "lung", archive: "vna", paused: false, createdAtMs: 0, nextRunAtMs: undefined },
  ...{ wish: '{"queries":[]}', timetable: '{"times":["02:00"],"timeZone":"UTC"}' },
};
const RUN = { ...{ standing: "nightly", number: 1, state: "running", reason: "asked", missed: 0 }, startedAtMs: 0 };

/** Answers as a store that did what it was asked. What it is to write down with the change is told as well. */
function obeying(told: AuditEvent[]): Partial<Store> {
  const withAudit =
    (place: number, answer: unknown) =>
    async (...args: readonly unknown[]): Promise<never> => {
      told.push(args[place] as AuditEvent);
      return answer as never;
    };
  return {
    job: async () => ({ project: "lung", studyInstanceUid: "1.1" }) as never,
    cohortStatus: async () => ({ project: "lung" }) as never,
    cohortColumns: async () => [],
    exportRows: async () => [],
    withdrawnDigests: async () => ({ keyId: undefined, digests: [] }),
    submitCohort: async () => ({ cohort: "c", accepted: 1, joined: 0 }),
    retryJobs: async () => 2,
    cancelJobs: async () => 2,
    setPriority: async () => 2,
    auditHeads: async () => [{ where: "row", mayBeBehind: false, ...EMPTY_TRAIL }],
    auditRecords: async () => [],
    standingCohort: async () => STANDING,
    standingRuns: async () => [],
    beginStandingRun: async () => RUN as never,
    assignIntake: withAudit(2, "assigned"),
    discardIntake: withAudit(1, true),
    changeStandingCohort: withAudit(2, true),
    removeStandingCohort: withAudit(1, true),
    addToken: withAudit(1, "token-1"),
    listTokens: async () => [{ id: "token-1", name: "pat", role: "viewer", createdAtMs: 0, expiresAtMs: 9 } as never],
    revokeToken: withAudit(1, true),
  };
}

async function all(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** What a board asks for later: who did it, to what, and how much of it. */
const DONE: readonly (readonly [
  what: string,
  ask: (of: Operations, file: string) => Promise<unknown>,
  event: Omit<AuditEvent, "actor" | "outcome">,
])[] = [
  [
    "a list that was handed in",
    (of, file) => of.submitCohort(file, "lung"),
    { event: "cohort-submitted", project: "lung", detail: { cohort: "c", rows: 1, accepted: 1 } },
  ],
  ["a study retried", (of) => of.retryStudy("j"), { event: "studies-retried", job: "j", detail: { studies: 2 } }],
  ["a cohort retried", (of) => of.retryCohort("c"), { event: "studies-retried", detail: { cohort: "c", studies: 2 } }],
  ["a study cancelled", (of) => of.cancelStudy("j"), { event: "studies-cancelled", job: "j", detail: { studies: 2 } }],
  [
    "a cohort cancelled",
    (of) => of.cancelCohort("c"),
    { event: "studies-cancelled", detail: { cohort: "c", studies: 2 } },
  ],
  [
    "a study made more urgent",
    (of) => of.prioritiseStudy("j", 5),
    { event: "priority-changed", job: "j", detail: { studies: 2, priority: 5 } },
  ],
  ["who a study is of", (of) => of.showIdentity("j"), { event: "identified-values-shown", job: "j", project: "lung" }],
  [
    "an export",
    (of) => all(of.exportCohort("c")),
    { event: "cohort-exported", project: "lung", detail: { cohort: "c" } },
  ],
  ["a look at the trail", (of) => of.readAudit({ limit: 3 }), { event: "audit-read", detail: { records: 3 } }],
  ["a check of the trail", (of) => of.verifyAudit(), { event: "audit-read", detail: { verified: 0, findings: 0 } }],
  [
    "what a search found, as a file",
    (of) => all(of.searchResult("i")),
    { event: "cohort-searched", project: "lung", detail: { given: true } },
  ],
  [
    "what a search found, on a page",
    (of) => all(of.searchStudies("i", { after: 0, limit: 1 })),
    { event: "cohort-searched", project: "lung", detail: { given: true } },
  ],
  [
    "a standing cohort run now",
    (of) => of.runStanding("nightly"),
    { event: "standing-cohort-changed", project: "lung", detail: { standing: "nightly", asked: true } },
  ],
  [
    "a standing cohort paused",
    (of) => of.pauseStanding("nightly"),
    { event: "standing-cohort-changed", project: "lung", detail: { standing: "nightly", paused: true } },
  ],
  [
    "a standing cohort removed",
    (of) => of.removeStanding("nightly"),
    { event: "standing-cohort-removed", project: "lung", detail: { standing: "nightly" } },
  ],
  [
    "a study that was given to a project",
    (of) => of.assignIntake("intake-1", "lung"),
    { event: "intake-assigned", project: "lung", detail: { intake: "intake-1" } },
  ],
  [
    "a study that was discarded",
    (of) => of.discardIntake("intake-1"),
    { event: "intake-discarded", detail: { intake: "intake-1" } },
  ],
  [
    "a token made",
    (of) => of.createToken({ name: "pat", role: "viewer", days: 1 }),
    { event: "token-created", detail: { token: "pat", role: "viewer", days: 1 } },
  ],
  ["a token revoked", (of) => of.revokeToken("pat"), { event: "token-revoked", detail: { token: "pat" } }],
];

it.each(DONE)("writes down %s, with who did it, once", async (_what, ask, event) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "list.csv");
  await writeFile(file, "study_instance_uid\n1.2.840.1\n");
  const told: AuditEvent[] = [];
  const context = contextOf({ role: "admin", told, store: obeying(told) });
  const found = { project: "lung", file: { async *after() {} } };
  const operations = createOperations({
    ...context,
    projects: new Map([["lung", { name: "lung", accessionNumbersUnique: true } as never]]),
    inquiries: { ...context.inquiries, found: () => found as never },
  });
  await ask(operations, file);
  expect(told).toMatchObject([{ ...event, outcome: "success", actor: { name: "sam", role: "admin" } }]);
});
