import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openWorkspace } from "./run-workspace.ts";

it("is gone with the run, with all that is in it", async () => {
  await using folder = await temporaryFolder();
  {
    await using workspace = await openWorkspace(folder.path);
    await writeFile(join(workspace.path, "1.dcm"), "x");
  }
  expect(await readdir(folder.path)).toEqual([]);
});

it("takes away what a killed run left, and nothing of a run that goes on or of another machine", async () => {
  await using folder = await temporaryFolder();
  const child = spawn(process.execPath, ["--version"]);
  await once(child, "close");
  const [dead, alive, elsewhere] = [
    `${hostname()}~${child.pid}~1`,
    `${hostname()}~${process.pid}~2`,
    `x~${child.pid}~3`,
  ];
  for (const name of [dead, alive, elsewhere]) {
    await mkdir(join(folder.path, ".radferry", name), { recursive: true });
    await writeFile(join(folder.path, ".radferry", name, "1.dcm"), "x");
  }
  {
    await using _workspace = await openWorkspace(folder.path);
  }
  expect((await readdir(join(folder.path, ".radferry"))).toSorted()).toEqual([alive, elsewhere].toSorted());
});
