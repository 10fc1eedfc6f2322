import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { openOutbox, rethrowOutbox } from "./outbox.ts";

it("keeps a folder for each job, names those that a crash left behind, and removes them", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "home", "outbox");
  const outbox = await openOutbox({ path });
  await mkdir(outbox.folderOf("7"));
  await writeFile(join(outbox.folderOf("7"), "0.dcm"), "copy");
  expect(await outbox.jobs()).toEqual(["7"]);
  await outbox.remove("7");
  await outbox.remove("8");
  expect(await outbox.jobs()).toEqual([]);
});

/** As the file system's errors come, from another thread too. */
const ofDisk = (code: string): Error => Object.assign(new Error(code), { code, syscall: "write" });

it.each([
  ["a disk without room", ofDisk("ENOSPC"), "OUTBOX_FULL"],
  ["a quota that is used up", ofDisk("EDQUOT"), "OUTBOX_FULL"],
  ["a disk that can only be read", ofDisk("EROFS"), "OUTBOX_UNAVAILABLE"],
  ["a disk that fails", ofDisk("EIO"), "OUTBOX_UNAVAILABLE"],
])("%s is waited for", async (_, thrown, code) => {
  await expect(Promise.reject(thrown).catch(rethrowOutbox)).rejects.toMatchObject({ code, class: "transient" });
});

it.each([
  ["has a code already", new GatewayError("PSEUDONYM_COLLISION")],
  ["is not the disk's", new TypeError("a mistake of ours")],
])("an error that %s stays as it is", async (_, thrown) => {
  await expect(Promise.reject(thrown).catch(rethrowOutbox)).rejects.toBe(thrown);
});
