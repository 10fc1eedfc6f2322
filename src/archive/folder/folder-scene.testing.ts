import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type SyntheticStudy, syntheticStudy } from "../../../test/peers/synthetic-studies.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openStagingArea } from "../../staging/open-staging.ts";
import { systemClock } from "../../units/clock.ts";
import { systemDisk } from "../../units/disk.ts";
import { silentLogger } from "../../units/logger.ts";
import { systemRandom } from "../../units/random.ts";
import type { ArchiveUnderTest, KnownStudy } from "../archive-contract.testing.ts";
import { createPace } from "../availability/pace.ts";
import { createExpectations } from "../expectations.ts";
import type { InstanceTaker } from "../http/staging-store.ts";
import { createRefusals, type Refusals } from "../refusals.ts";
import { createFolderArchive, type FolderArchive } from "./folder-archive.ts";

export const STUDIES = [
  syntheticStudy({ seed: 641, modality: "MR", series: 2, instancesPerSeries: 3 }),
  syntheticStudy({ seed: 642, modality: "CT", series: 1, instancesPerSeries: 2 }),
] as const;

/** Two studies below a folder, in whatever form, behind an archive of their own. */
export interface FolderScene extends ArchiveUnderTest, AsyncDisposable {
  readonly archive: FolderArchive;
  /** What the archive reads. */
  readonly path: string;
  readonly taker: InstanceTaker & { readonly refusals: Refusals };
}

/** Puts the studies' files below a folder that is there. Answers what of it is the archive, where it is not all. */
export type Layout = (folder: string) => Promise<string | undefined>;

export async function openFolderScene(lay: Layout): Promise<FolderScene> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder()).path;
  const lake = join(folder, "lake");
  await mkdir(lake);
  const path = (await lay(lake)) ?? lake;
  const staging = opened.use(
    await openStagingArea({
      path: join(folder, "staging"),
      reserveBytes: 0,
      disk: systemDisk,
      logger: silentLogger,
    }),
  );
  const taker = {
    staging,
    expectations: createExpectations(systemClock),
    refusals: createRefusals(),
    pace: createPace(systemClock),
    clock: systemClock,
    random: systemRandom,
  };
  const archive = opened.use(createFolderArchive({ name: "lake", path, associations: 2, taker }));
  const kept = opened.move();
  const [study, other] = STUDIES;
  const studies = [knownStudy(study), knownStudy(other)] as const;
  return {
    archive,
    staging,
    taker,
    studies: [...studies],
    path,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
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

/** As vendors write media: names of eight capitals and digits. PS3.10 8.2. */
export const MEDIA_FILES = STUDIES.flatMap(({ instances }, study) =>
  instances.map(({ sopInstanceUid, file }, number) => ({
    name: `DICOM/ST${study}/IM${number}`,
    sopInstanceUid,
    file,
  })),
);

export async function writeMedia(folder: string): Promise<void> {
  for (const { name, file } of MEDIA_FILES) await writeTo(join(folder, name), file);
}

export async function writeTo(path: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
