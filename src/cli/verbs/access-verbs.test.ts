import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gatewayOf, runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { AuditRecordDocument, InstanceDocument, StudyDocument } from "../../operations/documents.ts";
import type { Operations } from "../../operations/operations.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "radferry.yaml"), "home: ./home\n");
});
afterAll(() => folder[Symbol.asyncDispose]());

const run = (args: readonly string[], operations: Partial<Operations>) =>
  runCli(args, { workingFolder: folder.path, openGateway: async () => gatewayOf(operations) });

it("releases a study with the exceptions that are named", async () => {
  const asked: unknown[] = [];
  const operations: Partial<Operations> = {
    async releaseStudy(id, wish) {
      asked.push(id, wish);
      return { id, released: true, leftOut: 2, allowedTags: ["(0008,1030)"] };
    },
  };
  const exceptions = ["--leave-out", "2", "--leave-out", "5", "--allow-tag", "StudyDescription"];
  const { exitCode, stdout } = await run(["study", "release", "j1", "--reason", "seen", ...exceptions], operations);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    "j1 is queued to be de-identified and verified again\n  instances left out: 2\n  an identifier may stand in: (0008,1030)\n",
  );
  await run(["study", "release", "j1", "--reason", "seen", "--leave-out-rejected"], operations);
  expect(asked).toEqual([
    ...["j1", { reason: "seen", leaveOut: ["2", "5"], leaveOutRejected: false, allowTags: ["StudyDescription"] }],
    ...["j1", { reason: "seen", leaveOut: [], leaveOutRejected: true, allowTags: [] }],
  ]);
});

it.each([
  [["study", "release", "j1"], "USAGE_INVALID", 2],
  [["study", "release", "j1", "--reason", "x"], "RELEASE_INVALID", 2],
])("answers %j with %s", async (args, code, exitCode) => {
  const releaseStudy = () => Promise.reject(new GatewayError("RELEASE_INVALID", { problem: "no exception is named" }));
  const result = await run([...args, "--json"], { releaseStudy });
  expect(result.exitCode).toBe(exitCode);
  expect(JSON.parse(result.stdout).error.code).toBe(code);
});

it("shows what holds a study in quarantine, by instance, and what it was released with", async () => {
  const rejected: InstanceDocument = { number: 7, series: 2, state: "rejected", code: "IDENTIFIER_FOUND", reason: "x" };
  const study: StudyDocument = {
    ...{ id: "j1", project: "lung", cohort: "c1", cohorts: ["c1"], state: "quarantined", stage: "deidentifying" },
    ...{
      priority: 3,
      verdict: "complete",
      expected: 2,
      received: 2,
      excluded: 1,
      delivered: 0,
      attempts: 0,
      events: [],
    },
    ...{ pseudonym: null, pseudoStudyInstanceUid: null },
    instances: [{ number: 1, series: 1, state: "passed" }, rejected],
    release: { at: "2026-01-01T00:00:00.000Z", by: "sam", reason: "seen", leftOut: 1, allowedTags: [] },
  };
  const { stdout } = await run(["study", "show", "j1"], { showStudy: async () => study });
  expect(stdout).toContain("instances held back:\n  7  series 2  IDENTIFIER_FOUND  x\n");
  expect(stdout).toContain("released 2026-01-01T00:00:00.000Z by sam: seen\n  1 instance left out; allowed: no tag\n");
  const many = { ...study, instances: Array.from({ length: 50 }, () => rejected) };
  expect((await run(["study", "show", "j1"], { showStudy: async () => many })).stdout).toContain("  and 10 more\n");
});

const RECORD: AuditRecordDocument = {
  number: 9,
  at: "2026-01-01T00:00:00.000Z",
  event: "study-released",
  codes: { id: { code: "110113", meaning: "Security Alert" } },
  actor: { name: "sam", kind: "command line", role: "admin" },
  outcome: "success",
  job: "j1",
  project: "lung",
  detail: { leftOut: 1, reason: "seen" },
  hash: "a".repeat(64),
};

it("shows the end of the audit trail", async () => {
  const operations: Partial<Operations> = {
    async readAudit({ limit }) {
      expect(limit).toBe(3);
      return [RECORD];
    },
  };
  const { stdout } = await run(["audit", "tail", "-n", "3"], operations);
  expect(stdout.split("\n")[1]?.split(/ {2,}/)).toEqual([
    ...["9", "2026-01-01T00:00:00.000Z", "study-released", "sam (command line, admin)", "success", "j1", "lung"],
    "leftOut 1, reason seen",
  ]);
  expect(JSON.parse((await run(["audit", "tail", "-n", "3", "--json"], operations)).stdout)).toEqual([RECORD]);
  expect((await run(["audit", "tail", "-n", "0"], operations)).exitCode).toBe(2);
});

it("fails when the audit trail is not as it was written, and says what it found", async () => {
  const noted: unknown[] = [];
  const operations: Partial<Operations> = {
    async verifyAudit(head) {
      noted.push(head);
      const findings = [{ number: 5, problem: "truncated", where: "file" }] as const;
      return { ok: false, records: 4, head: "b".repeat(64), findings };
    },
  };
  const { exitCode, stdout } = await run(["audit", "verify", "--noted", `5:${"c".repeat(64)}`], operations);
  expect(exitCode).toBe(1);
  expect(stdout).toContain("[AUDIT_TRAIL_BROKEN]\n  record 5: truncated, says the file that keeps the end\n");
  expect(noted).toEqual([{ count: 5, hash: "c".repeat(64) }]);
  expect((await run(["audit", "verify", "--noted", "5"], operations)).exitCode).toBe(2);

  const whole = { ok: true, records: 4, head: "b".repeat(64), findings: [] };
  const fine = await run(["audit", "verify"], { verifyAudit: async () => whole });
  expect(fine).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`note elsewhere: 4:${"b".repeat(64)}`) });
});
