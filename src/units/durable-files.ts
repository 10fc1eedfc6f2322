import { randomUUID } from "node:crypto";
import * as files from "node:fs";
import { link, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Makes the names in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes the bytes of a file survive a power cut. A descriptor and callbacks: closing what only reads waits for no disk, so this thread does it.
 * @param mode what the file's is to be; as it is by default
 */
export function syncFile(path: string, { mode }: { readonly mode?: number } = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    files.open(path, "r", (refused, descriptor) => {
      if (refused !== null) return reject(refused);
      const end = (failed: NodeJS.ErrnoException | null | undefined): void => {
        files.closeSync(descriptor);
        if (failed === null || failed === undefined) resolve();
        else reject(failed);
      };
      if (mode === undefined || (files.fstatSync(descriptor).mode & PERMISSIONS) === mode)
        return files.fdatasync(descriptor, end);
      files.fchmod(descriptor, mode, (failed) => (failed === null ? files.fdatasync(descriptor, end) : end(failed)));
    });
  });
}

/** Of a file's mode. inode(7) */
const PERMISSIONS = 0o777;

export interface DurableWrite {
  /** Owner only by default. */
  readonly mode?: number;
  /** Whose it is to be, where we may give it away; ours by default. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Where the file grows before it gets its name, on the same file system; beside its final place by default. */
  readonly temporaryFolder?: string;
}

/** The file is there whole, or as it was before; it survives a power cut. */
export async function writeFileDurably(path: string, text: string, options: DurableWrite = {}): Promise<void> {
  const { mode = 0o600, owner, temporaryFolder = dirname(path) } = options;
  const temporary = join(temporaryFolder, `${basename(path)}.${randomUUID()}.part`);
  try {
    await writeWhole(temporary, text, { mode, owner });
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  await syncFolder(dirname(path));
}

/** Whole and durable, or not there at all. By a hard link: what is there already is never replaced. @throws EEXIST then */
export async function writeNewFileDurably(path: string, text: string, { mode = 0o600 } = {}): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await writeWhole(temporary, text, { mode, owner: undefined });
    await link(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

async function writeWhole(
  path: string,
  text: string,
  { mode, owner }: { readonly mode: number; readonly owner: DurableWrite["owner"] },
): Promise<void> {
  await using file = await open(path, "wx", mode);
  if (owner !== undefined) {
    await file.chown(owner.uid, owner.gid).catch((thrown: unknown) => {
      if (systemCodeOf(thrown) !== "EPERM") throw thrown;
    });
  }
  // Whatever the umask says.
  await file.chmod(mode);
  await file.writeFile(text);
  await file.sync();
}

/** The error code of the operating system, such as ENOENT; undefined for errors of another origin. */
export function systemCodeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Whether the file or folder was not there. */
export function isMissing(thrown: unknown): boolean {
  return systemCodeOf(thrown) === "ENOENT";
}

/** Whether an error of the file system says that there is no room: ENOSPC or EDQUOT. */
export function isDiskFull(thrown: unknown): boolean {
  const code = systemCodeOf(thrown);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Whether something of that name is there. @throws errors of the disk as they are */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}
