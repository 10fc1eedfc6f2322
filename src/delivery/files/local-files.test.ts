import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import { syncFile, syncFolder } from "../../units/durable-files.ts";
import { destinationFolder } from "../folder/destination-folder.ts";
import { localFiles } from "./local-files.ts";

vi.mock("../../units/durable-files.ts", { spy: true });

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("made of it");
}

it("has on the disk what it wrote before it says so, and each change of a name", async () => {
  await using folder = await temporaryFolder();
  const [arriving, path] = [join(folder.path, ".part"), join(folder.path, "whole")];
  const files = localFiles(destinationFolder({ name: "store", path: folder.path }));
  await using session = await files.open(neverAborted());
  const synced = async (work: Promise<void>): Promise<readonly string[]> => {
    await work;
    return [...vi.mocked(syncFile).mock.calls.splice(0), ...vi.mocked(syncFolder).mock.calls.splice(0)].map(
      ([of]) => of,
    );
  };
  expect(await synced(session.write(arriving, content()))).toEqual([arriving]);
  expect(await synced(session.rename(arriving, path))).toEqual([folder.path]);
  expect(await readFile(path, "utf8")).toBe("made of it");
  expect(await synced(session.remove(path))).toEqual([folder.path]);
});
