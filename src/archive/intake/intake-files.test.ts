import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { plainRemoval } from "../../staging/removal.ts";
import { createSharedSync } from "../../units/shared-sync.ts";
import { openIntakeFiles } from "./intake-files.ts";

it("keeps what was acknowledged over a restart, and removes what was not", async () => {
  await using folder = await temporaryFolder();
  const place = join(folder.path, "intake");
  const acknowledged: string[] = [];
  const store = { intakeFiles: async (prefix: string) => acknowledged.filter((file) => file.startsWith(prefix)) };
  const files = await openIntakeFiles(place, store);
  const keep = async (text: string): Promise<string> => {
    const path = join(folder.path, text);
    await writeFile(path, text);
    return await files.keep(path);
  };
  const [told, untold, removed] = [await keep("told"), await keep("untold"), await keep("removed")];
  acknowledged.push(told, removed);
  await files.remove(removed);
  const again = await openIntakeFiles(place, store);
  expect(await readFile(again.pathOf(told), "utf8")).toBe("told");
  for (const gone of [untold, removed]) await expect(readFile(again.pathOf(gone))).rejects.toThrow("ENOENT");
});

it("syncs the folder of what comes at the same moment twice, however much it is", async () => {
  await using folder = await temporaryFolder();
  const place = join(folder.path, "intake");
  const synced: string[] = [];
  const sync = createSharedSync(async (path) => {
    synced.push(path);
    await expect.poll(async () => (await readdir(path)).length).toBe(40);
  });
  const files = await openIntakeFiles(place, { intakeFiles: async () => [] }, plainRemoval, sync);
  const paths = Array.from({ length: 40 }, (_, number) => join(folder.path, `${number}`));
  await Promise.all(paths.map((path) => writeFile(path, "whole")));
  const kept = await Promise.all(paths.map((path) => files.keep(path)));
  expect(new Set(kept).size).toBe(40);
  expect(synced.length).toBe(2);
});
