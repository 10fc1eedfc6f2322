import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { neverAborted } from "../units/abort.ts";
import { createDeidentifier } from "./deidentifier.ts";
import { loadProfile } from "./profiles/load-profile.ts";
import { projectKeyOf } from "./pseudonyms/project-key.ts";
import { createStudyVerification } from "./verification/study-verification.ts";

const corpus = process.env.RADFERRY_CORPUS;
const hasValidator = existsSync("/usr/bin/dciodvfy");
/** Files for the validator: it takes long, and says the same of all slices of a series. */
const VALIDATED = 24;
const run = promisify(execFile);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "deid-corpus-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Errors of dciodvfy, values taken out: they differ by design. */
async function errorsOf(path: string): Promise<Set<string>> {
  const output = await run("dciodvfy", ["-new", path], { encoding: "latin1", maxBuffer: 2 ** 26 }).then(
    ({ stderr }) => stderr,
    (failed: { stderr: string }) => failed.stderr,
  );
  const lines = output.split("\n").filter((line) => line.startsWith("Error"));
  return new Set(lines.map((line) => line.replace(/ = <[^>]*>/g, "")));
}

describe.runIf(corpus !== undefined)("the corpus", () => {
  it("gives every readable image a verified output or a reason, and no validator an error it did not have", async () => {
    const rows = (await readFile(join(corpus ?? "", "MANIFEST.tsv"), "utf8")).split("\n").slice(1);
    const files = rows.map((row) => row.split("\t")).filter((fields) => fields[10] === "ok");
    const engine = createDeidentifier({
      profile: loadProfile("research"),
      key: projectKeyOf(Buffer.alloc(32, 5)),
      filters: {},
    });
    const written = new Map<string, string[]>();
    const study = createStudyVerification();
    let deidentified = 0;
    for (const [index, [path = "", , , , sopClassUid = ""]] of files.entries()) {
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
      written.set(sopClassUid, [...(written.get(sopClassUid) ?? []), `${input}\t${outputPath}`]);
    }
    expect(deidentified).toBeGreaterThan(100);
    // The corpus has some instances several times, in other transfer syntaxes.
    const findings = (await study.finish(neverAborted())).findings.map(({ reason }) => reason);
    expect(findings.filter((reason) => reason !== "sop-instance-uid-repeated")).toEqual([]);
    if (!hasValidator) return;
    const turns = Array.from({ length: VALIDATED }, (_, turn) =>
      [...written.values()].flatMap((pairs) => pairs[turn] ?? []),
    );
    for (const pair of turns.flat().slice(0, VALIDATED)) {
      const [input = "", output = ""] = pair.split("\t");
      const before = await errorsOf(input);
      expect(
        [...(await errorsOf(output))].filter((error) => !before.has(error)),
        input,
      ).toEqual([]);
    }
  }, 60_000);
});
