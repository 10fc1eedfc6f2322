import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { neverAborted } from "../../units/abort.ts";
import { createDeidentifier } from "../deidentifier.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { projectKeyOf } from "../pseudonyms/project-key.ts";
import { ctImage, part10Bytes, put } from "../testing/objects.ts";
import { verifyReplacement } from "./replacement.ts";

it("ends with the job that it is part of, at whatever moment that is stopped", async () => {
  await using folder = await temporaryFolder();
  const profile = await loadProfile("research");
  const engine = createDeidentifier({ profile, key: projectKeyOf(Buffer.alloc(32, 7)), filters: {} });
  const path = await put(join(folder.path, "in.dcm"), await part10Bytes(ctImage()));
  const of = { path, outputPath: join(folder.path, "copy.dcm"), participantId: undefined, seriesInstanceCount: 1 };
  const made = await engine.instance(of, neverAborted());
  if (made.kind !== "deidentified") throw new Error(made.kind);
  const stop = new AbortController();
  const task = {
    ...{ copy: made.file, path: made.file.path, outputPath: join(folder.path, "accepted.dcm"), rules: profile.rules },
    async search() {
      stop.abort(new Error("stopped"));
      return [];
    },
  };
  await expect(verifyReplacement(task, stop.signal)).rejects.toMatchObject({ name: "AbortError" });
});
