import { chmod, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "../../units/make-folders.ts";

/** Added to what the folder above passes on, such as its group. */
const READ_AND_ENTER = 0o055;
const PERMISSIONS = 0o7777;

/** Makes a folder and what is missing above it; others may look into them, as into the files, whatever the umask of the gateway. */
export async function makeReadableFolders(path: string): Promise<void> {
  const topmost = await makeFolders(path);
  if (topmost === undefined) return;
  for (let made = path; made.length >= topmost.length; made = dirname(made)) {
    const { mode } = await stat(made);
    if ((mode & READ_AND_ENTER) !== READ_AND_ENTER) await chmod(made, (mode & PERMISSIONS) | READ_AND_ENTER);
  }
}
