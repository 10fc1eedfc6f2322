import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportMapping } from "../../src/deid/mapping.ts";
import { loadProfile } from "../../src/deid/profiles/load-profile.ts";
import type { Profile } from "../../src/deid/profiles/profile.ts";
import { shippedProfile } from "../../src/deid/profiles/shipped-profiles.ts";
import { type ProjectKey, projectKeyOf } from "../../src/deid/pseudonyms/project-key.ts";
import { deidentifyFolder, type FolderResult } from "../../src/deid/run-folder.ts";
import { BANNER } from "./images.ts";
import { MODALITIES, type PlantedSet } from "./planted-set.ts";
import { COLUMNS, ROWS } from "./scene.ts";
import type { Outputs } from "./score.ts";

/** Objects that leave only behind a mask, and what a site decides about them. */
const MASKED = ["US", "SC", "XA", "RF"];
const PROJECT = "quality";

export interface PlantedRun {
  readonly outputs: Outputs;
  readonly result: FolderResult;
}

/** The set as a folder of files. */
export async function writePlanted(set: PlantedSet, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of set.files) await writeFile(join(folder, name), bytes);
  return folder;
}

/** `research` with a mask for each device of the set that needs one, and an empty page in the place of documents. */
export async function researchWithMasks(folder: string): Promise<Profile> {
  const [x, y, width, height] = [BANNER.x, BANNER.y, BANNER.width, BANNER.height];
  const masks = MODALITIES.filter(({ name }) => MASKED.includes(name)).map(({ name, sopClassUid }) => ({
    name: name.toLowerCase(),
    when: { sop_class: sopClassUid, rows: ROWS, columns: COLUMNS },
    rectangles: [[x, y, width, height]],
  }));
  await mkdir(folder, { recursive: true });
  // YAML holds JSON.
  await writeFile(join(folder, "masks.yaml"), JSON.stringify({ masks }));
  const profile = {
    ...shippedProfile("research"),
    profile: "research-masks",
    documents: "replace",
    pixels: { masks: ["masks.yaml"] },
  };
  const path = join(folder, "research-masks.yaml");
  await writeFile(path, JSON.stringify(profile));
  return loadProfile(path);
}

/** De-identifies the set and answers what became of each file, by the mapping that the run exports. */
export async function deidentifyPlanted(
  set: PlantedSet,
  folder: string,
  profile: Profile,
  key: ProjectKey = projectKeyOf(Buffer.alloc(32, 7)),
): Promise<PlantedRun> {
  const input = await writePlanted(set, join(folder, "in"));
  const output = join(folder, "out");
  const signal = new AbortController().signal;
  const task = { profile, key, input, output, project: PROJECT, signal };
  const result = await deidentifyFolder(task);
  const mapping = join(folder, "mapping");
  await exportMapping({ ...task, folder: mapping });
  const [uids, patients] = [
    await readMapping(join(mapping, "uids.csv")),
    await readMapping(join(mapping, "patients.csv")),
  ];
  const paths = new Map<string, string>();
  for (const { name, place } of set.files) {
    const path = join(output, PROJECT, patients.get(place.patientId) ?? "", ...pathOf(place, uids));
    if (existsSync(path)) paths.set(name, path);
  }
  return { outputs: { paths, map: { uids, patients } }, result };
}

function pathOf(place: PlantedSet["files"][number]["place"], uids: ReadonlyMap<string, string>): readonly string[] {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = place;
  const [study, series, instance] = [studyInstanceUid, seriesInstanceUid, sopInstanceUid].map(
    (uid) => uids.get(uid) ?? "",
  );
  return [study ?? "", series ?? "", `${instance}.dcm`];
}

/** `id_old,id_new`; no identifier of the set needs quotes. */
async function readMapping(path: string): Promise<ReadonlyMap<string, string>> {
  const [, ...rows] = (await readFile(path, "utf8")).trimEnd().split("\n");
  return new Map(
    rows.map((row): [string, string] => {
      const [original = "", replacement = ""] = row.split(",");
      return [original, replacement];
    }),
  );
}
