import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";

async function scannerDesk() {
  const folder = await temporaryFolder();
  const world = { environment: { RADFERRY_HOME: join(folder.path, "home") }, workingFolder: folder.path };
  const verb = async (...args: readonly string[]) => {
    const { exitCode, stdout } = await runCli(["scanner", ...args, "--json"], world);
    return { exitCode, document: JSON.parse(stdout) };
  };
  return { path: folder.path, verb, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

it("writes a scanner's credentials for their owner alone", async () => {
  await using desk = await scannerDesk();
  const file = join(desk.path, "device.json");
  const { document } = await desk.verb("register", "MR3T", "--credentials", "device.json");
  expect(document).toMatchObject({ file });
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
    device_id: document.device_id,
    device_token: expect.stringMatching(/^[0-9a-f]{2048}$/),
  });
  expect((await stat(file)).mode & 0o077).toBe(0);
});

it.each(["missing/device.json", "folder"])(
  "leaves no scanner whose token could not be written to %s",
  async (place) => {
    await using desk = await scannerDesk();
    await mkdir(join(desk.path, "folder"));
    expect(await desk.verb("register", "MR3T", "--credentials", place)).toMatchObject({
      exitCode: 1,
      document: { error: { code: "FILE_NOT_WRITABLE" } },
    });
    expect((await desk.verb("list")).document).toMatchObject([{ name: "MR3T", revokedAt: expect.any(String) }]);
    expect(await readdir(desk.path)).toEqual(["folder", "home"]);
  },
);

it.each([
  ["folder", { exitCode: 1, document: { error: { code: "FILE_UNREADABLE", details: { reason: "EISDIR" } } } }],
  ["missing.seq", { exitCode: 2, document: { error: { code: "USAGE_INVALID" } } }],
])("says what is wrong with a sequence's file: %s", async (file, answer) => {
  await using desk = await scannerDesk();
  await mkdir(join(desk.path, "folder"));
  expect(await desk.verb("sequence", "add", file)).toMatchObject(answer);
});
