import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { syncFile, writeFileDurably } from "../../units/durable-files.ts";
import { makeFolders } from "../../units/make-folders.ts";
import { isDone, markDone, workspaceOf } from "./workspace.ts";

vi.mock("../../units/durable-files.ts", { spy: true });

it("vouches for what a hook made once that is on the disk, and for nothing that was made of something else", async () => {
  await using folder = await temporaryFolder();
  const workspace = workspaceOf(folder.path, "job-1");
  await makeFolders(workspace.folder);
  expect(await isDone(workspace, "of these")).toBe(false);
  vi.mocked(syncFile).mockRejectedValueOnce(new Error("EIO"));
  const output = { path: join(workspace.folder, "made") };
  await expect(markDone(workspace, "of these", [output])).rejects.toThrow("EIO");
  expect(writeFileDurably).not.toHaveBeenCalled();
  vi.mocked(syncFile).mockResolvedValueOnce();
  await markDone(workspace, "of these", [output]);
  expect(vi.mocked(syncFile).mock.calls).toEqual([[output.path], [output.path]]);
  expect([await isDone(workspace, "of these"), await isDone(workspace, "of others")]).toEqual([true, false]);
});
