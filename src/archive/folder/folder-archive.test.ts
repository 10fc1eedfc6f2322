import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type SyntheticStudy, syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import { openStagingArea } from "../../staging/open-staging.ts";
import { neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { systemDisk } from "../../units/disk.ts";
import { silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import { ARCHIVE_CONTRACT, type ArchiveUnderTest, type KnownStudy } from "../archive-contract.testing.ts";
import { createPace } from "../availability/pace.ts";
import { createExpectations, createRefusals } from "../expectations.ts";
import { createFolderArchive } from "./folder-archive.ts";

const STUDIES = [
  syntheticStudy({ seed: 641, modality: "MR", series: 2, instancesPerSeries: 3 }),
  syntheticStudy({ seed: 642, modality: "CT", series: 1, instancesPerSeries: 2 }),
] as const;
const [STUDY, OTHER] = STUDIES;

/** Each file in a folder of its own, as results of scanners lie; among them what is no DICOM. */
async function scene(): Promise<ArchiveUnderTest & AsyncDisposable & { readonly folder: string }> {
  const opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder()).path;
  for (const { sopInstanceUid, file } of STUDIES.flatMap(({ instances }) => instances)) {
    await mkdir(join(folder, "lake", sopInstanceUid), { recursive: true });
    await writeFile(join(folder, "lake", sopInstanceUid, "scan.dcm"), file);
  }
  await writeFile(join(folder, "lake", "device_parameter.json"), "{}");
  await mkdir(join(folder, "lake", ".staging"));
  await writeFile(join(folder, "lake", ".staging", "half.dcm"), STUDY.instances[0]?.file ?? "");
  const path = join(folder, "staging");
  const staging = opened.use(await openStagingArea({ path, reserveBytes: 0, disk: systemDisk, logger: silentLogger }));
  const taker = {
    staging,
    expectations: createExpectations(systemClock),
    refusals: createRefusals(),
    pace: createPace(systemClock),
    clock: systemClock,
    random: systemRandom,
  };
  const archive = createFolderArchive({ name: "lake", path: join(folder, "lake"), associations: 2, taker });
  const studies = [knownStudy(STUDY), knownStudy(OTHER)] as const;
  return { archive, staging, studies: [...studies], folder, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function knownStudy({ studyInstanceUid, patientId, accessionNumber, instances }: SyntheticStudy): KnownStudy {
  return {
    studyInstanceUid,
    patientId,
    accessionNumber,
    instances: instances.map(({ seriesInstanceUid, sopInstanceUid, bytes }) => ({
      seriesInstanceUid,
      sopInstanceUid,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    })),
  };
}

it.each(Object.entries(ARCHIVE_CONTRACT))("a folder as archive: %s", async (_, run) => {
  await using site = await scene();
  await run(site);
});

it("sees what came and what went since it looked last", async () => {
  await using site = await scene();
  const study = parseStudyInstanceUid(OTHER.studyInstanceUid);
  const [first, second] = OTHER.instances;
  await site.archive.listStudy(study, neverAborted());
  await rm(join(site.folder, "lake", first?.sopInstanceUid ?? ""), { recursive: true });
  expect(await site.archive.listStudy(study, neverAborted())).toMatchObject({
    instances: [{ sopInstanceUid: second?.sopInstanceUid }],
  });
  await rm(join(site.folder, "lake"), { recursive: true });
  await expect(site.archive.echo(neverAborted())).rejects.toMatchObject({ code: "ARCHIVE_FOLDER_UNREADABLE" });
});
