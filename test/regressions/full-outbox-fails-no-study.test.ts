import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import type { StudyDocument } from "../../src/operations/documents.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { syntheticStudy } from "../peers/synthetic-studies.ts";
import { openApiSite } from "../support/api.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Its four images have 32 KB each: not all fit into the outbox, until that has room. */
const STUDY = syntheticStudy({ seed: 96, modality: "CT", rows: 128, columns: 128, instancesPerSeries: 4 });
const [SMALL_KILOBYTES, ROOMY_KILOBYTES] = [60, 10_000];
const RETRY = { attempts: 1_000, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.2 };
const PATIENTLY = { timeout: 20_000, interval: 20 };

it("waits for room where de-identified copies are written: the study is not given up as if the mistake were ours", async ({
  skip,
}) => {
  await using folder = await temporaryFolder();
  const home = join(folder.path, "home");
  await mkdir(join(home, "outbox"), { recursive: true });
  using disk = mountSmallDisk(SMALL_KILOBYTES, join(home, "outbox"));
  if (disk === undefined) return skip();
  const keyFile = join(folder.path, "lung.key");
  await writeFile(keyFile, `${"1".repeat(64)}\n`, { mode: 0o600 });
  await using archive = await startPracticeArchive({ studies: [STUDY] });
  await using site = await openApiSite({
    settings: {
      home,
      retry: RETRY,
      archives: [{ name: "vna", kind: "dimse", address: archive.address, retrieve: "get" }],
      destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
      projects: [{ name: "lung", archives: ["vna"], destinations: ["store"], profile: "research", keyFile }],
    },
  });
  const study = async (): Promise<StudyDocument | undefined> => {
    const { json } = await site.call("GET", "/studies");
    return (json as { readonly items: readonly StudyDocument[] }).items[0];
  };
  const body = `study_instance_uid\n${STUDY.studyInstanceUid}\n`;
  await site.call("POST", "/cohorts?project=lung", { body, headers: { "content-type": "text/csv" } });
  await vi.waitFor(
    async () => expect(await study()).toMatchObject({ state: "waiting", code: "OUTBOX_FULL" }),
    PATIENTLY,
  );
  disk.resize(ROOMY_KILOBYTES);
  await vi.waitFor(async () => expect(await study()).toMatchObject({ state: "delivered", delivered: 4 }), PATIENTLY);
});
