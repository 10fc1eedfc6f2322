import { randomUUID } from "node:crypto";
import { mkdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../errors/gateway-error.ts";

/** @throws GatewayError FOLDER_NOT_WRITABLE when no file can be made in the folder, which is made first where it is missing. */
export async function checkWritable(folder: string): Promise<void> {
  const probe = join(folder, `.doctor-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(probe, "");
    await unlink(probe);
  } catch (thrown) {
    throw new GatewayError("FOLDER_NOT_WRITABLE", {}, thrown);
  }
}
