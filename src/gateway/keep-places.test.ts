import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openWithdrawnKey } from "../deid/pseudonyms/withdrawn-key.ts";
import { openStagingArea } from "../staging/open-staging.ts";
import { openOutbox } from "../staging/outbox.ts";
import { systemDisk } from "../units/disk.ts";
import { silentLogger } from "../units/logger.ts";
import { createManualClock } from "../units/manual-clock.testing.ts";
import { keepPlaces, type PlaceParts } from "./keep-places.ts";
import { withdrawnKeyFile } from "./withdrawn.ts";

const WITHDRAWN = { job: "job-withdrawn", study: "1.2.3" };
const STAYS = { job: "job-of-another", study: "1.2.4" };

it("removes what is staged, what awaits delivery and what a hook works on of a withdrawn patient, and nobody else's", async () => {
  await using folder = await temporaryFolder();
  const home = folder.path;
  const settings = { home, node: {}, store: { kind: "sqlite" }, staging: { keepDays: 0 } };
  for (const { job, study } of [WITHDRAWN, STAYS])
    for (const path of [`outbox/${job}`, `hooks/${job}/input`, `staging/studies/${study}`]) {
      await mkdir(join(home, path), { recursive: true });
      await writeFile(join(home, path, "image.dcm"), "");
    }
  await using staging = await openStagingArea({ path: join(home, "staging"), reserveBytes: 0, disk: systemDisk });
  await mkdir(join(home, "keys"));
  const keyFile = withdrawnKeyFile({ home });
  await writeFile(keyFile, `${"5a".repeat(32)}\n`, { mode: 0o600 });
  const key = await openWithdrawnKey(keyFile);
  const jobs = [{ job: WITHDRAWN.job, studyDigest: key.studyDigest(WITHDRAWN.study) }];
  const place = { withdrawal: 1, project: "trial", digest: key.digest("trial", "P1"), node: "gateway", jobs };
  const settled: unknown[] = [];
  const swept = vi.fn(() => Promise.resolve(0));
  const parts = {
    ...{ settings, node: { name: "gateway" }, clock: createManualClock(), logger: silentLogger, staging },
    outbox: await openOutbox({ path: join(home, "outbox") }),
    intake: { sweep: swept },
    store: {
      isAwaited: () => Promise.resolve(settled.length === 0),
      placesToClear: () => Promise.resolve([place]),
      studyIsNeeded: () => Promise.resolve(false),
      settlePlace: (...told: readonly unknown[]) => Promise.resolve(settled.push(told) > 0),
      forgetWithdrawn: () => Promise.resolve(),
      emptyJournal: () => Promise.resolve(),
    },
  } as unknown as PlaceParts;
  {
    await using _keeping = await keepPlaces(parts);
    await expect.poll(() => settled).toEqual([[1, "gateway", 0]]);
  }
  expect(swept).toHaveBeenCalledOnce();
  expect(await readdir(join(home, "outbox"))).toEqual([STAYS.job]);
  expect(await readdir(join(home, "hooks"))).toEqual([STAYS.job]);
  expect(await readdir(join(home, "staging", "studies"))).toEqual([STAYS.study]);
});
