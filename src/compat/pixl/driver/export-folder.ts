import { randomUUID } from "node:crypto";
import { cp, lstat, rename, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { slugOf } from "../../../cohort/pixl-extract.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { makeFolders } from "../../../units/make-folders.ts";

export interface ExportedExtract {
  /** The folder of an OMOP extract. */
  readonly extract: string;
  /** Where PIXL keeps what it exports, a folder for each project; it must be there. */
  readonly root: string;
  readonly projectName: string;
  /** As the extract's messages have it. */
  readonly generatedAt: string;
}

/**
 * Copies the public part of an extract to where PIXL's export API takes it from, and has `latest` of the project lead there.
 * @returns the extract's folder below the root
 * @throws GatewayError FOLDER_NOT_WRITABLE
 */
export async function copyToExports({ extract, root, projectName, generatedAt }: ExportedExtract): Promise<string> {
  const project = join(root, projectName);
  const target = join(project, "all_extracts", slugOf(generatedAt));
  try {
    if (!(await stat(root)).isDirectory()) throw new RangeError("no folder");
    await makeFolders(target);
    await cp(join(extract, "public"), join(target, "omop", "public"), { recursive: true, filter: isPlain });
    await pointTo(target, join(project, "latest"));
  } catch (thrown) {
    throw new GatewayError("FOLDER_NOT_WRITABLE", { setting: "HOST_EXPORT_ROOT_DIR" }, thrown);
  }
  return target;
}

/** Links are not copied: one could lead to what is not public. */
async function isPlain(path: string): Promise<boolean> {
  const facts = await lstat(path);
  return facts.isFile() || facts.isDirectory();
}

/** Replaces the link in one step: readers find the old or the new one at every instant. */
async function pointTo(target: string, link: string): Promise<void> {
  const arriving = `${link}.${randomUUID()}`;
  await symlink(target, arriving, "dir");
  await rename(arriving, link).catch(async (thrown: unknown) => {
    await rm(arriving, { force: true });
    throw thrown;
  });
}
