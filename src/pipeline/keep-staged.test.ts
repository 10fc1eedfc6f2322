import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { smallObject } from "../../test/support/small-object.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { openStagingArea } from "../staging/open-staging.ts";
import { systemDisk } from "../units/disk.ts";
import { silentLogger } from "../units/logger.ts";
import { keepStaged } from "./keep-staged.ts";
import type { StepResult } from "./step.ts";

const STUDY = parseStudyInstanceUid("1.2.3");

/** What is in the study's folder when a run of its job has ended so: only what was synced has a manifest. */
async function leftBy(result: StepResult | undefined): Promise<readonly string[]> {
  await using folder = await temporaryFolder();
  await using staging = await openStagingArea({ path: folder.path, reserveBytes: 0, disk: systemDisk });
  const { bytes, ...facts } = smallObject({ study: STUDY, series: "1.2.3.1", instance: "1.2.3.1.1" });
  const file = await staging.begin({ ...facts, sourceAeTitle: "PACS" });
  await file.write(bytes);
  await file.commit(() => true);
  await keepStaged({ staging, logger: silentLogger }, { fetched: STUDY }, result);
  return await readdir(join(folder.path, "studies", STUDY));
}

it("makes durable what has to wait in staging, whatever it waits for", async () => {
  const held = await leftBy({ kind: "end", state: "held", code: "INSTANCES_MISSING" });
  const paused = await leftBy({ kind: "pause", code: "STAGING_FULL", delayMs: 1_000 });
  const failed = await leftBy(undefined);
  for (const names of [held, paused, failed]) expect(names).toEqual(["1.2.3.1.1.dcm", "manifest.json"]);
});

it("waits for no disk where the study went straight through", async () => {
  expect(await leftBy({ kind: "end", state: "delivered" })).toEqual(["1.2.3.1.1.dcm"]);
});

it("does not fail a study for what it could not make durable", async () => {
  const failing = () => Promise.reject(new GatewayError("STAGING_UNAVAILABLE"));
  const staging = { sync: failing, markSpent: failing } as unknown as Parameters<typeof keepStaged>[0]["staging"];
  await keepStaged({ staging, logger: silentLogger }, { fetched: STUDY }, undefined);
});
