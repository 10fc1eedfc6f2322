import { mkdir, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { removeLocalCopies } from "./local-copies.ts";

it.each([true, false])(
  "removes a study from staging and its copies from the outbox, nobody else's (shred: %s)",
  async (shred) => {
    await using folder = await temporaryFolder();
    const [staging, outbox] = [join(folder.path, "staging"), join(folder.path, "outbox")];
    for (const place of [join(staging, "studies", "1.2.3"), join(staging, "studies", "1.2.4")])
      await mkdir(place, { recursive: true });
    for (const job of ["job-1", "job-2"]) await mkdir(join(outbox, job), { recursive: true });
    const original = join(staging, "studies", "1.2.3", "1.2.3.1.dcm");
    await writeFile(original, "PATIENT");
    await using witness = await open(original, "r");
    await removeLocalCopies({ staging, outbox, shred }, { job: "job-1", studyInstanceUid: "1.2.3" });
    expect(await readdir(outbox)).toEqual(["job-2"]);
    expect(await readdir(join(staging, "studies"))).toEqual(["1.2.4"]);
    expect(await witness.readFile("latin1")).toBe(shred ? "\0".repeat(7) : "PATIENT");
    await removeLocalCopies({ staging, outbox, shred }, { job: "job-2", studyInstanceUid: undefined });
    expect(await readdir(outbox)).toEqual([]);
  },
);
