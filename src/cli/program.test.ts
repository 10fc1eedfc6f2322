import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../bin/radferry", import.meta.url));

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "radferry-program-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("runs from any folder, through links", async () => {
  await symlink(PROGRAM, join(folder, "first"));
  await symlink("first", join(folder, "second"));
  const child = spawn(join(folder, "second"), ["--version"], { cwd: folder });
  const [output] = await Promise.all([text(child.stdout), once(child, "close")]);
  expect(output).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(child.exitCode).toBe(0);
});

it("ends with 0 when a receiver is asked to stop", async () => {
  const child = spawn(PROGRAM, ["dicom", "receive", "--port", "0", "--out", "incoming", "--json"], { cwd: folder });
  const [ready] = await once(child.stdout, "data");
  expect(JSON.parse(String(ready))).toMatchObject({ aeTitle: "RADFERRY", out: join(folder, "incoming") });
  child.kill("SIGTERM");
  await once(child, "close");
  expect(child.exitCode).toBe(0);
});
