import { randomUUID } from "node:crypto";
import { rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";
import { isMissing } from "../units/durable-files.ts";

/** A full disk still takes an empty file. */
const PROBE_BYTES = 4096;

/**
 * Leaves nothing behind.
 * @throws GatewayError FOLDER_NOT_WRITABLE when no file can be made in the folder or, where it is missing, in the one that it would be made in
 */
export async function checkWritable(folder: string): Promise<void> {
  try {
    await probeWriting(folder);
  } catch (thrown) {
    throw new GatewayError("FOLDER_NOT_WRITABLE", {}, thrown);
  }
}

/** The same. @throws what the disk says */
export async function probeWriting(folder: string): Promise<void> {
  const probe = join(await existingPart(folder), `.doctor-${randomUUID()}`);
  try {
    await writeFile(probe, Buffer.alloc(PROBE_BYTES));
  } finally {
    await rm(probe, { force: true });
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
