import { access, rename, rm } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, sep } from "node:path";
import { GatewayError } from "../../errors/gateway-error.ts";
import { createIntake } from "../../staging/intake.ts";
import { readStagedInstance } from "../../staging/read-staged-instance.ts";
import type { InstanceIntake, StagedInstance } from "../../staging/staging-area.ts";
import { makeFolders } from "../../units/make-folders.ts";

/**
 * Where each instance goes below a folder: `uids`: STUDY/SERIES/INSTANCE.dcm, `flat`: INSTANCE.dcm, or a relative path of the caller's own
 * making. UIDs have been validated: digits and dots only.
 */
export type StorageLayout = "uids" | "flat" | ((instance: Omit<StagedInstance, "path">) => string);

export interface FolderStorage extends InstanceIntake {
  /** What has been written, in that order. */
  readonly written: readonly StagedInstance[];
}

export interface FolderStorageOptions {
  readonly folder: string;
  /** @default uids */
  readonly layout?: StorageLayout;
}

const INCOMING = ".incoming";
/** Of a file that was there before, and is none of the instances that come. */
const NOBODY = "";

/** Files in a folder, each whole or absent. What is there under a name already stays: two instances never share one. */
export async function openFolderStorage({ folder, layout = "uids" }: FolderStorageOptions): Promise<FolderStorage> {
  const incoming = join(folder, INCOMING);
  await makeFolders(incoming);
  const written: StagedInstance[] = [];
  const owners = new Map<string, string>();
  const keep = async (instance: StagedInstance): Promise<StagedInstance> => {
    const path = join(folder, placeOf(instance, layout));
    const known = owners.get(path);
    if ((known ?? instance.sopInstanceUid) !== instance.sopInstanceUid) throw oneName();
    owners.set(path, instance.sopInstanceUid);
    if (await isThere(path)) {
      // Names of our own say whose they are; a caller's may be those of another run for other instances.
      const isForeign = known === undefined && typeof layout === "function" && !(await holds(path, instance));
      if (isForeign) owners.set(path, NOBODY);
      if (isForeign) throw oneName();
      await rm(instance.path, { force: true });
    } else {
      await makeFolders(dirname(path));
      await rename(instance.path, path);
    }
    const kept = { ...instance, path };
    written.push(kept);
    return kept;
  };
  return { ...createIntake({ folder: incoming, keep }), written };
}

/** @throws GatewayError USAGE_INVALID when a layout leads out of the folder */
function placeOf({ path: _, ...instance }: StagedInstance, layout: StorageLayout): string {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = instance;
  if (layout === "flat") return `${sopInstanceUid}.dcm`;
  if (layout === "uids") return join(studyInstanceUid, seriesInstanceUid, `${sopInstanceUid}.dcm`);
  const place = normalize(layout(instance));
  const leadsOut = isAbsolute(place) || place === ".." || place.startsWith(`..${sep}`) || place.startsWith(INCOMING);
  if (leadsOut || place === ".")
    throw new GatewayError("USAGE_INVALID", { problem: "a layout leads out of the folder" });
  return place;
}

function oneName(): GatewayError {
  return new GatewayError("USAGE_INVALID", { problem: "a layout gives two instances one name" });
}

async function holds(path: string, { sopInstanceUid }: StagedInstance): Promise<boolean> {
  return await readStagedInstance(path).then(
    (there) => there.sopInstanceUid === sopInstanceUid,
    () => false,
  );
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
