import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sharedSync, unsyncedFiles } from "./receive-sync.ts";

describe("a sync that several wait for", () => {
  it("is done once for all who ask while another is under way", async () => {
    const begun: PromiseWithResolvers<void>[] = [];
    const sync = sharedSync(() => {
      const one = Promise.withResolvers<void>();
      begun.push(one);
      return one.promise;
    });
    const first = sync();
    const others = [sync(), sync(), sync()];
    expect(begun).toHaveLength(1);
    begun[0]?.resolve();
    await first;
    // A rename that came after the first sync began is in none but the second.
    await expect.poll(() => begun.length).toBe(2);
    begun[1]?.resolve();
    await Promise.all(others);
    expect(begun).toHaveLength(2);
  });

  it("tells its failure to those who waited for it, and begins anew for the next", async () => {
    const outcomes = [Promise.reject(new Error("no disk")), Promise.resolve()];
    outcomes[0]?.catch(() => undefined);
    const sync = sharedSync(() => outcomes.shift() ?? Promise.resolve());
    await expect(sync()).rejects.toThrow("no disk");
    await expect(sync()).resolves.toBeUndefined();
  });
});

describe("files that are synced when their association ends", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "radferry-sync-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("takes it for done when a file was taken away meanwhile", async () => {
    const association = new AbortController();
    const files = unsyncedFiles(folder);
    await writeFile(join(folder, "1.dcm"), "one");
    await files.add(join(folder, "1.dcm"), association.signal);
    await files.add(join(folder, "gone.dcm"), association.signal);
    association.abort();
    await expect(files.settled()).resolves.toBeUndefined();
  });

  it("says so when the disk does not take them", async () => {
    const association = new AbortController();
    const files = unsyncedFiles(join(folder, "missing"));
    await files.add(join(folder, "1.dcm"), association.signal);
    await expect(files.settled()).resolves.toBeUndefined();
    association.abort();
    await expect(files.settled()).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("syncs what comes after a file that the disk did not take, and says so in the end", async () => {
    const files = unsyncedFiles(folder);
    await writeFile(join(folder, "1.dcm"), "one");
    const over = AbortSignal.abort();
    await expect(files.add(join(folder, "1.dcm", "below-a-file.dcm"), over)).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(files.add(join(folder, "1.dcm"), over)).resolves.toBeUndefined();
    await expect(files.settled()).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});
