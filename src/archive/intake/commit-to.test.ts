import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseDicomAddress } from "../../dicom/ae-title.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { CommitmentResult } from "../../network/dimse/service-types.ts";
import { openSqliteStore } from "../../store/sqlite/open.ts";
import { silentLogger } from "../../units/logger.ts";
import { createManualClock } from "../../units/manual-clock.testing.ts";
import { type CommitmentOptions, createCommitment } from "./commit-to.ts";

const ADDRESS = parseDicomAddress("CT1@127.0.0.1:104");
const sender = { callingAeTitle: "CT1", calledAeTitle: "RADFERRY" };
const request = { transactionUid: "2.25.7", instances: [{ sopClassUid: "1.2", sopInstanceUid: "1.2.3" }] };

it("tells a result after a restart that the sender did not take before, and tells it once", async () => {
  await using folder = await temporaryFolder();
  const clock = createManualClock();
  const told: CommitmentResult[] = [];
  const attempts: string[] = [];
  const life = async (report: CommitmentOptions["report"], use: (options: CommitmentOptions) => Promise<void>) => {
    await using store = await openSqliteStore({ path: join(folder.path, "radferry.db"), logger: silentLogger });
    const options = { store, clock, report, logger: silentLogger, addressOf: () => ADDRESS };
    await use(options);
  };
  const refuses: CommitmentOptions["report"] = ({ address }) => {
    attempts.push(address.aeTitle);
    return Promise.reject(new GatewayError("CONNECTION_FAILED"));
  };
  await life(refuses, async (options) => {
    await using commitment = createCommitment(options);
    expect(await commitment.handler(request, sender)).toEqual({ status: 0x0000 });
    expect(await commitment.handler(request, sender)).toEqual({ status: 0x0000 });
    await expect.poll(() => attempts).toEqual(["CT1"]);
    await expect.poll(() => options.store.nextCommitmentDueAtMs()).toBe(clock.nowMs() + 30_000);
  });
  const takes: CommitmentOptions["report"] = (_, result) => {
    told.push(result);
    return Promise.resolve({ status: 0x0000 });
  };
  await clock.advance(30_000);
  await life(takes, async (options) => {
    await using _commitment = createCommitment(options);
    await expect.poll(() => options.store.nextCommitmentDueAtMs()).toBeUndefined();
  });
  const failed = [{ sopClassUid: "1.2", sopInstanceUid: "1.2.3", failureReason: 0x0112 }];
  expect(told).toEqual([{ transactionUid: "2.25.7", committed: [], failed }]);
});

it("answers who has no address over his own association, and refuses what is too much", async () => {
  await using folder = await temporaryFolder();
  await using store = await openSqliteStore({ path: join(folder.path, "radferry.db"), logger: silentLogger });
  const report = () => Promise.reject(new Error("not asked for"));
  const options = { store, clock: createManualClock(), report, logger: silentLogger, addressOf: () => undefined };
  await using commitment = createCommitment(options);
  const { status, result } = await commitment.handler(request, sender);
  expect([status, result?.failed.length]).toEqual([0x0000, 1]);
  const instances = Array.from({ length: 20_001 }, (_, index) => ({
    sopClassUid: "1.2",
    sopInstanceUid: `1.2.${index}`,
  }));
  expect(await commitment.handler({ ...request, instances }, sender)).toEqual({ status: 0x0213 });
});
