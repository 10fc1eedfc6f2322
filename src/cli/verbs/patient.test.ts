import { expect, it } from "vitest";
import { gatewayOf, runCli } from "../../../test/support/cli.ts";
import type { WithdrawalDocument } from "../../operations/withdrawal-operations.ts";

const DOCUMENT: WithdrawalDocument = {
  ...{ project: "lung", dryRun: true, patients: 3, withdrawnBefore: 0, studies: 4, done: 0 },
  ...{ waitingFor: [], givenUp: [], unaskedHeld: 0, destinations: [], left: [] },
};

it.each<readonly [Partial<WithdrawalDocument>, string]>([
  [{}, "3 patients with 4 studies would be withdrawn"],
  [
    { withdrawnBefore: 3, done: 3 },
    "3 of 3 patients are withdrawn already; nothing of theirs is left anywhere, so nothing would be done",
  ],
  [
    { withdrawnBefore: 2, done: 1 },
    "2 of 3 patients are withdrawn already, and of 1 nothing is left anywhere; the rest would be done, of 4 studies in all",
  ],
  [
    { dryRun: false, withdrawnBefore: 3, done: 3 },
    "3 patients with 4 studies withdrawn; of 3 nothing is left anywhere",
  ],
])("says what a withdrawal does, or would do: %j", async (more, line) => {
  const verb = ["patient", "withdraw", "--project", "lung", "--patient-id", "1", "2", "3"];
  const { exitCode, stdout } = await runCli([...verb, ...(more.dryRun === false ? [] : ["--dry-run"])], {
    environment: { RADFERRY__HOME: "/nonexistent" },
    openGateway: async () => gatewayOf({ withdrawPatients: async () => ({ ...DOCUMENT, ...more }) }),
  });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(new RegExp(`^lung: ${line}$`, "m"));
});
