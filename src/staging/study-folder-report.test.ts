import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { type DeliveredStudyReport, readStudyReports, STUDY_REPORT, studyReportText } from "./study-folder-report.ts";

const file = (path: string) => ({ path, sha256: "ab", sizeBytes: 2 });
const report = (...paths: readonly string[]): DeliveredStudyReport => ({
  project: "trial",
  outcome: "delivered",
  pseudonym: "P1",
  studyInstanceUid: "2.25.1",
  files: paths.map(file),
});

/** The report after these deliveries, one after the other. */
async function textAfter(...reports: readonly DeliveredStudyReport[]): Promise<string> {
  await using folder = await temporaryFolder();
  let text = "";
  for (const each of reports) {
    text = studyReportText(await readStudyReports(folder.path), each);
    await writeFile(join(folder.path, STUDY_REPORT), text);
  }
  return text;
}

describe("the report of a study's folder", () => {
  const [first, second] = [report("2.25.5/1.dcm", "2.25.6/1.dcm"), report("2.25.3/1.dcm")];

  it("is that of the one study, as it comes again", async () => {
    const fewer = report("2.25.5/9.dcm");
    expect(JSON.parse(await textAfter(fewer, first))).toEqual(first);
    expect(JSON.parse(await textAfter(first, fewer))).toEqual(fewer);
  });

  it("tells of several original studies, in one order whichever came first or again", async () => {
    const text = await textAfter(first, second);
    expect(JSON.parse(text)).toEqual({
      project: "trial",
      pseudonym: "P1",
      studyInstanceUid: "2.25.1",
      studies: [second, first],
      files: ["2.25.3/1.dcm", "2.25.5/1.dcm", "2.25.6/1.dcm"].map(file),
    });
    expect(await textAfter(second, first)).toBe(text);
    expect(await textAfter(first, second, first)).toBe(text);
  });

  it("starts anew where something else lies in its place", async () => {
    await using folder = await temporaryFolder();
    expect(await readStudyReports(folder.path)).toEqual([]);
    for (const text of ["no JSON", "[]", '{"files":[{"path":1}]}', '{"studies":[]}']) {
      await writeFile(join(folder.path, STUDY_REPORT), text);
      expect(await readStudyReports(folder.path)).toEqual([]);
    }
  });
});
