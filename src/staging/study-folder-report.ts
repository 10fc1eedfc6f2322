import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isMissing } from "../units/durable-files.ts";
import type { DeidentifiedFile } from "./deidentified-file.ts";

/** Beside the series folders of a study: what was done to it, and what was delivered. */
export const STUDY_REPORT = "radferry-report.json";

const attachedShape = z.object({ processing: z.object({ files: z.array(z.object({ path: z.string() })) }) });

/** A file of a study's folder. */
interface ReportedFile {
  /** From the study's folder. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What is told of one delivered study; beside these, whatever its report says. */
export interface DeliveredStudyReport extends Readonly<Record<string, unknown>> {
  readonly pseudonym: string;
  readonly studyInstanceUid: string;
  readonly files: readonly ReportedFile[];
}

const shape = z.looseObject({
  pseudonym: z.string(),
  studyInstanceUid: z.string(),
  files: z.array(z.object({ path: z.string(), sha256: z.string(), sizeBytes: z.number() })),
});
/** As it is written: parts that are known would else change their places. */
const ofOne = z.custom<DeliveredStudyReport>((value) => shape.safeParse(value).success);
const ofSeveral = z.object({ studies: z.array(ofOne).min(1) });

/** The files of a study as its report lists them. */
export function reportedFiles(files: readonly DeidentifiedFile[]): readonly ReportedFile[] {
  return files
    .map(({ seriesInstanceUid, sopInstanceUid, sha256, sizeBytes }) => ({
      path: `${seriesInstanceUid}/${sopInstanceUid}.dcm`,
      sha256,
      sizeBytes,
    }))
    .sort(byPath);
}

/** All that the reports say was delivered to the study's folder: instances, and what a processing hook made beside them. */
export function reportedPaths(reports: readonly DeliveredStudyReport[]): ReadonlySet<string> {
  return new Set(
    reports.flatMap((report) => {
      const beside = attachedShape.safeParse(report).data?.processing.files ?? [];
      return [...report.files, ...beside].map(({ path }) => path);
    }),
  );
}

/** What a study's folder tells of the studies that were delivered to it; nothing where no report of ours is. */
export async function readStudyReports(studyFolder: string): Promise<readonly DeliveredStudyReport[]> {
  try {
    return parseStudyReports(await readFile(join(studyFolder, STUDY_REPORT), "utf8"));
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

/** What a report's text tells; nothing where it is none of ours: that vouches for nothing. */
export function parseStudyReports(text: string): readonly DeliveredStudyReport[] {
  try {
    const value: unknown = JSON.parse(text);
    const several = ofSeveral.safeParse(value);
    return several.success ? several.data.studies : [ofOne.parse(value)];
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof z.ZodError) return [];
    throw thrown;
  }
}

/**
 * The text of the report after one more delivery. An original study that comes again is known by its series, which no other shares: its
 * report is replaced. Of several originals that became one study all are told, with all of their files at the top.
 */
export function studyReportText(earlier: readonly DeliveredStudyReport[], own: DeliveredStudyReport): string {
  const series = seriesOf(own);
  const others = earlier.filter((report) => [...seriesOf(report)].every((each) => !series.has(each)));
  return `${JSON.stringify(others.length === 0 ? own : combined([...others, own]), undefined, 2)}\n`;
}

function combined(reports: readonly DeliveredStudyReport[]) {
  const studies = [...reports].sort((a, b) => byPath(a.files[0], b.files[0]));
  const [first] = studies;
  return {
    project: first?.project,
    pseudonym: first?.pseudonym,
    studyInstanceUid: first?.studyInstanceUid,
    studies,
    files: studies.flatMap(({ files }) => files).sort(byPath),
  };
}

function seriesOf({ files }: DeliveredStudyReport): ReadonlySet<string> {
  return new Set(files.map(({ path }) => path.split("/", 1)[0] ?? ""));
}

function byPath({ path: a } = { path: "" }, { path: b } = { path: "" }): number {
  return a < b ? -1 : Number(a > b);
}
