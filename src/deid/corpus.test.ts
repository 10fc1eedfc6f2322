import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { neverAborted } from "../units/abort.ts";
import { createDeidentifier } from "./deidentifier.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { projectKeyOf } from "./pseudonyms/project-key.ts";
import { createStudyVerification } from "./verification/study-verification.ts";

const corpus = process.env.RADFERRY_CORPUS;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "deid-corpus-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.runIf(corpus !== undefined)("the corpus", () => {
  it("gives every readable image a verified output or a reason", async () => {
    const rows = (await readFile(join(corpus ?? "", "MANIFEST.tsv"), "utf8")).split("\n").slice(1);
    const files = rows.map((row) => row.split("\t")).filter((fields) => fields[10] === "ok");
    const engine = createDeidentifier({
      profile: loadProfile("research"),
      key: projectKeyOf(Buffer.alloc(32, 5)),
      filters: {},
    });
    const study = createStudyVerification();
    let deidentified = 0;
    for (const [index, [path = ""]] of files.entries()) {
      const input = join(corpus ?? "", path);
      const outputPath = join(folder, `${index}.dcm`);
      const outcome = await engine.instance(
        { path: input, outputPath, participantId: undefined, seriesInstanceCount: 9, study },
        neverAborted(),
      );
      expect(outcome.kind === "rejected" ? outcome.code : "", path).not.toMatch(
        /^DEIDENTIFICATION_UNPROVEN|^IDENTIFIER_FOUND/,
      );
      expect(existsSync(outputPath)).toBe(outcome.kind === "deidentified");
      if (outcome.kind !== "deidentified") continue;
      deidentified += 1;
    }
    expect(deidentified).toBeGreaterThan(100);
    // The corpus has some instances several times, in other transfer syntaxes.
    const findings = (await study.finish(neverAborted())).findings.map(({ reason }) => reason);
    expect(findings.filter((reason) => reason !== "sop-instance-uid-repeated")).toEqual([]);
  }, 60_000);
});
