import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { unreadableIn } from "../../../test/support/unreadable.ts";
import { ctImage, part10Bytes, put, text } from "../../deid/testing/objects.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "lung.key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
});
afterEach(() => folder[Symbol.asyncDispose]());

const run = (...more: readonly string[]) =>
  runCli(["deid", "run", "in", "out", "--profile", "research", "--key-file", "lung.key", ...more], {
    workingFolder: folder.path,
  });

/** A CT slice of one study. */
const slice = (instance: number): Promise<Buffer> =>
  part10Bytes(ctImage([text(0x00080018, `1.2.826.0.1.3680043.9.7.3.${instance}`)]));

const putInput = async (name: string, bytes: Promise<Uint8Array>) => put(join(folder.path, "in", name), await bytes);

describe("deid run over a folder of which a part cannot be read", () => {
  it("writes what became what of the others where a file cannot be read", async () => {
    await putInput("1.dcm", slice(1));
    using _unreadable = unreadableIn(join(folder.path, "in"), "file");
    const { exitCode, stdout } = await run("--mapping-dir", "mapping", "--json");
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      instances: { delivered: 1, unreadable: 1 },
      mapping: { uids: 4, patients: 1 },
    });
  });

  it("goes on over a folder that cannot be looked into, and tells of it as of a bad file", async () => {
    await putInput("a.dcm", slice(1));
    using _unreadable = unreadableIn(join(folder.path, "in"), "folder");
    const { exitCode, stdout } = await run("--json");
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      files: 2,
      instances: { delivered: 1, unreadable: 1 },
      failures: [{ number: 2, code: "FILE_UNREADABLE", reason: "ENAMETOOLONG" }],
    });
  });

  it("tells of links, which it does not follow", async () => {
    await put(join(folder.path, "elsewhere", "a.dcm"), await slice(1));
    await mkdir(join(folder.path, "in"));
    await symlink(join(folder.path, "elsewhere", "a.dcm"), join(folder.path, "in", "link.dcm"));
    const none = await run("--json");
    expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: "NO_FILES_FOUND", details: { links: 1 } } });
    await putInput("b.dcm", slice(2));
    const some = await run();
    expect(some).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("left out  1: links") });
  });
});
