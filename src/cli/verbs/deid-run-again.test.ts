import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../test/support/cli.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { ctImage, part10Bytes, put, text } from "../../deid/testing/objects.ts";

/** Lets no CT go. */
const STRICT = "profile: strict\nversion: 1\nbase: basic-2026c\nfilters: { modality: { allow: [MR] } }\n";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, "lung.key"), `${"5a".repeat(32)}\n`, { mode: 0o600 });
  await writeFile(join(folder.path, "strict.yaml"), STRICT);
  await putSlice(1);
  await putSlice(2);
});
afterEach(() => folder[Symbol.asyncDispose]());

const run = (profile: string, project: string, ...more: readonly string[]) =>
  runCli(["deid", "run", "in", "out", "--profile", profile, "--project", project, "--key-file", "lung.key", ...more], {
    workingFolder: folder.path,
  });

/** A CT slice of one study. */
async function putSlice(instance: number): Promise<void> {
  const image = await part10Bytes(ctImage([text(0x00080018, `1.2.826.0.1.3680043.9.7.3.${instance}`)]));
  await put(join(folder.path, "in", `${instance}.dcm`), image);
}

describe("deid run into a folder that has outputs", () => {
  it("tells of objects that an earlier run let go and this one did not", async () => {
    expect((await run("research", "lung")).stdout).not.toContain("kept");
    expect((await run("strict.yaml", "lung")).stdout).toContain("kept  2: objects of earlier runs in the output");
  });

  it("replaces what it lets go again, and counts no other project's", async () => {
    await run("research", "lung");
    await putSlice(3);
    const again = await run("research", "lung", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ instances: { delivered: 3 }, earlier: 0 });
    const other = await run("research", "heart", "--json");
    expect(JSON.parse(other.stdout)).toMatchObject({ instances: { delivered: 3 }, earlier: 0 });
  });
});
