import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../peers/free-port.ts";
import { type ArchiveFaults, type PracticeArchive, startPracticeArchive } from "../peers/practice-archive.ts";
import { type SyntheticInstance, type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { makeSite, PROJECT, type Site, type SiteOptions } from "./site.ts";

/** What tests look at in a study's document. */
export interface Study {
  readonly id: string;
  readonly state: string;
  readonly code?: string;
  readonly verdict: string | null;
  readonly expected: number | null;
  readonly received: number;
  readonly delivered: number;
  readonly attempts: number;
}

export interface Rehearsal {
  readonly site: Site;
  readonly archive: PracticeArchive;
}

const FAST_RETRY = { attempts: 8, firstDelaySeconds: 0.2, maximumDelaySeconds: 0.5 };

export function ctStudy(seed: number, instancesPerSeries = 4): SyntheticStudy {
  return syntheticStudy({ seed, modality: "CT", instancesPerSeries });
}

/** A site whose one archive has the faults, for as long as `use` runs. */
export async function withArchive(
  faults: ArchiveFaults,
  studies: readonly SyntheticStudy[],
  use: (rehearsal: Rehearsal) => Promise<void>,
  options: Partial<SiteOptions> & { readonly retrieve?: "move" | "get" } = {},
): Promise<void> {
  const { retrieve = "move", ...more } = options;
  const dicomPort = await freePort();
  const destinations = [`RADFERRY@127.0.0.1:${dicomPort}`];
  await using archive = await startPracticeArchive({ studies, destinations, faults });
  const archives = [{ name: "practice", address: archive.address, retrieve }];
  await using site = await makeSite({ dicomPort, archives, retry: FAST_RETRY, ...more });
  await use({ site, archive });
}

/** An archive that gives up whatever it is asked for when one instance is among it, as Orthanc 1.10 does. */
export function givesUpAt(bad: SyntheticInstance | undefined): ArchiveFaults {
  return {
    select(instances) {
      if (bad !== undefined && instances.includes(bad)) throw new Error("cannot be read");
      return instances;
    },
  };
}

/** The path of a cohort file with one row for each study. */
export function cohortFile(site: Site, studies: readonly SyntheticStudy[]): Promise<string> {
  const rows = studies.map(({ studyInstanceUid }) => studyInstanceUid).join("\n");
  return site.write("wanted.csv", `study_instance_uid\n${rows}\n`);
}

export async function submit(site: Site, studies: readonly SyntheticStudy[], ...flags: readonly string[]) {
  return await site.run("cohort", "submit", await cohortFile(site, studies), "--project", PROJECT, ...flags);
}

export async function studiesOf(site: Site): Promise<readonly Study[]> {
  return JSON.parse((await site.run("study", "list")).stdout);
}

/** Looks at the site's studies until they are as wanted. */
export async function until(site: Site, isWanted: (studies: readonly Study[]) => boolean): Promise<readonly Study[]> {
  for (let look = 0; look < 100; look += 1) {
    const studies = await studiesOf(site);
    if (isWanted(studies)) return studies;
    await delay(50);
  }
  throw new Error("the studies never came into the wanted state");
}
