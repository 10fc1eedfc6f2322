import { chmod, constants, copyFile, link, rename, rm, stat, writeFile } from "node:fs/promises";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { DeidentifiedFile } from "../../staging/deidentified-file.ts";
import { isDiskFull, syncFile, systemCodeOf } from "../../units/durable-files.ts";
import { dividedForWriting } from "../../units/write-blocks.ts";
import type { StudyDelivery } from "../destination.ts";

/** Research staff read what is delivered, whatever the umask of the gateway: the folder's own rules apply. */
export const FILE_MODE = 0o644;

/** How files get from the outbox to their place; what the file system cannot do is tried once. */
export interface Placing {
  /** Another name for the same bytes. */
  links: "untried" | "refused";
  /** A copy that shares its bytes until one of them changes. */
  clones: "untried" | "refused";
}

export interface Place {
  /** Whether something is there that is to be replaced. */
  readonly isTaken: boolean;
  readonly target: string;
  /** On the file system of the target; asked for only where it is needed. */
  temporary(): Promise<string>;
}

/** Codes of a file system, or of two of them, where a file cannot have two names, and of a file of somebody else's; `EMLINK` is one file's alone. link(2) */
const NO_LINKS: ReadonlySet<string> = new Set(["EXDEV", "EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"]);

/**
 * Whole and synced before it gets its name. What is handed over to one folder alone is not copied: its file gets the new name, and loses the old one
 * soon. Where there are several destinations each gets a copy: who edits one of them must not edit the others.
 * @throws GatewayError DELIVERY_FILE_CHANGED when the copy is not as long as it should be: it gets no name; what the disk says
 */
export async function placeFile(
  placing: Placing,
  { reading, isHandedOver = false }: Pick<StudyDelivery, "reading" | "isHandedOver">,
  file: DeidentifiedFile,
  place: Place,
): Promise<void> {
  const mayLink = isHandedOver && reading === undefined && !place.isTaken;
  if (mayLink && (await linked(placing, file, place.target))) return;
  const temporary = await place.temporary();
  if (reading === undefined) await copyFile(file.path, temporary, constants.COPYFILE_FICLONE);
  else if (await cloned(placing, file, temporary)) reading.leavesOut([file]);
  else await writeFile(temporary, dividedForWriting(reading.read(file)), { flag: "wx" });
  await chmod(temporary, FILE_MODE);
  await syncFile(temporary);
  // A share that has no room may say so to nobody; and a file of the outbox may have been cut short.
  if ((await stat(temporary)).size !== file.sizeBytes)
    throw new GatewayError("DELIVERY_FILE_CHANGED", { what: "size" });
  await rename(temporary, place.target);
}

async function linked(placing: Placing, { path }: DeidentifiedFile, target: string): Promise<boolean> {
  if (placing.links === "refused") return false;
  try {
    await syncFile(path, { mode: FILE_MODE });
    await link(path, target);
    return true;
  } catch (thrown) {
    const code = systemCodeOf(thrown) ?? "";
    if (NO_LINKS.has(code)) placing.links = "refused";
    // Somebody else, another gateway maybe, was there first: what lies there is replaced as a whole.
    else if (code !== "EEXIST" && code !== "EMLINK") throw thrown;
    return false;
  }
}

/** Where the file system can, nothing is read at all. */
async function cloned(placing: Placing, { path }: DeidentifiedFile, temporary: string): Promise<boolean> {
  if (placing.clones === "refused") return false;
  try {
    await copyFile(path, temporary, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (thrown) {
    if (isDiskFull(thrown)) throw thrown;
    placing.clones = "refused";
    await rm(temporary, { force: true });
    return false;
  }
}
