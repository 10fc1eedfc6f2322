import { randomUUID } from "node:crypto";
import { stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import { isMissing } from "../units/durable-files.ts";

/**
 * Leaves nothing behind.
 * @throws GatewayError FOLDER_NOT_WRITABLE when no file can be made in the folder or, where it is missing, in the one that it would be made in
 */
export async function checkWritable(folder: string): Promise<void> {
  try {
    const probe = join(await existingPart(folder), `.doctor-${randomUUID()}`);
    await writeFile(probe, "");
    await unlink(probe);
  } catch (thrown) {
    throw new GatewayError("FOLDER_NOT_WRITABLE", {}, thrown);
  }
}

/** The folder itself, or the nearest above it that is there. */
export async function existingPart(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      await stat(path);
      return path;
    } catch (thrown) {
      if (!isMissing(thrown) || path === dirname(path)) throw thrown;
    }
  }
}
