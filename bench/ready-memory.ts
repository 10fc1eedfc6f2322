import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";

const CHUNK_BYTES = 1024 * 1024;

/**
 * A folder that is there, and as much free memory as what will be written to it takes. Memory that a virtual machine has not used lately it
 * must get from outside first, which takes ten times as long as writing to it: whoever came next would pay for it. What is free again is
 * given back outside within seconds: this comes last before whoever is measured, behind the start of servers.
 */
export async function readyMemory(folder: string, sizeBytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, ".ready");
  await using file = await open(path, "wx");
  const chunk = Buffer.alloc(CHUNK_BYTES, 1);
  for (let done = 0; done < sizeBytes; done += chunk.length) await file.write(chunk);
  await file.truncate();
  await rm(path);
}
